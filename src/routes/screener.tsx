/** @jsxImportSource hono/jsx */
/** `/profiles`: all profiles, or those that a screen finds, as a page or (`format=csv|json`) as a download. */

import type { Context } from "hono";
import Papa from "papaparse";
import { profileToWire } from "../domain/profile.ts";
import { CATALOG_VERSION, FEATURE_COUNT, FEATURES } from "../features/catalog.ts";
import type { Database } from "../storage/db.ts";
import { listProfiles, outdatedProfiles } from "../storage/profiles.ts";
import type { Frame } from "../views/layout.tsx";
import { type ProfileSummary, ProfilesPage } from "../views/profiles.tsx";
import { type ScreenView, screenAddress } from "../views/screener.tsx";
import { frameOf } from "./frame.ts";
import { type ScreenQuery, screenOf } from "./screen-query.ts";

const PAGE_SIZE = 200;
/** Most profiles in a download: more symbols than one run may have, at every interval. */
const MAX_DOWNLOAD = 50_000;
const NAMES = FEATURES.map(({ name }) => name);

export async function answerProfiles(c: Context, db: Database, assets: Frame["assets"]): Promise<Response> {
  const asked = (name: string, longest: number) => (c.req.query(name) ?? "").trim().slice(0, longest);
  const where = asked("where", 2_000);
  const sort = asked("sort", 80);
  const feature = asked("feature", 80);
  if (feature !== "") {
    const added = `${feature} ${asked("sign", 2)} ${asked("than", 80)}`;
    const whole = where === "" ? added : `${/\bor\b/i.test(where) ? `(${where})` : where} and ${added}`;
    return c.redirect(screenAddress({ where: whole, sort, wrong: null, columns: [], names: [] }), 303);
  }
  const query = screenOf(where, sort);
  const wrong = query.wrong?.message ?? null;
  const screen: ScreenView = { where, sort, wrong, columns: query.features, names: NAMES };
  const format = c.req.query("format");
  if (query.wrong === null && (format === "csv" || format === "json")) return download(c, db, query, format);
  const page = Math.min(10_000, Math.max(1, Math.trunc(Number(c.req.query("page"))) || 1));
  const offset = (page - 1) * PAGE_SIZE;
  const found = wrong === null ? await find(db, query, PAGE_SIZE + 1, offset) : [];
  const address = (to: number) => screenAddress(screen, to > 1 ? { page: String(to) } : {});
  const groups = await outdatedProfiles(db, String(CATALOG_VERSION));
  const view = {
    screen,
    outdated: groups.reduce((sum, { symbols }) => sum + symbols.length, 0),
    rows: found.slice(0, PAGE_SIZE).map((profile) => ({ ...summaryOf(profile), values: valuesOf(profile, query) })),
    pages: { before: page > 1 ? address(page - 1) : null, after: found.length > PAGE_SIZE ? address(page + 1) : null },
  };
  return c.html(<ProfilesPage frame={frameOf(c, assets)} view={view} />, wrong === null ? 200 : 422);
}

type StoredProfile = Awaited<ReturnType<typeof listProfiles>>[number];

const find = (db: Database, { condition, sort }: ScreenQuery, limit: number, offset = 0) =>
  listProfiles(db, { where: condition, sort, limit, offset });

const valuesOf = (profile: StoredProfile, { features }: ScreenQuery) =>
  features.map((name) => profile.features[name] ?? null);

/** What the page shows without pages; without a screen the CSV has every feature. */
async function download(c: Context, db: Database, query: ScreenQuery, format: "csv" | "json"): Promise<Response> {
  const found = await find(db, query, MAX_DOWNLOAD);
  c.header("Content-Disposition", `attachment; filename="profiles.${format}"`);
  if (format === "json") return c.json({ profiles: found.map(profileToWire) });
  const features = query.features.length > 0 ? query.features : NAMES;
  const rows = found.map((profile) => {
    const { symbol, interval, provider, first_bar, last_bar } = profileToWire(profile);
    return [symbol, interval, provider, first_bar, last_bar, ...features.map((name) => profile.features[name] ?? "")];
  });
  const fields = ["symbol", "interval", "provider", "first_bar", "last_bar", ...features];
  return c.body(`${Papa.unparse([fields, ...rows])}\r\n`, 200, { "Content-Type": "text/csv; charset=utf-8" });
}

/** A profile as lists and pages head it. */
export const summaryOf = (profile: StoredProfile): ProfileSummary => ({
  symbol: profile.symbol,
  interval: profile.interval,
  provider: profile.provider,
  firstBar: profile.firstBar,
  lastBar: profile.lastBar,
  bars: profile.backfill.history_rows,
  known: Object.values(profile.features).filter((value) => value !== null).length,
  features: FEATURE_COUNT,
  complete: profile.backfill.history_complete,
  updatedAt: profile.updatedAt,
});
