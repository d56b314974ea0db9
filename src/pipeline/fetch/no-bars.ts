/** Why a job ends without bars: in one line, from what is stored of its requests. */

import { isoDate, isoDates } from "../../domain/time.ts";
import type { JobContext } from "../job-context.ts";

/** `AAPL.csv:17` is row 17 of that file; a place that is a time is written as it is. */
function describeRow(place: string, reason: string): string {
  const parts = /^(.+):(\d+)$/.exec(place);
  return parts ? `row ${parts[2]}: ${reason}; ${parts[1]}` : `row ${place}: ${reason}`;
}

/** The message of a job that has no bars at its end. It says no more than what was answered. */
export async function explainNoBars(job: JobContext): Promise<string> {
  const { io, task, notFinal, holds, series, market, keptFrom } = job;
  const { symbol, interval, rangeFrom, rangeTo, asOf } = task;
  if (task.mode === "reprocess") return `nothing is stored of ${symbol} at ${interval}: a full run fetches it first`;
  const { rejected, first, batches } = await io.store.answersOfRun(series, task.runId);
  const open = `${notFinal} ${notFinal === 1 ? "bar has" : "bars have"} not ended yet`;
  if (first !== null) {
    const all = rejected + notFinal;
    return `${rejected} of ${all} rows refused${notFinal > 0 ? `, ${open}` : ""}: ${describeRow(first.place, first.reason)}`;
  }
  const { title } = io.provider;
  const later = "; a run after the close stores them";
  if (notFinal > 0) return `${title}: ${symbol}: ${open}${later}`;
  const range = isoDates(rangeFrom, rangeTo - 1);
  // The range is shorter than the run's then, and nothing is wrong with the provider.
  const pruned =
    keptFrom > 0 && rangeFrom === keptFrom
      ? `; bars before ${isoDate(keptFrom)} were deleted by choice: a full run from an earlier day fetches them again`
      : "";
  const sessions = io.calendar.sessionsBetween(market, rangeFrom, rangeTo);
  if (sessions.length === 0) return `${symbol}: the exchange has no session in ${range}${pruned}`;
  if (sessions.every(({ open }) => open >= asOf)) return `${symbol}: no session of ${range} has begun${later}${pruned}`;
  const leftOut = batches.get("not_in_plan") ?? 0;
  const answered = [...batches.values()].reduce((sum, count) => sum + count, 0) - leftOut;
  if (leftOut > 0 && answered === 0) return `${symbol}: ${range} is not in the plan of ${title}`;
  const rest = leftOut > 0 ? `; ${leftOut} of ${leftOut + answered} batches are not in its plan` : "";
  return `${title} has no bars of ${symbol} in ${range}${rest}${holds ? `; ${holds}` : ""}${pruned}`;
}
