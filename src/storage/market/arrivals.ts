/**
 * When bars were first seen. A line of the ledger says it for all bars that its window brought: the moment it was first
 * answered. What arrives in a window that was answered before (a hole that is filled, a bar that was put aside) is
 * recorded here as well, as stretches in which all bars that are stored arrived at one moment: the latest counts.
 */

import type { BarColumns } from "../../domain/market/bars.ts";
import type { Database, Statement } from "../db.ts";
import { barsIdSql } from "./bars.ts";

/** Half open, epoch seconds. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** The stretches of `fresh` bars between which none of the `known` ones lies; both ascend and share no time. */
export function stretchesOf(fresh: ArrayLike<number>, known: ArrayLike<number>): Stretch[] {
  const found: { from: number; to: number }[] = [];
  let at = 0;
  let before = -1;
  for (let i = 0; i < fresh.length; i++) {
    const ts = fresh[i]!;
    while (at < known.length && known[at]! < ts) at += 1;
    if (found.length > 0 && at === before) found[found.length - 1]!.to = ts + 1;
    else found.push({ from: ts, to: ts + 1 });
    before = at;
  }
  return found;
}

const COVERED = `from_ts < j.value ->> 1 AND to_ts > j.value ->> 0`;
/** A bar that comes back arrives no earlier than it was removed, also by a clock that was set back (see revisions.ts). */
const ARRIVED = `max(?3, coalesce((SELECT max(seen_at) FROM bar_revisions WHERE series_id = ?1 AND kind = 'withdrawn'
AND ts >= j.value ->> 0 AND ts < j.value ->> 1), 0))`;
const ADD = `INSERT OR IGNORE INTO arrivals (series_id, from_ts, to_ts, seen_at, is_window)
SELECT ?1, j.value ->> 0, j.value ->> 1, ${ARRIVED}, 0 FROM json_each(?2) j WHERE`;
const ADD_LATE = `${ADD} EXISTS (SELECT 1 FROM batches WHERE series_id = ?1 AND status <> 'failed' AND ${COVERED})
OR EXISTS (SELECT 1 FROM arrivals WHERE series_id = ?1 AND ${COVERED})`;

/**
 * The statement that records when stretches of new bars were seen (epoch milliseconds), as far as the ledger would say
 * otherwise. It comes before the ledger line of the same write.
 */
export function recordArrivals(seriesId: number, seenAt: number, stretches: readonly Stretch[]): Statement[] {
  if (stretches.length === 0) return [];
  const spans = JSON.stringify(stretches.map(({ from, to }) => [from, to]));
  return [{ sql: ADD_LATE, args: [seriesId, spans, seenAt] }];
}

/** Each bar of `bars` as a stretch of its own: what lies beside it is not known. */
export const singly = ({ ts }: BarColumns): Stretch[] => [...ts].map((from) => ({ from, to: from + 1 }));

const STARTS = `SELECT ts FROM bars WHERE series_id = ${barsIdSql()} AND ts >= ?2 ORDER BY ts LIMIT ?3`;

/** The starts of at most `count` bars of a series from `from` (epoch seconds) on, ascending. */
export async function readStarts(db: Database, seriesId: number, from: number, count: number): Promise<Float64Array> {
  const rows = await db.rows(STARTS, [seriesId, from, count]);
  return Float64Array.from(rows as [number][], ([ts]) => ts);
}

/**
 * The statements that keep what the ledger of `seriesId` says of `from` <= ts < `to`, before a rebuild replaces it by that
 * of `staging` and adds bars; `now` in epoch milliseconds.
 */
export function keepArrivals(
  { seriesId, staging, from, to }: { seriesId: number; staging: number; from: number; to: number },
  added: readonly Stretch[],
  now: number,
): Statement[] {
  const spans = JSON.stringify(added.map((stretch) => [stretch.from, stretch.to]));
  return [
    {
      sql: `INSERT OR IGNORE INTO arrivals (series_id, from_ts, to_ts, seen_at, is_window)
SELECT series_id, from_ts, to_ts, coalesce(first_at, fetched_at), 1 FROM batches
WHERE series_id = ?1 AND from_ts >= ?2 AND to_ts <= ?3 AND status <> 'failed'`,
      args: [seriesId, from, to],
    },
    { sql: `${ADD} true`, args: [seriesId, spans, now] },
    { sql: "DELETE FROM arrivals WHERE series_id = ?1", args: [staging] },
    // Nobody saw the bars of the new history before.
    { sql: "UPDATE batches SET first_at = ?2 WHERE series_id = ?1", args: [staging, now] },
  ];
}
