/** Splits and dividends: asked for once a run and symbol, kept beside the raw bars. */

import { ProviderError } from "../../domain/errors.ts";
import type { CorporateAction } from "../../domain/market/corporate-actions.ts";
import { isoDate } from "../../domain/time.ts";
import { listActions, storeActions } from "../../storage/market/corporate-actions.ts";
import { readSeries } from "../../storage/market/series.ts";
import type { JobContext } from "../job-context.ts";
import { isSpentQuota } from "./fetch-batches.ts";

/** Takes in the actions that came with the bars, or asks for them where the vendor lists them apart. */
export async function askActions(job: JobContext): Promise<void> {
  const { io, task, series } = job;
  const { provider } = io;
  if (job.actions.length > 0) await keep(job, job.actions);
  if (!provider.fetchActions || (await readSeries(io.db, series)).actionsRun === task.runId) return;
  await job.checkpoint();
  try {
    const actions = await provider.fetchActions(task.symbol, job.contextOf(provider));
    await keep(job, actions, { seriesId: series, runId: task.runId });
  } catch (error) {
    // Bars without their splits are still true; the next run asks again.
    if (!(error instanceof ProviderError) || isSpentQuota(error)) throw error;
    io.log("warn", `splits and dividends could not be had: ${error.message}`);
  }
}

async function keep(
  { io, task }: JobContext,
  actions: readonly CorporateAction[],
  asked?: { seriesId: number; runId: string },
) {
  const { symbol, provider } = task;
  const keyOf = ({ kind, date }: CorporateAction) => `${kind} ${date}`;
  const known = new Map((await listActions(io.db, provider, symbol)).map((action) => [keyOf(action), action.value]));
  const fresh = actions.filter((action) => known.get(keyOf(action)) !== action.value && action.value > 0);
  await storeActions(io.db, { provider, symbol, actions: fresh }, asked);
  for (const { kind, date, value } of fresh.filter((action) => action.kind === "split").slice(-3)) {
    io.log("info", `${kind} ${value} for 1 with ex-date ${isoDate(date)}`);
  }
  const dividends = fresh.filter(({ kind }) => kind === "dividend").length;
  if (dividends > 0) io.log("info", `${dividends} new or corrected ${dividends === 1 ? "dividend" : "dividends"}`);
}
