/** @jsxImportSource hono/jsx */
/** The screener at an interval at which nothing is stored: values derived from the bars of a shorter one. */

import type { Context } from "hono";
import type { ReadInterval } from "../../domain/market/interval.ts";
import type { HealthClock } from "../../domain/profiles/health.ts";
import type { ProfileQuery } from "../../storage/profiles/select-profiles.ts";
import { ProfilesPage } from "../../views/profiles/profile-list.tsx";
import { type ScreenerView, screenerAddress } from "../../views/profiles/screener.tsx";
import type { Services } from "../services.ts";
import { summaryOf } from "./summary.ts";

/** Rows on the page. */
const MOST = 200;

interface Screened {
  readonly filter: ProfileQuery;
  readonly screener: ScreenerView;
  readonly interval: ReadInterval;
  readonly clock: HealthClock;
}

/** The page; `null` if profiles are stored at the interval, or none can be derived. */
export async function derivedList(
  { derived, profiles }: Pick<Services, "derived" | "profiles">,
  c: Context,
  { filter, screener, interval, clock }: Screened,
): Promise<Response | null> {
  const isStored = (await profiles.all()).some((entry) => entry.interval === interval);
  if (isStored || (await derived.sourcesOf(interval)).length === 0) return null;
  const { where, search = "", columns = [], healths = [] } = filter;
  // The health is that of the stored bars, of which the values are not kept: such a list is in the order of symbols.
  const sort =
    filter.sort !== undefined && "column" in filter.sort && filter.sort.column === "health" ? undefined : filter.sort;
  const found = await derived.select({ interval, search, where, columns, sort });
  const known = await profiles.healthsOf(found.entries.map(found.sourceOf), clock);
  const rows = found.entries
    .map((entry, at) => ({ entry, health: known[at]! }))
    .filter(({ health }) => healths.length === 0 || healths.includes(health));
  const { sources, done, total, failed } = found;
  const view = {
    screener,
    derived: { interval, sources, done, total, failed, again: screenerAddress(screener) },
    outdated: 0,
    matching: rows.length,
    rows: rows.slice(0, MOST).map(({ entry, health }) => ({
      ...summaryOf(entry),
      health,
      values: found.columns.map((values) => (Number.isNaN(values[entry.at]) ? null : values[entry.at]!)),
    })),
    pages: { before: null, after: null },
  };
  return c.html(<ProfilesPage page={c.var.page} view={view} />);
}
