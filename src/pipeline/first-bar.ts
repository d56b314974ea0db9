/** Where the bars of a symbol begin: looked up once, so that no batch before it is planned. */

import { isSpentQuota, ProviderError } from "../domain/errors.ts";
import { DAY } from "../domain/market/interval.ts";
import { planBatches, requestsFor } from "../domain/runs/batch-plan.ts";
import { isoDate } from "../domain/time.ts";
import type { Provider } from "../providers/provider.ts";
import type { JobContext } from "./job-context.ts";

/** Ranges of at most this many requests are not looked up: a lookup could save too little. */
const MAX_WITHOUT = 4;

/** Days without a session after the moment from which a vendor has bars. */
const NEW_YEAR_DAYS = 10;

/** Whether the first bar of a symbol is looked up before a range is planned that takes this many `requests`. */
export const isLookedUp = ({ firstBar }: Provider, requests: number): boolean =>
  firstBar !== undefined && requests > MAX_WITHOUT;

/**
 * Where a plan of a range that starts at `from` begins, when the bars begin at `listed` (epoch seconds, 0: not known). A
 * stated beginning is not relied on: the batch before it is requested too, and so is at least one batch.
 */
export function planFrom(
  range: { readonly from: number; readonly to: number },
  { listed, isStated, batchDays }: { listed: number; isStated: boolean; batchDays: number },
): number {
  const first = Math.floor(listed / DAY) * DAY - (isStated ? batchDays * DAY : 0);
  return Math.max(range.from, Math.min(first, range.to - batchDays * DAY));
}

/** Where the job's range begins, without what lies before the symbol's first bar (epoch seconds). */
export async function startOfBars(job: JobContext): Promise<number> {
  const { io, task } = job;
  const { rangeFrom: from, rangeTo: to, batchDays } = task;
  const listed = await listingOf(job);
  if (listed === 0) return from;
  const start = planFrom({ from, to }, { listed, isStated: io.provider.firstBar?.isStated ?? false, batchDays });
  if (start > from) io.log("info", `listed since ${isoDate(listed)}: nothing before ${isoDate(start)} is requested`);
  return start;
}

/** The beginning of the bars as remembered, or else as looked up; 0 if it is not known. */
async function listingOf(job: JobContext): Promise<number> {
  const { io, task, series } = job;
  const { provider } = io;
  const { symbol, interval, rangeFrom, rangeTo, batchDays } = task;
  const known = (await io.store.readSeries(series)).listedFrom;
  if (known !== null || provider.firstBar === undefined) return known ?? 0;
  const batches = planBatches(rangeFrom, rangeTo, batchDays);
  const pagesIn = (days: number) => provider.pagesIn?.(interval, symbol, days) ?? 1;
  if (!isLookedUp(provider, requestsFor(batches, provider.maxWindowDays(interval, symbol), pagesIn))) return 0;
  await job.checkpoint();
  try {
    const first = (await provider.firstBar.find(symbol, interval, job.contextOf(provider))) ?? 0;
    // Bars that begin with the vendor's own history say nothing about the symbol.
    const found = first > provider.historyStart(interval) + NEW_YEAR_DAYS * DAY ? first : 0;
    await io.store.saveListing(series, found);
    return found;
  } catch (error) {
    if (!(error instanceof ProviderError) || isSpentQuota(error)) throw error;
    io.log("info", `the first bar is not known, so the whole range is requested: ${error.message}`);
    return 0;
  }
}

/** Whether a plan that began at `from` found earlier bars than the provider said; then that is not relied on any more. */
export async function isListingWrong({ io, task, series, stored }: JobContext, from: number): Promise<boolean> {
  if (from <= task.rangeFrom || stored.first === null || !io.provider.firstBar?.isStated) return false;
  const { listedFrom } = await io.store.readSeries(series);
  if (listedFrom === null || stored.first >= listedFrom) return false;
  const range = { from: task.rangeFrom, to: task.rangeTo };
  if (planFrom(range, { listed: listedFrom, isStated: true, batchDays: task.batchDays }) !== from) return false;
  io.log("warn", `there are bars before ${isoDate(listedFrom)}: the whole range is requested`);
  await io.store.saveListing(series, 0);
  return true;
}
