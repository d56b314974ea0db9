/** Splits and dividends: fetched once per run and symbol, stored separately from the raw bars. */

import { isSpentQuota, ProviderError } from "../../domain/errors.ts";
import {
  actionKey,
  type CorporateAction,
  distinctActions,
  replacedActions,
} from "../../domain/market/corporate-actions.ts";
import { isoDate } from "../../domain/time.ts";
import type { JobContext } from "../job-context.ts";

/** Stores the actions that came with the bars, and fetches those that the vendor lists separately. */
export async function updateActions(job: JobContext): Promise<void> {
  const { io, task, series } = job;
  const { provider } = io;
  const isRead = job.actionsFrom !== null || provider.fetchActions !== undefined;
  const { actionsRun } = isRead ? await io.store.readSeries(series) : { actionsRun: null };
  if (job.actionsFrom !== null && (await io.store.asOfRun(actionsRun)) >= job.actionsFrom) {
    // Those of the days since the last time came with the bars.
    if (actionsRun !== task.runId)
      await storeNew(job, job.actions, { since: job.actionsSince, fetched: { seriesId: series, runId: task.runId } });
    return;
  }
  if (job.actions.length > 0) await storeNew(job, job.actions, { since: job.actionsSince });
  if (provider.withoutActions && job.traits.adjustment === "none" && job.market !== "crypto")
    io.log("info", `${provider.title} has no splits and dividends: its raw prices cannot be adjusted`);
  if (!provider.fetchActions || actionsRun === task.runId) return;
  await job.checkpoint();
  try {
    const actions = await provider.fetchActions(task.symbol, job.contextOf(provider));
    await storeNew(job, actions, { fetched: { seriesId: series, runId: task.runId } });
  } catch (error) {
    // The bars are valid without their splits; the next run fetches these again.
    if (!(error instanceof ProviderError) || isSpentQuota(error)) throw error;
    io.log("warn", `splits and dividends could not be fetched: ${error.message}`);
  }
}

/** @param answer `since`: the first day that an answer of some days is about; `fetched`: whose list has been requested */
async function storeNew(
  job: JobContext,
  actions: readonly CorporateAction[],
  { since, fetched }: { readonly since?: number; readonly fetched?: { seriesId: number; runId: string } },
) {
  const { io, task } = job;
  const { symbol, provider } = task;
  const known = await io.store.listActions(provider, symbol);
  const before = new Set(known.map(actionKey));
  const listed = distinctActions(actions.filter(({ value }) => value > 0));
  const fresh = listed.filter((action) => !before.has(actionKey(action)));
  const replaced = replacedActions(known, listed, since);
  job.hasNewActions ||= fresh.length + replaced.length > 0;
  await io.store.storeActions({ provider, symbol, actions: fresh, replaced }, fetched);
  for (const { kind, date, value } of replaced.slice(-3))
    io.log(
      "info",
      `${kind} of ${value} with ex-date ${isoDate(date)} no longer counts: others are listed in its place`,
    );
  for (const { kind, date, value } of fresh.filter((action) => action.kind === "split").slice(-3)) {
    io.log("info", `${kind} ${value} for 1 with ex-date ${isoDate(date)}`);
  }
  const foreign = fresh.filter(({ currency }) => currency).slice(-3);
  for (const { date, value, currency } of foreign) {
    io.log(
      "warn",
      `dividend of ${value} ${currency} with ex-date ${isoDate(date)} not applied: prices are in another currency`,
    );
  }
  const dividends = fresh.filter(({ kind }) => kind === "dividend").length;
  if (dividends > 0) io.log("info", `${dividends} new or corrected ${dividends === 1 ? "dividend" : "dividends"}`);
}
