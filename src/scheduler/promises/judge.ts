/** What came of a deadline: judged once, also long afterwards, from what proves it. */

import type { PromiseEvent } from "../../domain/alerts.ts";
import { type FreshnessPromise, NAMED_SYMBOLS, outcomeOf, type PromiseResult } from "../../domain/promises/promise.ts";
import { wasFilledAfter } from "../../storage/promises/freshness.ts";
import {
  type Freshness,
  type FreshnessDependencies,
  gapDaysOf,
  type KnownArrivals,
  readFreshness,
  readGaps,
} from "./freshness.ts";

/** A deadline that is judged later than this (ms) is judged from arrivals alone: what was planned then is not known. */
const LATE_MS = 5 * 60_000;

/** The result of a deadline that has passed. @param why what was forecast before it; empty if that is not known */
export async function judge(
  dependencies: FreshnessDependencies,
  promise: FreshnessPromise,
  { deadline, now, known, why }: { deadline: number; now: number; known: KnownArrivals; why: string },
): Promise<PromiseResult> {
  const { db } = dependencies;
  const freshness = await readFreshness(dependencies, promise, deadline, { known, by: deadline });
  const { open, confirmed } = await readGaps(db, freshness.seriesIds, promise, deadline);
  const found = open + confirmed;
  // What was fetched since may have filled gaps that there were at the deadline; it can have made no more of them.
  const days = gapDaysOf(promise, deadline);
  const mayBeFilled =
    now - deadline > LATE_MS &&
    found <= promise.maxGaps &&
    (await wasFilledAfter(db, freshness.seriesIds, days, deadline));
  const gaps = mayBeFilled ? null : found;
  const { total, fresh, missing, unknown } = freshness;
  const outcome = outcomeOf(freshness, gaps, promise.maxGaps);
  return {
    ...{ deadline, outcome, judgedAt: now, total, fresh, missing, unknown, gaps, recoveredAt: null },
    symbols: freshness.missingSymbols.slice(0, NAMED_SYMBOLS).map(({ symbol }) => symbol),
    note: noteOf(promise, freshness, gaps, { outcome, why, isLate: now - deadline > LATE_MS }),
  };
}

const symbols = (count: number) => `${count.toLocaleString("en-US")} ${count === 1 ? "symbol" : "symbols"}`;

/** Why a deadline was missed, or why that is not known; in one sentence without a full stop. */
function noteOf(
  { maxGaps }: FreshnessPromise,
  { total, missing, unknown }: Freshness,
  gaps: number | null,
  { outcome, why, isLate }: { outcome: PromiseResult["outcome"]; why: string; isLate: boolean },
): string {
  if (outcome === "kept") return "";
  const parts: string[] = [];
  if (total === 0) parts.push("it is about no symbol");
  if (missing > 0) {
    const cause = why !== "" ? `: ${why}` : isLate ? ", as was found later" : "";
    parts.push(`${symbols(missing)} of ${total.toLocaleString("en-US")} lacked the last bar${cause}`);
  }
  if (gaps !== null && gaps > maxGaps) parts.push(`${gaps} gaps, at most ${maxGaps} allowed`);
  if (outcome === "unknown" && unknown > 0)
    parts.push(`nothing proves what ${symbols(unknown)} had: no calendar, or no record of when the bar arrived`);
  if (outcome === "unknown" && gaps === null) parts.push("gaps may have been filled since");
  return parts.join("; ");
}

/** What is reported of a deadline. */
export function eventOf(
  kind: PromiseEvent["kind"],
  { id, name }: FreshnessPromise,
  result: Pick<PromiseResult, "deadline" | "total" | "missing" | "symbols">,
  { at, reason }: { readonly at: number; readonly reason: string },
): PromiseEvent {
  const { deadline, total, missing, symbols: named } = result;
  return { kind, at, promiseId: id, name, deadline, total, missing, symbols: named, reason };
}
