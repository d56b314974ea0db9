/** A history fetched anew beside the old one, which stays until the new one is whole: then they change places at once. */

import { ProviderError } from "../domain/errors.ts";
import { DAY } from "../domain/interval.ts";
import { countBars, readBars } from "../storage/bars.ts";
import { answeredWindows } from "../storage/coverage.ts";
import type { RevisionKind } from "../storage/schema.ts";
import { compareStaging, findStaging, openStaging, swapStaging } from "../storage/staging.ts";
import { type FactorFound, fetchBatches } from "./fetch.ts";
import { planBatches, type Span, uncovered } from "./plan.ts";
import type { Work } from "./work.ts";

/** The new history may lack this share of the stored bars: a vendor does withdraw some. More is suspicious. */
const LOSS = 0.02;

/** Is the job in the middle of a rebuild that it began before a stop? */
export async function isRebuilding({ io, task, series }: Work): Promise<boolean> {
  return (await findStaging(io.db, series, task.runId)) !== undefined;
}

/** Fetches the range of the run anew and puts it in the place of what is stored for it. */
export async function rebuildRange(work: Work): Promise<void> {
  await rebuild(work, { from: work.task.rangeFrom, to: work.task.rangeTo }, "rebuild");
}

/**
 * Fetches all that is stored, and the range of the run, anew: after a factor was found, older bars and newer ones do
 * not belong together.
 */
export async function rebuildSeries(work: Work, found?: FactorFound): Promise<void> {
  const { io, task, series } = work;
  if (found) {
    const { kind, factor } = found;
    io.log(
      "warn",
      `${kind} found: the vendor multiplied older prices by ${factor.toFixed(6)}; the series is built anew`,
    );
  }
  const first = (await readBars(io.db, series, 0, Number.MAX_SAFE_INTEGER, 1)).ts[0];
  const from = Math.min(task.rangeFrom, Math.floor((first ?? task.rangeFrom) / DAY) * DAY);
  await rebuild(work, { from, to: task.rangeTo }, found?.kind ?? "rebuild");
}

/** @throws ProviderError when the new history could not be had or is no match for the old one, which then stays */
async function rebuild(work: Work, range: Span, kind: RevisionKind): Promise<void> {
  const { io, task, series: seriesId } = work;
  const { runId } = task;
  const batches = planBatches(range.from, range.to, task.batchDays);
  // Swapped before a stop, or nothing stored to be kept: the ledger of the series itself says what is left to do.
  const isSwapped = uncovered(range, await answeredWindows(io.db, seriesId, runId)).length === 0;
  if (isSwapped) return;
  const staging = await openStaging(io.db, seriesId, runId);
  work.dataPoints = await countBars(io.db, staging, task.rangeFrom, task.rangeTo);
  const known = await answeredWindows(io.db, staging, runId);
  await fetchBatches(work, { provider: io.provider, series: staging, into: "build" }, batches, known);

  const { from, to } = range;
  const { fresh, lost, stored } = await compareStaging(io.db, seriesId, staging, from, to);
  if (lost > Math.max(1, LOSS * stored)) {
    throw new ProviderError(
      "no_data",
      `The new history lacks ${lost} of the ${stored} stored bars: the old one was kept`,
    );
  }
  await swapStaging(io.db, { seriesId, staging, from, to, runId, kind });
  work.dataPoints = await countBars(io.db, seriesId, task.rangeFrom, task.rangeTo);
  io.log("info", `history built anew: ${fresh} bars took the place of ${stored}`);
}
