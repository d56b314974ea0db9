/** @jsxImportSource hono/jsx */
/** Renews many profiles: confirmed first, with the cost; started only if it is still the same number. */

import { Hono } from "hono";
import { Refusal } from "../../domain/errors.ts";
import { healthClock } from "../../domain/profiles/health.ts";
import { RENEWALS, renewalRequests, withoutActive } from "../../scheduler/runs/renew.ts";
import { RenewalPage } from "../../views/profiles/renew-page.tsx";
import { renewAddress, screenerAddress } from "../../views/profiles/screener.tsx";
import { profileAddress } from "../../views/ui/dom.ts";
import { requireKnownFields } from "../form-errors.ts";
import { previewOf } from "../runs/cost-preview.tsx";
import type { Services } from "../services.ts";
import { parseListQuery, requireReadable } from "./list-query.ts";

/** The fields of a form whose buttons lead here and to the renewal of one profile. */
export const RENEWAL_FIELDS = ["order", "symbol", "interval", "repair_provider", "from"];

export function profileRenewRoutes(
  services: Pick<Services, "calendar" | "config" | "db" | "limiter" | "profiles" | "provider" | "runs" | "settings">,
) {
  const { db, runs, calendar, config, profiles } = services;
  const routes = new Hono();

  routes.post("/profiles/renew", async (c) => {
    const body = await c.req.parseBody({ all: true });
    requireKnownFields(body, [...RENEWAL_FIELDS, "scope", "expect"]);
    const renewal = RENEWALS.find((each) => each === body.order);
    if (renewal === undefined)
      throw new Refusal("invalid", `There is no such renewal; there are ${RENEWALS.join(", ")}`);
    const { query, filter, screener } = parseListQuery((name) => c.req.query(name));
    requireReadable(query);
    const all = body.scope === "all";
    const selected = [body.symbol ?? []].flat().map(String);
    const clock = healthClock(calendar, Date.now());
    const { entries: found } = await profiles.select(all ? { ...filter, sort: undefined } : { keys: selected }, clock);
    if (found.length === 0) {
      const detail = all ? "No profile matches any more" : "Tick the profiles first, or choose all";
      throw new Refusal("invalid", detail);
    }
    const free = await withoutActive(db, found);
    const now = Date.now() / 1000;
    const requests = renewalRequests(free, renewal, now);
    if (body.expect === String(found.length) && requests.length > 0) {
      for (const request of requests) await runs.start(request);
      return c.redirect("/", 303);
    }
    // A renewal from a profile's page leads back there.
    const single = body.from === "profile" ? found[0]! : null;
    const back = single ? profileAddress(single.symbol, single.interval) : screenerAddress(screener);
    const renewalView = {
      request: renewal,
      profiles: found.length,
      busy: found.length - free.length,
      runs: await Promise.all(
        requests.map(async (request) => ({
          provider: request.provider ?? config.provider,
          interval: request.interval,
          cost: await previewOf(services, request),
        })),
      ),
      was: typeof body.expect === "string" && body.expect !== String(found.length) ? Number(body.expect) : null,
      action: renewAddress(screener),
      scope: all ? "all" : "picked",
      selected: all ? [] : selected,
      back,
    };
    return c.html(<RenewalPage page={{ ...c.var.page, path: back }} renewal={renewalView} />);
  });
  routes.get("/profiles/renew", (c) => c.redirect("/profiles", 303));

  return routes;
}
