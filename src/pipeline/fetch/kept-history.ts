/** What a job may fetch of a series whose older bars were deleted by choice. */

import { isoDate } from "../../domain/time.ts";
import type { SymbolIo } from "../job-context.ts";
import type { SymbolTask } from "../messages.ts";

/**
 * The task without what is not kept of its series. What is still to be deleted is deleted first. A run that names an earlier
 * first day, and was requested after the deletion, asks for those bars again.
 * @throws Stopped if the job is stopped meanwhile
 */
export async function keptTask(
  task: SymbolTask,
  io: SymbolIo,
  series: number,
): Promise<SymbolTask & { readonly keptFrom: number }> {
  const { keptFrom, prunedAt, isPruning } = await io.store.readSeries(series);
  if (keptFrom === null) return { ...task, keptFrom: 0 };
  if (isPruning) {
    io.log("info", `bars before ${isoDate(keptFrom)} are deleted first`);
    for (let since = performance.now(); !(await io.store.pruneSeries(series)); since = performance.now()) {
      // Other writers have their turn for as long as the step took.
      await Bun.sleep(performance.now() - since);
      io.signal.throwIfAborted();
    }
  }
  const { mode, dated, rangeFrom, asOf } = task;
  if (rangeFrom >= keptFrom) return { ...task, keptFrom };
  if (mode === "full" && dated && (asOf + 1) * 1_000 > (prunedAt ?? 0)) {
    await io.store.keepFrom(series, rangeFrom);
    io.log("info", `bars from ${isoDate(rangeFrom)} on are kept again: the run names that day`);
    return { ...task, keptFrom: rangeFrom };
  }
  io.log("info", `bars before ${isoDate(keptFrom)} were deleted by choice: nothing before it is requested`);
  return { ...task, rangeFrom: keptFrom, keptFrom };
}
