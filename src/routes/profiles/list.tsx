/** @jsxImportSource hono/jsx */
/** `/profiles`: all profiles or those that match a screen, as a page or (`format=csv|json`) as a download. */

import { type Context, Hono } from "hono";
import { isReadInterval, READ_INTERVALS } from "../../domain/market/interval.ts";
import { healthClock } from "../../domain/profiles/health.ts";
import { isOutdated } from "../../scheduler/runs/renew.ts";
import { ProfilesPage } from "../../views/profiles/profile-list.tsx";
import { type ScreenerView, screenerAddress, screenerFields } from "../../views/profiles/screener.tsx";
import { copyAs } from "../../views/ui/copy-as.tsx";
import { compressed } from "../compression.ts";
import { chosen } from "../http/page-query.ts";
import { serverAddress } from "../http/server-address.ts";
import type { Services } from "../services.ts";
import { derivedList, isDerived } from "./derived-list.tsx";
import { MAX_PROFILES, PROFILE_FORMATS, streamProfiles } from "./download.ts";
import { parseListQuery } from "./list-query.ts";
import { summaryOf } from "./summary.ts";

const PAGE_SIZE = 200;

type ListServices = Pick<Services, "calendar" | "config" | "derived" | "exporter" | "profiles" | "reports">;

export function profileListRoutes(services: ListServices) {
  const pages = new Hono();
  pages.use(compressed);
  pages.get("/profiles", profilesPage(services));
  return pages;
}

function profilesPage(services: ListServices) {
  const { calendar, config, profiles, reports } = services;
  return async (c: Context): Promise<Response> => {
    chosen(c, "interval", READ_INTERVALS);
    const { query, filter, screener } = parseListQuery((name) => c.req.query(name));
    const feature = (c.req.query("feature") ?? "").trim().slice(0, 80);
    if (feature !== "") {
      const [sign, than] = [c.req.query("sign") ?? "", c.req.query("than") ?? ""].map((text) => text.slice(0, 80));
      const added = `${feature} ${sign} ${than}`.trim();
      const { where } = screener;
      const whole = where === "" ? added : `${/\bor\b/i.test(where) ? `(${where})` : where} and ${added}`;
      return c.redirect(screenerAddress({ ...screener, where: whole }), 303);
    }
    const clock = healthClock(calendar, Date.now());
    const page = Math.min(10_000, Math.max(1, Math.trunc(Number(c.req.query("page"))) || 1));
    const format = chosen(c, "format", PROFILE_FORMATS);
    if (query.error === null && format !== undefined) {
      c.header("Content-Disposition", `attachment; filename="profiles.${format}"`);
      const part = { offset: 0, limit: MAX_PROFILES };
      return streamProfiles(services, c, { filter, columns: query.columns, calendar, format, ...part });
    }
    const commands = query.error === null ? copyScreen(config, c, screener) : [];
    const { interval } = screener;
    if (query.error === null && isReadInterval(interval) && (await isDerived(services, interval))) {
      const shown = { filter, interval, clock, screener, page, pageSize: PAGE_SIZE, commands };
      return derivedList(services, c, shown);
    }
    const { entries, columns } =
      query.error === null ? await profiles.select(filter, clock) : { entries: [], columns: [] };
    const shown = entries.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE);
    const healths = await profiles.healthsOf(shown, clock);
    const drifts = await reports.driftCounts(shown);
    const address = (to: number) => screenerAddress(screener, to > 1 ? { page: String(to) } : {});
    const view = {
      screener,
      commands,
      derived: null,
      outdated: (await profiles.all()).filter(isOutdated).length,
      again: address(page),
      matching: entries.length,
      rows: shown.map((entry, at) => ({
        ...summaryOf(entry),
        health: healths[at]!,
        drift: drifts[at],
        values: columns.map((values) => (Number.isNaN(values[entry.at]) ? null : values[entry.at]!)),
      })),
      pages: {
        before: page > 1 ? address(page - 1) : null,
        after: entries.length > page * PAGE_SIZE ? address(page + 1) : null,
      },
    };
    return c.html(<ProfilesPage page={c.var.page} view={view} />, query.error === null ? 200 : 422);
  };
}

/** The list as the API gives it, all pages of it. */
const copyScreen = (config: ListServices["config"], c: Context, screener: ScreenerView) =>
  copyAs({
    server: serverAddress(config, c),
    path: "/api/profiles",
    query: new URLSearchParams([...screenerFields(screener), ["limit", String(MAX_PROFILES)]]),
    hasLogin: c.get("guarded"),
    file: "profiles",
  });
