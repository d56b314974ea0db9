/** Is the history behind a profile whole? Judged by the coverage ledger, never by the bars alone. */

import { uncovered } from "../domain/runs/batch-plan.ts";
import { answeredWindows } from "../storage/runs/batches.ts";
import type { Work } from "./work.ts";

/** True if the provider answered every day of the run's range, or, for a longer history, of all that was ever asked. */
export async function isHistoryComplete({ io, series, task }: Work): Promise<boolean> {
  const answered = await answeredWindows(io.db, series);
  const from = Math.min(
    task.mode === "full" ? task.rangeFrom : Number.POSITIVE_INFINITY,
    ...answered.map((w) => w.from),
  );
  const to = Math.max(task.mode === "full" ? task.rangeTo : Number.NEGATIVE_INFINITY, ...answered.map((w) => w.to));
  return from < to && uncovered({ from, to }, answered).length === 0;
}
