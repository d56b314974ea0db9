/** What came of the requests of a run for a series: its rejected rows and its batches by status. */

import type { Database } from "../db.ts";

export interface RunAnswers {
  readonly rejected: number;
  /** The first rejected row of the source. */
  readonly first: { readonly place: string; readonly reason: string } | null;
  /** Batches by status. */
  readonly batches: ReadonlyMap<string, number>;
}

// Not all of very many are kept one by one.
const REJECTED = "SELECT coalesce(sum(rejected), 0) FROM batches WHERE series_id = ? AND run_id = ?";
// Places of one file differ in their line numbers only: the shorter one comes first.
const FIRST = `SELECT place, reason FROM rejected_bars WHERE series_id = ? AND run_id = ?
ORDER BY length(place), place LIMIT 1`;
const BATCHES = "SELECT status, count(*) FROM batches WHERE series_id = ? AND run_id = ? GROUP BY status";

export async function answersOfRun(db: Database, seriesId: number, runId: string): Promise<RunAnswers> {
  const own = [seriesId, runId];
  const [[rejected], [first], batches] = await Promise.all([
    db.rows(REJECTED, own),
    db.rows(FIRST, own),
    db.rows(BATCHES, own),
  ]);
  return {
    rejected: Number(rejected![0]),
    first: first === undefined ? null : { place: String(first[0]), reason: String(first[1]) },
    batches: new Map(batches.map(([status, count]) => [String(status), Number(count)])),
  };
}
