/** Fetches again what ended jobs of a run have requested before: a dry run first, then the requests. */

import { Refusal } from "../../domain/errors.ts";
import { requestsFor } from "../../domain/runs/batch-plan.ts";
import { type Coverage, cellStates } from "../../domain/runs/coverage.ts";
import type { JobProgress } from "../../domain/runs/progress.ts";
import { fetchModeOf, REFETCH_CHOICES, type RefetchChoice, requests } from "../../domain/runs/refetch.ts";
import { canApply } from "../../domain/runs/states.ts";
import type { Provider } from "../../providers/provider.ts";
import type { Database } from "../../storage/db.ts";
import { forgetPlans } from "../../storage/quotas/plan-facts.ts";
import { releaseWindows, type Window, windowsOfSymbols } from "../../storage/runs/batches.ts";
import { type JobRow, jobsOfRun } from "../../storage/runs/runs.ts";
import { refuseActive } from "./active-jobs.ts";
import { batchesOf, type KnownBatch, readCoverage } from "./job-batches.ts";
import { progressOf, type RunRecord } from "./run-records.ts";
import type { RunService } from "./run-service.ts";

export interface RefetchDeps {
  readonly db: Database;
  readonly runs: RunService;
  provider(name: string): Provider | undefined;
}

/** The effect of one scope. */
export interface ScopePlan {
  readonly symbols: readonly string[];
  readonly batches: number;
  /** Requests to the provider, without retries. */
  readonly calls: number;
  /** The first windows that would be requested. */
  readonly sample: readonly (Window & { readonly symbol: string })[];
}

/** The scopes that can be chosen. */
export type RefetchPlan = Readonly<Partial<Record<RefetchChoice, ScopePlan>>>;

export interface RefetchRequest {
  readonly runId: string;
  picks(job: JobProgress): boolean;
  /** Only these days (epoch seconds, half open), and batches without an answer. */
  readonly within?: Window | undefined;
}

/** Windows named in a plan. */
const SAMPLE = 8;

/**
 * What each scope would request, exact to the batch.
 * @throws Refusal if there is no such run, or none of its picked jobs has ended
 */
export async function planRefetch(dependencies: RefetchDeps, request: RefetchRequest): Promise<RefetchPlan> {
  const { run, rows } = await endedJobs(dependencies, request);
  return plansOf(dependencies, run, rows, request.within);
}

/**
 * Queues the picked jobs again to request what `scope` names.
 * @param expected the symbols and batches the person confirmed; if they have changed, nothing is done
 * @returns what is requested, and whether it was `done`
 * @throws Refusal as `planRefetch`; also if the scope has nothing to do here, or a symbol is active elsewhere
 */
export async function refetch(
  dependencies: RefetchDeps,
  request: RefetchRequest & { readonly scope: RefetchChoice; readonly expected?: string | undefined },
): Promise<{ readonly done: boolean; readonly plan: RefetchPlan }> {
  const { db, runs } = dependencies;
  const { scope, within, expected } = request;
  const { run, rows } = await endedJobs(dependencies, request);
  const plan = await plansOf(dependencies, run, rows, within);
  const chosen = plan[scope];
  if (chosen === undefined) {
    throw new Refusal("conflict", "What a repair or a rebuild asks for cannot be asked for in part: start a new run");
  }
  if (expected !== undefined && expected !== sizeOf(chosen)) return { done: false, plan };
  if (chosen.symbols.length === 0) throw new Refusal("conflict", "Nothing is left to fetch in this scope");
  const symbols = new Set(chosen.symbols);
  await refuseActive(db, chosen.symbols, run.interval);
  const writes = scope === "all" ? releaseWindows(db, run, chosen.symbols, within) : [];
  const record = await runs.open(run.id);
  const jobs = [...record.jobs.values()].filter((job) => symbols.has(job.symbol) && canApply("refetch", job.state));
  const rowOf = new Map(rows.map((row) => [row.symbol, { ...row, state: "queued" as const }]));
  const coverage = async () => {
    const read = await readCoverage(db, run, [...rowOf.values()]);
    return new Map(jobs.map((job) => [job, read(rowOf.get(job.symbol)!)]));
  };
  if (scope !== "missing") {
    // What the plan left out is requested again because a person wants it.
    const before = [...(await coverage()).values()];
    const isLeftOut = (each: Coverage | null) => each !== null && cellStates(each).includes("not_in_plan");
    if (before.some(isLeftOut)) await forgetPlans(db, run.provider);
  }
  await runs.control.requeueJobs(record, jobs, "refetch", { fetchMode: fetchModeOf(scope), coverage, writes });
  return { done: true, plan };
}

/** Equal for plans that a person would call the same. */
export const sizeOf = ({ symbols, batches }: ScopePlan): string => `${symbols.length}.${batches}`;

async function endedJobs({ db, runs }: RefetchDeps, { runId, picks }: RefetchRequest) {
  const { row: run, jobs } = await runs.open(runId);
  const all = await jobsOfRun(db, runId);
  const now = Date.now();
  const selection = all.filter(({ symbol }) => {
    const job = jobs.get(symbol);
    return job !== undefined && picks(progressOf(job, now));
  });
  const rows = selection.filter(({ symbol }) => canApply("refetch", jobs.get(symbol)!.state));
  if (selection.length === 0) throw new Refusal("not_found", "The run has no such symbol");
  if (rows.length === 0) {
    const [first] = selection;
    const who = selection.length === 1 ? `${first!.symbol} is` : "They are";
    throw new Refusal("conflict", `${who} still in the queue: wait for the end, or cancel first`);
  }
  return { run, rows };
}

async function plansOf({ db, provider }: RefetchDeps, run: RunRecord["row"], rows: readonly JobRow[], within?: Window) {
  const source = provider(run.provider);
  if (source === undefined) throw new Refusal("conflict", `The provider ${run.provider} is not set up`);
  const ledgers = await windowsOfSymbols(
    db,
    run,
    rows.map(({ symbol }) => symbol),
  );
  // The requests of a repair or rebuild depend on what it finds: only the features can be computed again by themselves.
  const scopes =
    run.mode === "repair" || run.mode === "reprocess" || run.rebuild ? (["features"] as const) : REFETCH_CHOICES;
  const inside = ({ from, to }: Window) => within === undefined || (from >= within.from && to <= within.to);
  // As for the worker: without an entry of its own run in the ledger, a batch has no answer.
  const batches = rows.map((row) => batchesOf(run, { ...row, state: "queued" }, ledgers.get(row.symbol) ?? []));
  const picksOf = (scope: RefetchChoice, batch: KnownBatch) =>
    requests("unanswered", batch.state) ? requests(scope, batch.state) : requests(scope, batch.state) && inside(batch);
  return Object.fromEntries(
    scopes.map((scope): [RefetchChoice, ScopePlan] => {
      const symbols: string[] = [];
      const sample: (Window & { symbol: string })[] = [];
      let [count, calls] = [0, 0];
      for (const [index, { symbol }] of rows.entries()) {
        const asked = batches[index]!.filter((batch) => picksOf(scope, batch));
        if (asked.length === 0 && scope !== "features" && scope !== "all") continue;
        symbols.push(symbol);
        count += asked.length;
        calls += requestsFor(
          asked,
          source.maxWindowDays(run.interval, symbol),
          (days) => source.pagesIn?.(run.interval, symbol, days) ?? 1,
        );
        for (const { from, to } of asked.slice(0, SAMPLE - sample.length)) sample.push({ symbol, from, to });
      }
      return [scope, { symbols, batches: count, calls, sample }];
    }),
  ) as RefetchPlan;
}
