/** @jsxImportSource hono/jsx */
/** The screener at an interval at which nothing is stored: values derived from the bars of a shorter one. */

import type { Context } from "hono";
import type { ReadInterval } from "../../domain/market/interval.ts";
import { HEALTHS, type Health, type HealthClock } from "../../domain/profiles/health.ts";
import { FEATURE_COUNT } from "../../features/catalog.ts";
import type { DerivedSelection } from "../../pipeline/analysis/derived-profiles.ts";
import type { DerivedRows } from "../../pipeline/exports/export-profiles.ts";
import type { ProfileEntry } from "../../storage/profiles/profile-rows.ts";
import type { ProfileQuery } from "../../storage/profiles/select-profiles.ts";
import { ProfilesPage } from "../../views/profiles/profile-list.tsx";
import { type ScreenerView, screenerAddress } from "../../views/profiles/screener.tsx";
import type { Command } from "../../views/ui/copy-as.tsx";
import type { Services } from "../services.ts";
import { summaryOf } from "./summary.ts";

type DerivedServices = Pick<Services, "derived" | "profiles">;

interface DerivedScreen {
  readonly filter: Omit<ProfileQuery, "interval">;
  readonly interval: ReadInterval;
  readonly clock: HealthClock;
}

type DerivedEntry = ProfileEntry<ReadInterval>;

export interface DerivedMatches {
  readonly found: DerivedSelection;
  /** Sorted. */
  readonly rows: readonly { readonly entry: DerivedEntry; readonly health: Health }[];
}

/** Whether profiles at the interval are derived: none is stored, and there are shorter ones. */
export async function isDerived({ derived, profiles }: DerivedServices, interval: ReadInterval): Promise<boolean> {
  const isStored = (await profiles.all()).some((entry) => entry.interval === interval);
  return !isStored && (await derived.sourcesOf(interval)).length > 0;
}

/**
 * The derived profiles that match, of all symbols (`whole`) or of those that are computed within a moment.
 * @throws Refusal if all are wanted and take too long
 */
export async function derivedMatches(
  { derived, profiles }: DerivedServices,
  { filter, interval, clock }: DerivedScreen,
  extent: "whole" | "computed",
): Promise<DerivedMatches> {
  const { where, search = "", columns = [], healths = [], sort } = filter;
  const byHealth = sort !== undefined && "column" in sort && sort.column === "health";
  const query = { interval, search, where, columns, sort: byHealth ? undefined : sort };
  const found = await (extent === "whole" ? derived.selectWhole(query) : derived.select(query));
  // The health is that of the stored bars.
  const known = await profiles.healthsOf(found.entries.map(found.sourceOf), clock);
  const rows = found.entries
    .map((entry, at) => ({ entry, health: known[at]! }))
    .filter(({ health }) => healths.length === 0 || healths.includes(health));
  if (!byHealth) return { found, rows };
  const sign = sort.descending ? -1 : 1;
  const rankOf = ({ health }: { readonly health: Health }) => sign * HEALTHS.indexOf(health);
  return { found, rows: rows.toSorted((a, b) => rankOf(a) - rankOf(b)) };
}

/** Some derived profiles for the export thread, with the stored ones behind them. */
export function derivedRows(interval: ReadInterval, { found }: DerivedMatches, entries: readonly DerivedEntry[]) {
  const values = new Float64Array(entries.length * FEATURE_COUNT);
  const rows = entries.map((entry, at) => {
    const { values: own, lastClose, partial } = found.detailsOf(entry);
    values.set(own, at * FEATURE_COUNT);
    return { firstBar: entry.firstBar, lastBar: entry.lastBar, lastClose, partial };
  });
  const derived: DerivedRows = { interval, sources: found.sources, rows, values, failed: found.failed };
  return { sources: entries.map(found.sourceOf), derived };
}

interface Shown extends DerivedScreen {
  readonly screener: ScreenerView;
  readonly page: number;
  readonly pageSize: number;
  readonly commands: readonly Command[];
}

/** The page; it says how many symbols are computed. */
export async function derivedList(services: DerivedServices, c: Context, shown: Shown): Promise<Response> {
  const { screener, interval, page, pageSize, commands } = shown;
  const { found, rows } = await derivedMatches(services, shown, "computed");
  const { sources, done, total, failed } = found;
  const address = (to: number) => screenerAddress(screener, to > 1 ? { page: String(to) } : {});
  const view = {
    screener,
    commands,
    derived: { interval, sources, done, total, failed },
    again: address(page),
    outdated: 0,
    matching: rows.length,
    rows: rows.slice((page - 1) * pageSize, page * pageSize).map(({ entry, health }) => ({
      ...summaryOf(entry),
      health,
      // The page of each says it.
      drift: null,
      partial: found.detailsOf(entry).partial,
      values: found.columns.map((values) => (Number.isNaN(values[entry.at]) ? null : values[entry.at]!)),
    })),
    pages: {
      before: page > 1 ? address(page - 1) : null,
      after: rows.length > page * pageSize ? address(page + 1) : null,
    },
  };
  return c.html(<ProfilesPage page={c.var.page} view={view} />);
}
