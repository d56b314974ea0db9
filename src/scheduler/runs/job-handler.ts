/** Runs the tasks of the job queue on the worker pool, and records the outcome of each job. */

import { messageOf, type StorageFault, traceOf, withoutPaths } from "../../domain/errors.ts";
import type { Log } from "../../log.ts";
import type { Counters } from "../../metrics/counters.ts";
import type { Outcome, SymbolTask } from "../../pipeline/messages.ts";
import type { TaskListener } from "../../pipeline/workers/assignment.ts";
import type { WorkerPool } from "../../pipeline/workers/pool.ts";
import { WorkerCrashed, WorkerLost } from "../../pipeline/workers/worker-handle.ts";
import type { Provider } from "../../providers/provider.ts";
import { recordStatements } from "../../storage/alerts/outbox.ts";
import { type Database, type Statement, storageFault } from "../../storage/db.ts";
import { newSeries } from "../../storage/market/bars.ts";
import { storedState } from "../../storage/runs/jobs.ts";
import type { QueuedTask, TaskResult } from "../queue/dispatcher.ts";
import type { JobRecord } from "./run-records.ts";
import type { RunService } from "./run-service.ts";

/** Worker crashes after which a job fails for good. */
const MAX_CRASHES = 3;
/** Worker crashes after which a restart is wanted: each leaves some four open files behind, of 1,024 that many systems allow. */
const RESTART_AFTER = 100;

const RESTART = "restart Barkeep when that suits, jobs continue where they are";

const DONE: TaskResult = { again: false };
const AGAIN: TaskResult = { again: true, afterMs: 0 };
/** When a job that trouble of the database has interrupted is tried again, milliseconds. */
const HELD_MS = 5_000;

interface Dependencies {
  readonly db: Database;
  readonly log: Log;
  readonly runs: RunService;
  readonly pool: WorkerPool;
  provider(name: string): Provider | undefined;
  /** Whether other jobs are at work. */
  hasOthers(): boolean;
  readonly counters: Counters;
  /** Called when a job has recorded an alert event. */
  onAlert(): void;
  /** Called with an error that the database may have caused. */
  onStorageError(error: unknown): void;
}

/** The handler of the job queue: processes one symbol and records the outcome. */
export function symbolHandler(dependencies: Dependencies) {
  const { log, runs, pool, provider, hasOthers, counters, onAlert, onStorageError } = dependencies;
  let warnings = 0;
  return async ({ key }: QueuedTask, taker: object | null): Promise<TaskResult> => {
    const job = runs.registry.find(key);
    if (job === undefined) return DONE;
    try {
      if (!(await runs.control.begin(job, hasOthers(), seriesOf(job, provider)))) return DONE;
      // A stop that came between found no worker that has it.
      if (job.state !== "running") return DONE;
      const bars = new StoredBars(counters, job.run.row.provider);
      const listener: TaskListener = {
        stage(stage, counts) {
          if (stage.stage !== "waiting") bars.held(counts.dataPoints);
          // The state of a paused or cancelled job is already recorded; later reports of its worker are ignored.
          if (job.state !== "running") return;
          runs.registry.stage(job, stage, counts);
          runs.registry.touch(job.run);
        },
        coverage(coverage) {
          if (job.state === "running") job.coverage = coverage;
        },
        leftOut(cuts) {
          if (job.state === "running") job.leftOut = cuts;
        },
        log: (level, message) => log.write(level, `${job.symbol}: ${message}`, job.run.row.id, job.symbol),
        alert: onAlert,
      };
      // A worker that crashed on it may have crashed because of it: other jobs are kept out of its way.
      const outcome = await pool.run(taskOf(job), listener, job.workerCrashes > 0, taker);
      const counts = outcome.kind === "done" ? outcome : "counters" in outcome ? outcome.counters : undefined;
      if (counts) bars.held(counts.dataPoints);
      return await handleOutcome(dependencies, job, outcome);
    } catch (error) {
      if (error instanceof WorkerCrashed) {
        if (pool.crashes >= RESTART_AFTER * (1 + warnings)) {
          warnings += 1;
          log.write(
            "warn",
            `${pool.crashes} worker threads have crashed since the start, and each left open files: ${RESTART}`,
          );
        }
        return await handleCrash(runs, log, job, error);
      }
      if (error instanceof WorkerLost) {
        log.write("warn", `${job.symbol}: ${error.message}, trying again`, job.run.row.id, job.symbol);
        if (job.state === "running") await runs.control.putBack(job, { stage: "queued" });
        return AGAIN;
      }
      const fault = storageFault(error);
      if (fault !== null) {
        onStorageError(error);
        return await hold(runs, log, job, fault);
      }
      log.write("error", `${job.symbol}: ${traceOf(error)}`, job.run.row.id, job.symbol);
      if (job.state === "running") await runs.control.fail([job], `internal error: ${withoutPaths(messageOf(error))}`);
      return DONE;
    }
  };
}

/** Counts the bars that a job adds: what it holds at first was stored before. */
class StoredBars {
  #held: number | null = null;

  constructor(
    private readonly counters: Counters,
    private readonly provider: string,
  ) {}

  held(bars: number): void {
    const added = this.#held === null ? 0 : Math.max(0, bars - this.#held);
    this.#held = bars;
    this.counters.add("barkeep_bars_stored_total", { provider: this.provider }, added);
  }
}

/** The series that a job works on, which is created in the transaction of its start: its worker would commit it alone. */
function seriesOf({ symbol, run }: JobRecord, provider: Dependencies["provider"]): Statement[] {
  const { interval, provider: name } = run.row;
  const traits = provider(name)?.traits(symbol, interval);
  return traits === undefined ? [] : [newSeries({ symbol, interval, provider: name, ...traits })];
}

function taskOf({ id, symbol, run, fetchMode }: JobRecord): SymbolTask {
  const {
    id: runId,
    interval,
    mode,
    provider,
    rebuild,
    repairProvider,
    batchDays,
    rangeFrom,
    rangeTo,
    dated,
    asOf,
  } = run.row;
  const settings = { interval, mode, provider, rebuild, repairProvider, batchDays, rangeFrom, rangeTo, dated, asOf };
  return { jobId: id, runId, symbol, fetchMode, ...settings };
}

async function handleOutcome(
  { db, runs, log, onAlert }: Pick<Dependencies, "db" | "runs" | "log" | "onAlert">,
  job: JobRecord,
  outcome: Outcome,
): Promise<TaskResult> {
  switch (outcome.kind) {
    case "done": {
      const { seconds, ...counters } = outcome;
      // The worker's own write decides: a pause may have been stored before it, or too late.
      if ((await storedState(db, job.id)) === "complete") await runs.control.complete(job, seconds, counters);
      return DONE;
    }
    case "parked": {
      if (job.state !== "running") return DONE;
      const { wait, counters } = outcome;
      await runs.control.putBack(job, { stage: "waiting", wait }, counters);
      return { again: true, afterMs: Math.max(0, wait.until - Date.now()) };
    }
    case "failed":
      if (job.state !== "running") return DONE;
      await runs.control.fail([job], outcome.reason, outcome.counters);
      // With a refused key no other symbol of the provider can succeed: they are stopped with the same reason. A plan
      // refuses a symbol, market, interval or date: the others may be in it.
      if (outcome.error === "auth") {
        const { provider } = job.run.row;
        await runs.control.failProvider(provider, outcome.reason);
        await db.write(recordStatements([{ kind: "key_refused", at: Date.now(), provider, reason: outcome.reason }]));
        onAlert();
      }
      return DONE;
    case "held":
      return hold(runs, log, job, outcome.fault);
    case "lost":
      if (job.state !== "running") return DONE;
      await runs.control.putBack(job, { stage: "queued" });
      return AGAIN;
    case "stopped":
      if (outcome.reason !== "shutdown" || job.state !== "running") return DONE;
      // Its worker shuts down, and another one gets the job; or the server stops, and its next start queues it again.
      await runs.control.putBack(job, { stage: "queued" });
      return AGAIN;
  }
}

/** A fault of the database says nothing about the symbol: the job returns to the queue and continues where it was. */
async function hold(runs: RunService, log: Log, job: JobRecord, { what }: StorageFault): Promise<TaskResult> {
  log.write("warn", `${job.symbol}: waits. ${what}`, job.run.row.id, job.symbol);
  try {
    if (job.state === "running") await runs.control.putBack(job, { stage: "queued" });
  } catch (error) {
    // The server stops: its next start queues the job again.
    if (storageFault(error) === null) throw error;
  }
  return { again: true, afterMs: HELD_MS };
}

/** A worker crashed on the job: it is tried again, and fails with the third crash. */
async function handleCrash(runs: RunService, log: Log, job: JobRecord, error: WorkerCrashed): Promise<TaskResult> {
  if (job.state !== "running") return DONE;
  job.workerCrashes += 1;
  if (job.workerCrashes >= MAX_CRASHES) {
    await runs.control.fail([job], `Its worker died ${job.workerCrashes} times: ${withoutPaths(error.message)}`);
    return DONE;
  }
  log.write("warn", `${job.symbol}: worker died (${error.message}), trying again`, job.run.row.id, job.symbol);
  await runs.control.putBack(job, { stage: "queued" });
  return AGAIN;
}
