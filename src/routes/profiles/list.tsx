/** @jsxImportSource hono/jsx */
/** `/profiles`: all profiles or those that match a screen, as a page or (`format=csv|json`) as a download. */

import { type Context, Hono } from "hono";
import Papa from "papaparse";
import { createCalendar } from "../../domain/market/calendar.ts";
import { healthClock } from "../../domain/profiles/health.ts";
import { profileToWire } from "../../domain/profiles/profile.ts";
import { CATALOG_VERSION, FEATURE_COUNT, FEATURES } from "../../features/catalog.ts";
import { countMatching, listProfiles, outdatedProfiles } from "../../storage/profiles/profiles.ts";
import { type ProfileSummary, ProfilesPage } from "../../views/profiles/profile-list.tsx";
import { screenerAddress } from "../../views/profiles/screener.tsx";
import { compressed } from "../compression.ts";
import type { Services } from "../services.ts";
import { profilesAsked } from "./list-query.ts";

const PAGE_SIZE = 200;
/** Most profiles in a download: more symbols than one run may have, at every interval. */
const MAX_DOWNLOAD = 50_000;

export function profileListRoutes(services: Pick<Services, "config" | "db">) {
  const pages = new Hono();
  pages.use(compressed);
  pages.get("/profiles", profilesPage(services));
  return pages;
}

function profilesPage({ db, config }: Pick<Services, "config" | "db">) {
  const calendar = createCalendar(config.sessions);
  return async (c: Context): Promise<Response> => {
    const { query, filter, screener } = profilesAsked((name) => c.req.query(name));
    const feature = (c.req.query("feature") ?? "").trim().slice(0, 80);
    if (feature !== "") {
      const [sign, than] = [c.req.query("sign") ?? "", c.req.query("than") ?? ""].map((text) => text.slice(0, 80));
      const added = `${feature} ${sign} ${than}`.trim();
      const { where } = screener;
      const whole = where === "" ? added : `${/\bor\b/i.test(where) ? `(${where})` : where} and ${added}`;
      return c.redirect(screenerAddress({ ...screener, where: whole }), 303);
    }
    const clock = healthClock(calendar, Date.now());
    const format = c.req.query("format");
    if (query.error === null && (format === "csv" || format === "json")) {
      const found = await listProfiles(db, { ...filter, limit: MAX_DOWNLOAD }, clock);
      return format === "json" ? answerJson(c, found) : answerCsv(c, found, query.features);
    }
    const page = Math.min(10_000, Math.max(1, Math.trunc(Number(c.req.query("page"))) || 1));
    const range = { limit: PAGE_SIZE + 1, offset: (page - 1) * PAGE_SIZE };
    const found = query.error === null ? await listProfiles(db, { ...filter, ...range }, clock) : [];
    const more = found.length > PAGE_SIZE;
    const address = (to: number) => screenerAddress(screener, to > 1 ? { page: String(to) } : {});
    const groups = await outdatedProfiles(db, String(CATALOG_VERSION));
    const view = {
      screener: screener,
      outdated: groups.reduce((sum, { symbols }) => sum + symbols.length, 0),
      // Counted only if the page does not show them all.
      matching: page === 1 && !more ? found.length : query.error === null ? await countMatching(db, filter, clock) : 0,
      rows: found.slice(0, PAGE_SIZE).map((profile) => ({
        ...summaryOf(profile),
        health: profile.health,
        values: query.features.map((name) => profile.features[name] ?? null),
      })),
      pages: { before: page > 1 ? address(page - 1) : null, after: more ? address(page + 1) : null },
    };
    return c.html(<ProfilesPage page={c.var.page} view={view} />, query.error === null ? 200 : 422);
  };
}

type ListedProfile = Awaited<ReturnType<typeof listProfiles>>[number];

function answerJson(c: Context, found: readonly ListedProfile[]): Response {
  c.header("Content-Disposition", 'attachment; filename="profiles.json"');
  return c.json({ profiles: found.map((profile) => ({ ...profileToWire(profile), health: profile.health })) });
}

/** The features used in the screen, or all of them if it uses none. */
function answerCsv(c: Context, found: readonly ListedProfile[], screened: readonly string[]): Response {
  const features = screened.length > 0 ? screened : FEATURES.map(({ name }) => name);
  const rows = found.map((profile) => {
    const { symbol, interval, provider, first_bar, last_bar } = profileToWire(profile);
    const values = features.map((name) => profile.features[name] ?? "");
    return [symbol, interval, provider, profile.health, first_bar, last_bar, ...values];
  });
  const fields = ["symbol", "interval", "provider", "health", "first_bar", "last_bar", ...features];
  c.header("Content-Disposition", 'attachment; filename="profiles.csv"');
  return c.body(`${Papa.unparse([fields, ...rows])}\r\n`, 200, { "Content-Type": "text/csv; charset=utf-8" });
}

/** The summary of a profile for lists and page heads. */
export const summaryOf = (profile: Omit<ListedProfile, "health">): ProfileSummary => ({
  symbol: profile.symbol,
  interval: profile.interval,
  provider: profile.provider,
  firstBar: profile.firstBar,
  lastBar: profile.lastBar,
  bars: profile.backfill.history_rows,
  known: Object.values(profile.features).filter((value) => value !== null).length,
  features: FEATURE_COUNT,
  updatedAt: profile.updatedAt,
});
