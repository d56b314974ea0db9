/** @jsxImportSource hono/jsx */
/** `POST /runs/preview`: the cost of the run in the form, in one sentence. Nothing is started. */

import { Hono } from "hono";
import { MAX_AT_WORK } from "../../domain/defaults.ts";
import { Refusal } from "../../domain/errors.ts";
import { marketOf, parseSymbol, splitSymbols } from "../../domain/market/symbol.ts";
import { currentFacts, type PlanFact } from "../../domain/plan.ts";
import { type Batch, planBatches, requestsFor } from "../../domain/runs/batch-plan.ts";
import { barsPerYear } from "../../features/kernels/volatility.ts";
import { planBulk } from "../../pipeline/bulk.ts";
import { isLookedUp, planFrom } from "../../pipeline/first-bar.ts";
import { directJobStore } from "../../pipeline/store/direct-store.ts";
import type { Provider } from "../../providers/provider.ts";
import { accountFor } from "../../providers/registry.ts";
import { estimateCost, symbolsAtOnce } from "../../scheduler/runs/estimates/cost-estimate.ts";
import { type RunRequest, rangeOf } from "../../scheduler/runs/run-request.ts";
import { symbol } from "../../schemas.ts";
import { type Beginning, beginningsOf, countDerivable, storedSeries } from "../../storage/market/series.ts";
import { readPlanFacts } from "../../storage/quotas/plan-facts.ts";
import { speedOf } from "../../storage/runs/runs.ts";
import { Preview, type PreviewView } from "../../views/runs/cost-preview.tsx";
import { ReaderZone } from "../../views/ui/components.tsx";
import type { Services } from "../services.ts";
import { readFields, runRequestOf } from "./run-form.ts";

/** The hint while there is nothing to estimate. */
const EMPTY_HINT = "Separate with commas or spaces";

const YEAR = 365.25 * 86_400;

export type CostServices = Pick<Services, "calendar" | "config" | "db" | "limiter" | "provider" | "settings">;

export const previewRoutes = (services: CostServices) =>
  new Hono().post("/runs/preview", async (c) => {
    const fields = readFields(await c.req.parseBody());
    const fault = faultOf(fields.symbols ?? "");
    if (fault !== null) return c.html(<span class="error">{fault}</span>);
    try {
      const view = await previewOf(services, runRequestOf(fields));
      if (view === null) return c.text(EMPTY_HINT);
      return c.html(
        <ReaderZone.Provider value={c.var.page.timeZone}>
          <Preview view={view} />
        </ReaderZone.Provider>,
      );
    } catch (error) {
      // An unfinished input is not an error yet: the form reports errors when it is sent.
      if (error instanceof Refusal) return c.text(EMPTY_HINT);
      throw error;
    }
  });

/** What is wrong with the first word that is no symbol. The last one counts only after a separator: it may be unfinished. */
function faultOf(text: string): string | null {
  const words = splitSymbols(/[\s,;]$/.test(text) ? text : text.replace(/[^\s,;]*$/, ""));
  const wrong = words.find((word) => parseSymbol(word) === null);
  return wrong === undefined ? null : (symbol.safeParse(wrong).error?.issues[0]?.message ?? null);
}

export type RunCost = PreviewView;

/** Assumed until a run of the provider was measured: the time of an answer, and of the features of a symbol, milliseconds. */
const ASSUMED = { answer: 400, features: 300 } as const;

/** The cost of a run; `null` if its provider lacks a setting. */
export async function previewOf(services: CostServices, request: RunRequest): Promise<RunCost | null> {
  const { config, db, provider, limiter, settings } = services;
  const name = request.provider ?? config.provider;
  const source = provider(name);
  if (source === undefined) return null;
  const { interval, mode, symbols } = request;
  const [known, measured, derivable] = await Promise.all([
    storedSeries(db, symbols, interval, name),
    speedOf(db, name),
    mode === "full" ? countDerivable(db, symbols, interval, name) : { symbols: 0, sources: [] },
  ]);
  const facts = currentFacts(await readPlanFacts(db, accountFor(name, settings.values)), Date.now());
  const beginnings = await beginningsOf(db, { provider: name, ...request });
  const now = Math.floor(Date.now() / 1_000);
  const bulk = request.mode === "incremental" ? await bulkOf(services, source, request, now) : null;
  const shared = new Set(bulk?.symbols);
  const single = { ...request, symbols: request.symbols.filter((symbol) => !shared.has(symbol)) };
  const one = costOf(source, single, { facts, beginnings });
  const calls = one.calls + (bulk?.parts.length ?? 0);
  const units = one.units + (bulk?.units ?? 0);
  const quota = limiter.snapshot().find((each) => each.provider === name);
  const limits = quota?.gauges ?? [];
  const fetchMs = calls * (quota?.latencyMs ?? ASSUMED.answer);
  const isAssumed = measured.jobs === 0 || measured.workedMs === 0;
  const speed = isAssumed
    ? { jobs: symbols.length, requests: calls, fetchMs, workedMs: fetchMs + symbols.length * ASSUMED.features }
    : measured;
  const { seconds, afterReset } = estimateCost(
    {
      symbols: request.symbols.length,
      requests: calls,
      units,
      limits,
      atOnce: symbolsAtOnce(speed, { threads: config.workers, most: mostAtOnce(source, request) }),
      secondsPerSymbol: secondsPerSymbol(speed, calls / request.symbols.length),
    },
    now,
  );
  return {
    symbols: request.symbols.length,
    calls,
    units,
    bars: mode === "full" ? one.bars : mode === "reprocess" ? 0 : null,
    seconds,
    isAssumed,
    days: mode === "full" ? rangeOf(request, source, now) : null,
    planFrom: one.planFrom,
    pruned: one.pruned,
    afterReset,
    known: known.count,
    knownUntil: known.lastBar,
    derivable,
    interval,
  };
}

/** The part of an update that many symbols share. */
function bulkOf({ calendar, db }: CostServices, provider: Provider, request: RunRequest, asOf: number) {
  const { symbols, interval } = request;
  const { to } = rangeOf(request, provider, asOf);
  return planBulk(directJobStore(db), {
    provider,
    calendar,
    symbols,
    interval,
    asOf,
    to,
  });
}

/** The most symbols of the run that may be at work at once. */
function mostAtOnce(
  { maxInFlight = MAX_AT_WORK }: Provider,
  { symbols, maxWorkers = MAX_AT_WORK }: RunRequest,
): number {
  return Math.min(symbols.length, maxWorkers, maxInFlight, MAX_AT_WORK);
}

/** Requests of the whole run, the units they cost as the provider declares, and about how many bars a full run fetches. */
function costOf(
  source: Provider,
  request: RunRequest,
  { facts, beginnings }: { facts: readonly PlanFact[]; beginnings: ReadonlyMap<string, Beginning> },
): Pick<PreviewView, "calls" | "units" | "planFrom" | "pruned"> & { bars: number } {
  if (request.mode === "reprocess") return { calls: 0, units: 0, bars: 0, planFrom: null, pruned: null };
  const now = Date.now() / 1_000;
  const { from, to } = rangeOf(request, source, now);
  const kept = source.keptFrom?.(request.interval, now) ?? Number.NEGATIVE_INFINITY;
  const { batchDays } = request;
  const isStated = source.firstBar?.isStated ?? false;
  const whole = planBatches(from, to, batchDays);
  let [calls, units, expected] = [0, 0, 0];
  let planStart: number | null = null;
  const pruned = { symbols: 0, before: 0 };
  // A run that names its first day asks for deleted bars again.
  const isPruned = request.mode === "full" && request.dates === undefined;
  for (const symbol of request.symbols) {
    // What the plan is known to leave out, or the vendor no longer keeps, is not requested.
    const scope = source.planScope?.(symbol, request.interval);
    const of = (kind: PlanFact["kind"]) => facts.find((fact) => fact.kind === kind && fact.scope === scope);
    if (of("interval") || facts.some((fact) => fact.kind === "exchange" && scope?.startsWith(`${fact.scope} `)))
      continue;
    const planned = of("history")?.value ?? Number.NEGATIVE_INFINITY;
    if (planned > from) planStart = Math.max(planStart ?? planned, planned);
    const start = Math.max(kept, planned);
    const beginning = beginnings.get(symbol);
    const listed = beginning?.listed ?? undefined;
    const begin = isPruned ? Math.max(from, beginning?.kept ?? 0) : from;
    if (begin > from) {
      pruned.symbols += 1;
      pruned.before = Math.max(pruned.before, begin);
    }
    const first = listed ? planFrom({ from: begin, to }, { listed, isStated, batchDays }) : begin;
    const batches = first > from ? planBatches(first, to, batchDays) : whole;
    const open = start > from ? batches.filter((batch) => batch.to > start) : batches;
    const perSymbol = barRequests(source, request, open, symbol);
    const seconds = Math.max(0, Math.min(to, now) - Math.max(first, start));
    expected += (seconds / YEAR) * barsPerYear({ market: marketOf(symbol), interval: request.interval });
    const { bars, actions, firstBar } = source.costs?.(symbol, request.interval) ?? { bars: 1, actions: [] };
    if (
      firstBar !== undefined &&
      listed === undefined &&
      isLookedUp(source, barRequests(source, request, batches, symbol))
    ) {
      calls += 1;
      units += firstBar;
    }
    // A repair fetches bars only.
    const lists = request.mode === "repair" ? [] : actions;
    calls += perSymbol + lists.length;
    units += perSymbol * bars + lists.reduce((sum, cost) => sum + cost, 0);
  }
  return {
    calls,
    units,
    bars: Math.round(expected),
    planFrom: planStart,
    pruned: pruned.symbols === 0 ? null : pruned,
  };
}

/** Requests for one symbol's bars: neighbouring batches share one; incremental and repair count one. */
function barRequests(source: Provider, { mode, interval }: RunRequest, batches: readonly Batch[], symbol: string) {
  if (mode !== "full") return 1;
  const pagesIn = (days: number) => source.pagesIn?.(interval, symbol, days) ?? 1;
  return requestsFor(batches, source.maxWindowDays(interval, symbol), pagesIn);
}

/** Estimated from earlier jobs, whose time grows with their requests. */
function secondsPerSymbol(speed: Awaited<ReturnType<typeof speedOf>>, requests: number): number | null {
  if (speed.jobs === 0 || speed.workedMs === 0) return null;
  if (speed.requests === 0 || requests === 0) return speed.workedMs / speed.jobs / 1_000;
  return ((speed.workedMs / speed.requests) * requests) / 1_000;
}
