/** @jsxImportSource hono/jsx */
/** `/search`: finds pages, symbols, runs, schedules and actions; a page, or the list of the command palette. */

import { type Context, Hono } from "hono";
import { maySend, type Scope } from "../domain/access.ts";
import { parseSymbol } from "../domain/market/symbol.ts";
import { runTitle } from "../domain/runs/run-title.ts";
import { ZONES } from "../domain/time.ts";
import { describeRow } from "../scheduler/runs/run-records.ts";
import { companiesNamed, searchCompanies } from "../storage/companies/companies.ts";
import type { Database } from "../storage/db.ts";
import { listRuns } from "../storage/runs/run-list.ts";
import type { RunRow } from "../storage/runs/runs.ts";
import { readSchedules } from "../storage/schedules.ts";
import { findRunSymbols, profilesOf } from "../storage/search.ts";
import { type Found, SearchPage, SearchResults, type SearchView, SymbolOptions } from "../views/search.tsx";
import { jobAddress, profileAddress } from "../views/ui/dom.ts";
import { NAVIGATION, type PageContext, THEME_TITLES, THEMES, ZONE_TITLES } from "../views/ui/layout.tsx";
import { localPath, wantsFragment } from "./page-context.ts";
import type { Services } from "./services.ts";

/** Longest search, characters. */
const MAX_QUERY = 100;
/** Most entries of a group. */
const SHOWN = 8;
/** Newest runs that are searched. */
const RECENT_RUNS = 50;

/** Pages that are not in the navigation. */
const MORE_PAGES: readonly { path: string; title: string; words: string }[] = [
  { path: "/settings/access", title: "Access and tokens", words: "api token password" },
  { path: "/hosts", title: "Hosts and workers", words: "machines queue redis postgres drain threads" },
  { path: "/quality", title: "Quality of the bars", words: "holes gaps health heat map providers" },
  { path: "/panel", title: "Panel of many symbols", words: "export download dataset labels features" },
  { path: "/snapshots", title: "Snapshots", words: "cite citation reproducible dataset compare" },
  { path: "/storage", title: "Storage", words: "space disk size bytes rows prune delete old bars" },
  { path: "/files", title: "Check a file of bars", words: "csv parquet import upload" },
  { path: "/alerts/channels", title: "Alert channels", words: "slack discord telegram ntfy webhook" },
  { path: "/settings#mail", title: "Mail server", words: "smtp settings" },
  { path: "/settings#backups", title: "Backups", words: "backup copy restore settings" },
  { path: "/settings#lake", title: "Lake", words: "parquet files bucket s3 settings" },
  { path: "/api/docs", title: "API documentation", words: "openapi http" },
];

export function searchRoutes({ db }: Pick<Services, "db">) {
  return new Hono().get("/search", async (c) => {
    const query = (c.req.query("q") ?? "").trim().slice(0, MAX_QUERY);
    const { page } = c.var;
    const view = { query, groups: await find(db, query, page), back: pageBehind(c) };
    // The same address is a page and a fragment: caches must keep them apart.
    c.header("Vary", "HX-Request");
    return c.html(wantsFragment(c) ? <SearchResults view={view} options /> : <SearchPage page={page} view={view} />);
  });
}

/** What completes a symbol that is typed: stored series first, then known companies. */
export function symbolRoutes({ db }: Pick<Services, "db">) {
  return new Hono().get("/symbols", async (c) => {
    const query = (c.req.query("q") ?? "").trim().slice(0, MAX_QUERY);
    if (query === "") return c.html("");
    const { companies } = await searchCompanies(db, { search: query, limit: SHOWN });
    const stored = await profilesOf(db, query.toUpperCase(), [], SHOWN);
    const symbols = [...new Set([...stored, ...companies].map(({ symbol }) => symbol))].slice(0, SHOWN);
    const names = await companiesNamed(db, symbols);
    const isStored = new Set(stored.map(({ symbol }) => symbol));
    const found = symbols.map((symbol) => ({ symbol, name: names.get(symbol) ?? "", isStored: isStored.has(symbol) }));
    return c.html(<SymbolOptions found={found} />);
  });
}

/** The page on which the palette was opened, or the search page itself. */
function pageBehind(c: Context): string {
  const current = c.req.header("HX-Current-URL");
  const { pathname, search } = new URL(current !== undefined && URL.canParse(current) ? current : c.req.url);
  return localPath(pathname + search);
}

async function find(db: Database, query: string, page: PageContext): Promise<SearchView["groups"]> {
  const scope = page.scope ?? "read";
  const [symbols, runs, schedules] = await Promise.all([
    query === "" ? [] : findSymbols(db, query, scope),
    findRuns(db, query),
    findSchedules(db, query),
  ]);
  const groups = [
    { title: "Pages", found: findPages(query, scope) },
    { title: "Symbols", found: symbols },
    { title: "Runs", found: runs },
    { title: "Schedules", found: schedules },
    { title: "Actions", found: findActions(query, page) },
  ];
  // A typed text is more likely a symbol than a page; an empty field lists the pages first.
  return query !== "" && symbols.length > 0 ? [groups[1]!, groups[0]!, ...groups.slice(2)] : groups;
}

/** Whether every word of the search begins a word of `text`. */
function matches(query: string, text: string): boolean {
  const words = text.toLowerCase().split(/[^\p{L}\p{N}.@-]+/u);
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((part) => words.some((word) => word.startsWith(part)));
}

function findPages(query: string, scope: Scope): Found[] {
  const places = [...NAVIGATION.map((place) => ({ ...place, words: "" })), ...MORE_PAGES];
  return places
    .filter(({ path }) => maySend(scope, "GET", path))
    .filter(({ title, words }) => matches(query, `${title} ${words}`))
    .map(({ path, title }) => ({ title, target: { href: path } }));
}

/** Profiles first, then known companies without a profile, then the typed symbol. */
async function findSymbols(db: Database, query: string, scope: Scope): Promise<Found[]> {
  const { companies } = await searchCompanies(db, { search: query, limit: SHOWN });
  const named = companies.map(({ symbol }) => symbol);
  const profiles = await profilesOf(db, query.toUpperCase(), named, SHOWN);
  const names = await companiesNamed(
    db,
    profiles.map(({ symbol }) => symbol),
  );
  const known = new Set(profiles.map(({ symbol }) => symbol));
  const typed = parseSymbol(query);
  const startable = maySend(scope, "POST", "/runs")
    ? [
        ...companies.filter(({ symbol }) => !known.has(symbol)).map(({ symbol, name }) => ({ symbol, name })),
        ...(typed === null || known.has(typed) || named.includes(typed) ? [] : [{ symbol: typed, name: "" }]),
      ]
    : [];
  return [
    ...profiles.map(({ symbol, interval }) => ({
      title: [symbol, names.get(symbol) ?? ""].join(" ").trim(),
      hint: `profile, ${interval}`,
      target: { href: profileAddress(symbol, interval) },
    })),
    ...startable.map(({ symbol, name }) => ({
      title: `${symbol} ${name}`.trim(),
      hint: "start a run",
      target: { href: `/?symbols=${encodeURIComponent(symbol)}` },
    })),
  ].slice(0, SHOWN);
}

async function findRuns(db: Database, query: string): Promise<Found[]> {
  const { rows } = await listRuns(db, {}, { limit: RECENT_RUNS });
  const titles = new Map(rows.map((row) => [row.id, titleOf(row)]));
  const named = rows.filter(({ id, state }) => matches(query, `run runs ${titles.get(id)} ${state} ${id}`));
  const symbol = parseSymbol(query);
  const jobs = symbol === null ? [] : await findRunSymbols(db, rows, symbol, SHOWN);
  return [
    ...named.map(({ id, state, createdAt }) => ({
      title: titles.get(id)!,
      hint: state,
      at: createdAt,
      target: { href: `/runs/${encodeURIComponent(id)}` },
    })),
    ...jobs.map(({ runId, symbol }) => ({
      title: `${symbol} in ${titles.get(runId)}`,
      at: rows.find(({ id }) => id === runId)!.createdAt,
      target: { href: jobAddress(runId, symbol) },
    })),
  ].slice(0, query === "" ? 5 : SHOWN);
}

const titleOf = (row: RunRow) => runTitle(describeRow(row));

async function findSchedules(db: Database, query: string): Promise<Found[]> {
  const schedules = await readSchedules(db);
  return schedules
    .filter(({ name }) => query !== "" && matches(query, `schedule schedules run now ${name}`))
    .slice(0, SHOWN)
    .map(({ id, name, enabled }) => ({
      title: name,
      hint: enabled ? "run now, pause or change" : "paused: enable, run now or change",
      target: { href: `/schedules/${id}` },
    }));
}

function findActions(query: string, page: PageContext): Found[] {
  const actions: Found[] = [
    ...THEMES.filter((theme) => theme !== page.theme).map((theme) => ({
      title: THEME_TITLES[theme],
      target: { action: "/theme", name: "theme", value: theme },
    })),
    ...ZONES.filter((zone) => zone !== page.zone).map((zone) => ({
      title: `Times in ${ZONE_TITLES[zone]}`,
      target: { action: "/zone", name: "zone", value: zone },
    })),
    ...(page.signedIn === null
      ? []
      : [{ title: "Sign out", target: { action: "/logout", name: "sign", value: "out" } }]),
  ];
  return actions.filter(({ title }) => matches(query, `${title} time zone theme`));
}
