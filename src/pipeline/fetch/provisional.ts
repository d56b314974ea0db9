/** Bars that are fetched before they are final: the vendor goes on changing them, and a change is no revision. */

import type { BarColumns } from "../../domain/market/bars.ts";
import type { Span } from "../../domain/runs/batch-plan.ts";
import type { JobContext } from "../job-context.ts";

/**
 * The earliest provisional bar of the series once `bars` are stored as the answer for `batch` (`null`: none);
 * `undefined` if that stays as it is.
 */
export function provisionalFrom(
  { task, stored }: JobContext,
  batch: Span,
  { ts }: BarColumns,
  finalAt: (ts: number) => number,
): number | null | undefined {
  const before = stored.provisionalFrom;
  let first: number | null = null;
  for (let at = ts.length - 1; at >= 0 && finalAt(ts[at]!) > task.asOf; at--) first = ts[at]!;
  const isAnswered = before !== null && before >= batch.from && before < batch.to && ts.includes(before);
  const now = before === null || isAnswered ? first : Math.min(before, first ?? before);
  return now === before ? undefined : now;
}
