/** Runs one job at a time against a real database, without threads. */

import { BAR_FIELDS, type BarColumns } from "../../src/domain/market/bars.ts";
import { CALENDAR } from "../../src/domain/market/calendar.ts";
import { DAY, type Interval } from "../../src/domain/market/interval.ts";
import type { PlanCut } from "../../src/domain/plan.ts";
import type { Coverage } from "../../src/domain/runs/coverage.ts";
import type { FetchMode } from "../../src/domain/runs/refetch.ts";
import type { Mode } from "../../src/domain/runs/states.ts";
import { Stopped } from "../../src/pipeline/job-context.ts";
import type { Outcome, SymbolTask } from "../../src/pipeline/messages.ts";
import { directJobStore } from "../../src/pipeline/store/direct-store.ts";
import type { JobStore } from "../../src/pipeline/store/job-store.ts";
import { planMemory } from "../../src/pipeline/store/plan-memory.ts";
import { runSymbol } from "../../src/pipeline/workers/process-symbol.ts";
import { type Database, openDatabase } from "../../src/storage/db.ts";
import { readBars, seriesId } from "../../src/storage/market/bars.ts";
import { findProfile } from "../../src/storage/profiles/profiles.ts";
import { insertRun, jobsOfRun, moveJobs } from "../../src/storage/runs/runs.ts";
import type { MemoryVendor } from "../fakes/memory-vendor.ts";
import { migratedDatabase, temporaryFolder } from "./folder.ts";

interface JobOptions {
  readonly mode?: Mode;
  /** What counts as now, epoch seconds. */
  readonly asOf: number;
  readonly rebuild?: boolean;
  readonly repair?: MemoryVendor;
  readonly interval?: Interval;
  readonly days?: number;
  /** Whether the run names its first day. */
  readonly dated?: boolean;
  readonly symbol?: string;
  readonly batchDays?: number;
  /** Called when the job shows a stage; it may throw to stop the job. */
  readonly onStage?: (stage: string) => void;
  /** Called whenever the job reports the results of its batches. */
  readonly onCoverage?: (coverage: Coverage) => void;
  /** Stops the job as a shutdown does, after this number of stages. */
  readonly stopAfter?: number;
  readonly fetchMode?: FetchMode;
  /** Resumes this run instead of starting a new one. */
  readonly resumeRun?: string;
}

export interface Pipeline extends Disposable {
  readonly db: Database;
  readonly log: string[];
  run(vendor: MemoryVendor, options: JobOptions): Promise<Outcome & { runId: string; leftOut: readonly PlanCut[] }>;
  series(vendor: MemoryVendor, interval?: Interval): Promise<number>;
  /** The stored bars as rows. */
  stored(vendor: MemoryVendor, interval?: Interval): Promise<number[][]>;
  profile(interval?: Interval): ReturnType<typeof findProfile>;
}

export const rowsOf = (bars: BarColumns) => [...bars.ts].map((_, at) => BAR_FIELDS.map((field) => bars[field][at]!));

let runs = 0;

export interface PipelineOptions {
  /** Another pipeline, whose database is shared: then the symbol must be another one. */
  readonly on?: Pipeline;
  readonly symbol?: string;
  /** The store of a job that runs; one over the database unless given. */
  storeOf?(db: Database, task: SymbolTask): Promise<JobStore>;
}

export async function startPipeline({ on, symbol: ownSymbol = "ACME", storeOf }: PipelineOptions = {}) {
  const folder = on ? null : temporaryFolder();
  const db = on?.db ?? (await openDatabase(await migratedDatabase(folder!)));
  const log: string[] = [];
  const leftOut = new Map<string, readonly PlanCut[]>();
  const series = (vendor: MemoryVendor, interval: Interval = "1d", symbol = ownSymbol) =>
    seriesId(db, { symbol, interval, provider: vendor.name, ...vendor.traits });
  const pipeline: Pipeline = {
    db,
    log,
    series,
    async run(vendor, options) {
      const {
        mode = "full",
        asOf,
        rebuild = false,
        interval = "1d",
        days = 365,
        symbol = ownSymbol,
        resumeRun,
      } = options;
      const rangeTo = (Math.floor(asOf / DAY) + 1) * DAY;
      const row = {
        id: resumeRun ?? `run-${++runs}`,
        mode,
        interval,
        provider: vendor.name,
        years: "1",
        batchDays: options.batchDays ?? 30,
        maxWorkers: 1,
        rebuild,
        repairProvider: options.repair?.name ?? null,
        rangeFrom: rangeTo - days * DAY,
        rangeTo,
        dated: options.dated ?? false,
        asOf,
        createdAt: runs,
      };
      if (resumeRun === undefined) await insertRun(db, row, [symbol]);
      const job = (await jobsOfRun(db, row.id))[0]!;
      await moveJobs(db, [job.id], resumeRun === undefined ? "start" : "retry");
      if (resumeRun !== undefined) await moveJobs(db, [job.id], "start");
      const stop = new AbortController();
      let stages = 0;
      const failed = () => moveJobs(db, [job.id], "fail", { error: "stopped" });
      const task = { ...row, jobId: job.id, runId: row.id, symbol, fetchMode: options.fetchMode ?? "unanswered" };
      const store = (await storeOf?.(db, task)) ?? directJobStore(db);
      const outcome = await runSymbol(task, {
        store,
        provider: vendor.provider,
        repairProvider: options.repair?.provider ?? null,
        calendar: CALENDAR,
        signal: stop.signal,
        requestSignal: new AbortController().signal,
        engineerAlone: (compute) => compute(),
        committing: (write) => write(false),
        acquire: async () => ({ settle: () => {} }),
        alert: () => {},
        log: (level, message) => void log.push(`${level} ${message}`),
        coverage: (coverage) => options.onCoverage?.(coverage),
        leftOut: (cuts) => void leftOut.set(row.id, cuts),
        plan: (provider) => planMemory(store, provider),
        stage: (stage) => {
          const before = stages;
          stages += stage.stage === "engineer" ? stage.done - (stage.first ?? stage.done) + 1 : 1;
          const { stopAfter = 0 } = options;
          if (before < stopAfter && stages >= stopAfter) stop.abort(new Stopped("shutdown"));
          options.onStage?.(stage.stage);
        },
      }).catch(async (error) => {
        await failed();
        throw error;
      });
      if (outcome.kind !== "done") await failed();
      return { ...outcome, runId: row.id, leftOut: leftOut.get(row.id) ?? [] };
    },
    async stored(vendor, interval) {
      return rowsOf(await readBars(db, await series(vendor, interval), 0, Number.MAX_SAFE_INTEGER));
    },
    profile: (interval = "1d") => findProfile(db, ownSymbol, interval),
    [Symbol.dispose]() {
      if (folder === null) return;
      db.close();
      folder[Symbol.dispose]();
    },
  };
  return pipeline;
}
