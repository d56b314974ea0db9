/** @jsxImportSource hono/jsx */
/** Profiles brought up to date, many at once: asked about first, with the cost; started only if it still is that many. */

import { Hono } from "hono";
import { createCalendar } from "../domain/calendar.ts";
import { Refusal } from "../domain/errors.ts";
import { healthClock } from "../domain/health.ts";
import { RENEWALS, type Renewable, renewalOrders } from "../scheduler/renew.ts";
import type { Database } from "../storage/db.ts";
import { matchingProfiles } from "../storage/profiles.ts";
import { activeJobs } from "../storage/runs.ts";
import type { Frame } from "../views/layout.tsx";
import { RenewalPage } from "../views/profile-renew.tsx";
import { renewAddress, screenAddress } from "../views/screener.tsx";
import { frameOf } from "./frame.ts";
import { viewOf } from "./preview.ts";
import { profilesAsked } from "./screen-query.ts";
import type { Services } from "./services.ts";

export function profileRenewRoutes(services: Services, assets: Frame["assets"]) {
  const { db, runs, config } = services;
  const calendar = createCalendar(config.sessions);
  const routes = new Hono();

  routes.post("/profiles/renew", async (c) => {
    const body = await c.req.parseBody({ all: true });
    const renewal = RENEWALS.find((each) => each === body.order);
    if (renewal === undefined) throw new Refusal("invalid", `There is no such order; there are ${RENEWALS.join(", ")}`);
    const { query, filter, screen } = profilesAsked((name) => c.req.query(name));
    if (query.wrong) throw new Refusal("invalid", query.wrong.message, [query.wrong]);
    const all = body.scope === "all";
    const picked = [body.symbol ?? []].flat().map(String);
    const found = await matchingProfiles(db, all ? filter : { keys: picked }, healthClock(calendar, Date.now()));
    if (found.length === 0) {
      const detail = all ? "No profile matches any more" : "Tick the profiles first, or choose all";
      throw new Refusal("invalid", detail);
    }
    const free = await notBusy(db, found);
    const now = Date.now() / 1000;
    const orders = renewalOrders(free, renewal, now);
    if (body.expect === String(found.length) && orders.length > 0) {
      for (const order of orders) await runs.start(order);
      return c.redirect("/", 303);
    }
    const renewalView = {
      order: renewal,
      profiles: found.length,
      busy: found.length - free.length,
      runs: await Promise.all(
        orders.map(async (order) => ({
          provider: order.provider ?? config.provider,
          interval: order.interval,
          cost: await viewOf(services, order),
        })),
      ),
      was: typeof body.expect === "string" && body.expect !== String(found.length) ? Number(body.expect) : null,
      action: renewAddress(screen),
      scope: all ? "all" : "picked",
      picked: all ? [] : picked,
      back: screenAddress(screen),
    };
    const frame = { ...frameOf(c, assets), path: screenAddress(screen) };
    return c.html(<RenewalPage frame={frame} renewal={renewalView} />);
  });
  routes.get("/profiles/renew", (c) => c.redirect("/profiles", 303));

  return routes;
}

/** Those that no run is working on. */
async function notBusy<T extends Renewable>(db: Database, profiles: readonly T[]): Promise<T[]> {
  const byInterval = Map.groupBy(profiles, ({ interval }) => interval);
  const free = await Promise.all(
    [...byInterval].map(async ([interval, group]) => {
      const active = await activeJobs(
        db,
        group.map(({ symbol }) => symbol),
        interval,
      );
      const busy = new Set(active.map(({ symbol }) => symbol));
      return group.filter(({ symbol }) => !busy.has(symbol));
    }),
  );
  return free.flat();
}
