/**
 * Daily updates with requests that cover many symbols: which symbols, which days, and whether that costs less than a request
 * for each symbol. A run plans once, makes each request once, and its jobs share the answers until it ends.
 */

import { isSpentQuota, ProviderError } from "../domain/errors.ts";
import type { Calendar } from "../domain/market/calendar.ts";
import { venueOfSeries } from "../domain/market/exchanges/exchanges.ts";
import { DAY, type Interval } from "../domain/market/interval.ts";
import type { Span } from "../domain/runs/batch-plan.ts";
import type { BulkAnswer, BulkPart, FetchedBars, Provider } from "../providers/provider.ts";
import { newestBar, overlapStart } from "./fetch/incremental.ts";
import type { JobContext } from "./job-context.ts";
import type { SharedPlan, SharedValue } from "./messages.ts";
import type { JobStore } from "./store/job-store.ts";

/** An update of more days than this has requests of its own. */
const MAX_DAYS = 40;
/** The part that holds the plan as a whole. */
const WHOLE = "*";

export interface BulkPlan extends Span {
  readonly symbols: readonly string[];
  readonly parts: readonly BulkPart[];
  /** What they cost in quota units. */
  readonly units: number;
}

interface UpdateRequest {
  readonly provider: Provider;
  readonly calendar: Calendar;
  readonly symbols: readonly string[];
  readonly interval: Interval;
  /** What counts as now, and the end of the range: epoch seconds. */
  readonly asOf: number;
  readonly to: number;
}

/** The cheapest requests for many symbols that bring these up to date; `null` if a request for each symbol costs less. */
export async function planBulk(store: JobStore, request: UpdateRequest): Promise<BulkPlan | null> {
  const { provider, interval, asOf, to } = request;
  const { bulk } = provider;
  if (bulk === undefined || interval !== "1d") return null;
  const starts = await updateStarts(store, request);
  const costs = new Map(starts.keys().map((symbol) => [symbol, costOfOne(provider, symbol)]));
  let best: BulkPlan | null = null;
  let saved = 0;
  // A later start leaves out the symbols that need more days, and makes fewer requests.
  for (const from of new Set(starts.values())) {
    const symbols = [...starts].filter(([, start]) => start >= from).map(([symbol]) => symbol);
    const parts = bulk.parts(symbols, { from, to, asOf });
    const units = parts.reduce((sum, { cost }) => sum + cost, 0);
    const singly = symbols.reduce((sum, symbol) => sum + costs.get(symbol)!, 0);
    if (parts.length === 0 || singly - units <= saved) continue;
    saved = singly - units;
    best = { symbols, parts, from, to, units };
  }
  return best;
}

function costOfOne(provider: Provider, symbol: string): number {
  const { bars, actions } = provider.costs?.(symbol, "1d") ?? { bars: 1, actions: [] };
  return actions.reduce((sum, cost) => sum + cost, bars);
}

/** Where the updates of those symbols start that lack the newest bar, or have a provisional one. */
async function updateStarts(store: JobStore, request: UpdateRequest): Promise<Map<string, number>> {
  const { provider, calendar, symbols, interval, asOf } = request;
  const starts = new Map<string, number>();
  const ofLast = new Map<string, number | null>();
  for (const { symbol, lastBar, provisionalFrom } of await store.lastBarsOf(provider.name, symbols, interval)) {
    if (!provider.bulk!.serves(symbol)) continue;
    const { sessions } = provider.traits(symbol, interval);
    const market = venueOfSeries({ symbol, provider: provider.name, sessions });
    const start = ofLast.getOrInsertComputed(`${market} ${lastBar} ${provisionalFrom !== null}`, () => {
      const available = (ts: number) => provider.availableAt?.(symbol, interval, ts) ?? ts + DAY;
      const newest = newestBar(calendar, market, interval, asOf, available);
      if (newest === null || (lastBar >= newest.session.date && provisionalFrom === null)) return null;
      return overlapStart(calendar, market, interval, lastBar);
    });
    if (start !== null && start >= asOf - MAX_DAYS * DAY) starts.set(symbol, start);
  }
  return starts;
}

/** The job's window from answers that its run shares; `null` if the window needs requests of its own. */
export async function fetchInBulk(job: JobContext, window: Span): Promise<FetchedBars | null> {
  const { io, task } = job;
  const { symbol, interval, asOf } = task;
  const { bulk } = io.provider;
  if (bulk === undefined || io.shared === undefined || task.mode !== "incremental" || interval !== "1d") return null;
  const plan = (await io.shared("plan", symbol, () => sharePlan(job))) as SharedPlan | undefined;
  if (plan === undefined || window.from < plan.from || window.to !== plan.to) return null;
  const answers: BulkAnswer[] = [];
  for (const key of plan.keys) {
    await job.checkpoint();
    const answer = (await io.shared(key, symbol, () => makePart(job, key))) as BulkAnswer | "failed" | undefined;
    if (answer === "failed") return null;
    if (answer !== undefined) answers.push(answer);
  }
  job.actionsFrom = plan.from;
  return bulk.bars({ symbol, interval, asOf, ...window }, answers, job.contextOf(io.provider));
}

async function sharePlan(job: JobContext): Promise<ReadonlyMap<string, SharedValue>> {
  const { io, task } = job;
  const symbols = await io.store.symbolsOfRun(task.runId);
  const { interval, asOf, rangeTo } = task;
  const request = { provider: io.provider, calendar: io.calendar, symbols, interval, asOf, to: rangeTo };
  const plan = await planBulk(io.store, request);
  if (plan === null) return new Map();
  const { from, to, units } = plan;
  io.log(
    "info",
    `${plan.symbols.length} symbols are brought up to date with ${plan.parts.length} requests (${units} units)`,
  );
  const keys = new Map<string, string[]>();
  for (const part of plan.parts) {
    for (const symbol of part.symbols) keys.getOrInsertComputed(symbol, () => []).push(part.key);
  }
  const shared = new Map<string, SharedValue>([[WHOLE, { from, to, keys: [], symbols: plan.symbols }]]);
  for (const [symbol, own] of keys) shared.set(symbol, { from, to, keys: own, symbols: [] });
  return shared;
}

/** Makes one request for all jobs. If it fails, each of them makes its own. */
async function makePart(job: JobContext, key: string): Promise<ReadonlyMap<string, SharedValue>> {
  const { io, task } = job;
  const { asOf } = task;
  const bulk = io.provider.bulk!;
  const plan = (await io.shared!("plan", WHOLE, () => sharePlan(job))) as SharedPlan | undefined;
  const part = plan && bulk.parts(plan.symbols, { ...plan, asOf }).find((each) => each.key === key);
  if (part === undefined) throw new Error(`the plan has no request ${key}`);
  try {
    return await bulk.fetch(part, { asOf }, job.contextOf(io.provider));
  } catch (error) {
    // A spent quota is waited for, and the request is made then.
    if (!(error instanceof ProviderError) || isSpentQuota(error)) throw error;
    io.log("warn", `the request for many symbols failed, each symbol is requested by itself: ${error.message}`);
    return new Map(part.symbols.map((symbol) => [symbol, "failed"]));
  }
}
