/** @jsxImportSource hono/jsx */
/** `/profiles`: all profiles or those that match a screen, as a page or (`format=csv|json`) as a download. */

import { type Context, Hono } from "hono";
import { createCalendar } from "../../domain/market/calendar.ts";
import { isReadInterval, READ_INTERVALS } from "../../domain/market/interval.ts";
import { healthClock } from "../../domain/profiles/health.ts";
import { FEATURES } from "../../features/catalog.ts";
import { isOutdated } from "../../scheduler/runs/renew.ts";
import type { ProfileEntry } from "../../storage/profiles/profile-rows.ts";
import { ProfilesPage } from "../../views/profiles/profile-list.tsx";
import { screenerAddress } from "../../views/profiles/screener.tsx";
import { compressed } from "../compression.ts";
import { chosen } from "../http/page-query.ts";
import type { Services } from "../services.ts";
import { derivedList, derivedMatches, derivedRows, isDerived } from "./derived-list.tsx";
import { streamProfiles } from "./download.ts";
import { type Column, parseListQuery } from "./list-query.ts";
import { summaryOf } from "./summary.ts";

const PAGE_SIZE = 200;
/** Most profiles in a download: more symbols than one run may have, at every interval. */
const MAX_DOWNLOAD = 50_000;

type ListServices = Pick<Services, "config" | "derived" | "exporter" | "profiles">;

export function profileListRoutes(services: ListServices) {
  const pages = new Hono();
  pages.use(compressed);
  pages.get("/profiles", profilesPage(services));
  return pages;
}

function profilesPage({ config, derived, exporter, profiles }: ListServices) {
  const calendar = createCalendar(config.sessions);
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
    const format = chosen(c, "format", ["csv", "json"]);
    const isDownload = query.error === null && format !== undefined;
    const { interval } = screener;
    const services = { derived, profiles };
    if (query.error === null && isReadInterval(interval) && (await isDerived(services, interval))) {
      const screen = { filter, interval, clock };
      if (!isDownload) return derivedList(services, c, { ...screen, screener, page, pageSize: PAGE_SIZE });
      const matches = await derivedMatches(services, screen, true);
      const downloaded = matches.rows.slice(0, MAX_DOWNLOAD).map(({ entry }) => entry);
      const { sources, derived: rows } = derivedRows(interval, matches, downloaded);
      c.header("Content-Disposition", `attachment; filename="profiles.${format}"`);
      return streamProfiles(c, exporter, sources, {
        format,
        columns: format === "csv" ? csvColumns(query.columns, matches.found.columns, downloaded) : [],
        clock,
        derived: rows,
      });
    }
    const { entries, columns } =
      query.error === null ? await profiles.select(filter, clock) : { entries: [], columns: [] };
    if (isDownload) {
      const downloaded = entries.slice(0, MAX_DOWNLOAD);
      c.header("Content-Disposition", `attachment; filename="profiles.${format}"`);
      return streamProfiles(c, exporter, downloaded, {
        format,
        columns: format === "csv" ? csvColumns(query.columns, columns, downloaded) : [],
        clock,
      });
    }
    const shown = entries.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE);
    const healths = await profiles.healthsOf(shown, clock);
    const address = (to: number) => screenerAddress(screener, to > 1 ? { page: String(to) } : {});
    const view = {
      screener,
      derived: null,
      outdated: (await profiles.all()).filter(isOutdated).length,
      matching: entries.length,
      rows: shown.map((entry, at) => ({
        ...summaryOf(entry),
        health: healths[at]!,
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

/** The columns of the screen, or all features if it has none. */
function csvColumns(
  screened: readonly Column[],
  columns: readonly Float64Array[],
  entries: readonly Pick<ProfileEntry, "at">[],
) {
  if (screened.length === 0) return FEATURES.map(({ name }) => ({ name, values: null }));
  return screened.map(({ name }, at) => ({
    name,
    values: Float64Array.from(entries, (entry) => columns[at]![entry.at]!),
  }));
}
