import { expect, test } from "bun:test";
import { runAs } from "../../../src/auth.ts";
import type { JobProgress, Wait } from "../../../src/domain/runs/progress.ts";
import type { RunSummary } from "../../../src/domain/runs/run-summary.ts";
import { ProgressHub } from "../../../src/hub.ts";
import type { Provider } from "../../../src/providers/provider.ts";
import type { JobDispatcher } from "../../../src/scheduler/queue/dispatcher.ts";
import { JobControl } from "../../../src/scheduler/runs/job-control.ts";
import { type JobRecord, progressOf, type RunRecord, recordOf } from "../../../src/scheduler/runs/run-records.ts";
import { RunRegistry } from "../../../src/scheduler/runs/run-registry.ts";
import { runRow } from "../../../src/scheduler/runs/run-request.ts";
import { openDatabase } from "../../../src/storage/db.ts";
import { findRun, insertRun, jobsOfRun } from "../../../src/storage/runs/runs.ts";
import { migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";

const REQUEST = { symbols: [], mode: "full", interval: "1d", years: 2, batchDays: 30 } as const;

/** Run control on a database that lists every effect in its order: of memory, dispatcher, worker, rows, audit and viewers. */
async function startControl() {
  const folder = temporaryFolder();
  const db = await openDatabase(await migratedDatabase(folder));
  const sql = (text: string, ...args: string[]) => db.write([{ sql: text, args }]);
  await sql("CREATE TABLE effects (id INTEGER PRIMARY KEY, name TEXT NOT NULL)");
  const listed = (table: string, name: string) =>
    sql(`CREATE TRIGGER list_${name} AFTER ${table} BEGIN INSERT INTO effects (name) VALUES ('${name}'); END`);
  await listed("UPDATE OF state ON jobs", "rows");
  await listed("INSERT ON audit", "audit");
  const list = (name: string) => void sql("INSERT INTO effects (name) VALUES (?)", name);

  class ListingHub extends ProgressHub {
    override report(state: Omit<JobProgress, "seq">): JobProgress {
      list("memory");
      return super.report(state);
    }
    override reportRun(run: RunSummary): void {
      list("reconcile");
      super.reportRun(run);
    }
  }
  const hub = new ListingHub();
  const log = { write() {} };
  const registry = new RunRegistry({ hub, log });
  const dispatcher: JobDispatcher = {
    enqueue: () => list("enqueue"),
    promote: () => true,
    cancel: () => {
      list("dispatcher");
      return true;
    },
    limitGroup() {},
    counts: () => ({ waiting: 0, active: 0 }),
  };
  const control = new JobControl({ db, log, dispatcher, registry, stopWork: () => list("worker") });
  return {
    db,
    sql,
    hub,
    registry,
    control,
    /** A stored run of some symbols, in memory. */
    async run(...symbols: string[]) {
      const row = runRow(REQUEST, { name: "acme" } as Provider, 2, Date.now());
      await insertRun(db, row, symbols);
      const run = registry.open(row, await jobsOfRun(db, row.id), () => null);
      return { run, jobs: [...run.jobs.values()] };
    },
    /** The effects of what an operator asks for, each named once in a row. */
    async effectsOf(work: () => Promise<void>): Promise<string[]> {
      await sql("DELETE FROM effects");
      await runAs({ name: "ann", scope: "operate" }, null, work);
      const names = (await db.rows("SELECT name FROM effects ORDER BY id", [])).map(([name]) => String(name));
      return names.filter((name, at) => name !== names[at - 1]);
    },
    /** The run as a restart would find it. */
    async stored({ row }: RunRecord) {
      const found = await findRun(db, row.id);
      if (found === undefined) throw new Error("the run is not stored");
      return recordOf(found, await jobsOfRun(db, row.id), () => null);
    },
    [Symbol.dispose]() {
      registry.close();
      hub.close();
      db.close();
      folder[Symbol.dispose]();
    },
  };
}

/** All that memory has of a job. */
const memoryOf = ({ run: _, ...job }: JobRecord) => structuredClone(job);
const shownOf = (job: JobRecord): object => {
  const { state, status, progress, microStage, wait } = progressOf(job, 0);
  return { state, status, progress, microStage, wait };
};

for (const action of ["pause", "cancel", "skip"] as const) {
  test(`${action} is stored before it is in memory, and before dispatcher and worker are told`, async () => {
    using scene = await startControl();
    const { run, jobs } = await scene.run("AAPL", "MSFT");
    await scene.control.begin(jobs[0]!);
    const effects = await scene.effectsOf(() => scene.control.stopJobs(run, jobs, action));
    expect(effects.slice(0, 3)).toEqual(["rows", "audit", "memory"]);
    expect(effects).toContain("worker");
    expect(effects.at(-1)).toBe("reconcile");
    const stored = await scene.stored(run);
    for (const job of jobs) expect(shownOf(stored.jobs.get(job.symbol)!)).toEqual(shownOf(job));
  });
}

test("a resumed job is stored before it is in memory and in the queue", async () => {
  using scene = await startControl();
  const { run, jobs } = await scene.run("AAPL", "MSFT");
  await scene.control.stopJobs(run, jobs, "pause");
  const effects = await scene.effectsOf(() => scene.control.resumeJobs(run, jobs));
  expect(effects).toEqual(["rows", "audit", "memory", "enqueue", "reconcile"]);
});

for (const action of ["retry", "refetch"] as const) {
  test(`${action} is stored before it is in memory and in the queue`, async () => {
    using scene = await startControl();
    const { run, jobs } = await scene.run("AAPL", "MSFT");
    await scene.control.stopJobs(run, jobs, "cancel");
    const effects = await scene.effectsOf(() => scene.control.requeueJobs(run, jobs, action));
    expect(effects).toEqual(["rows", "audit", "memory", "enqueue", "reconcile"]);
  });
}

test("a requeue that cannot be written leaves memory, queue and viewers as they were", async () => {
  using scene = await startControl();
  const { run, jobs } = await scene.run("AAPL", "MSFT");
  await scene.control.fail(jobs, "no such symbol");
  const [before, seq] = [jobs.map(memoryOf), scene.hub.seq];
  await scene.sql("CREATE TRIGGER full BEFORE UPDATE ON jobs BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
  const coverage = async () => new Map(jobs.map((job) => [job, { cells: "..", total: 2, answered: 0, failed: 0 }]));
  const effects = await scene.effectsOf(async () => {
    const refused = scene.control.requeueJobs(run, jobs, "refetch", { fetchMode: "missing", coverage });
    await expect(refused).rejects.toThrow();
  });
  expect(effects).toEqual([]);
  expect([jobs.map(memoryOf), scene.hub.seq]).toEqual([before, seq]);
  expect(scene.registry.stateOf(run)).toBe("failed");

  await scene.sql("DROP TRIGGER full");
  await scene.control.requeueJobs(run, jobs, "refetch", { fetchMode: "missing", coverage });
  expect(jobs[0]).toMatchObject({ state: "queued", fetchMode: "missing", coverage: { total: 2 } });
});

test("a retry of a symbol that another run has by now is refused and changes nothing", async () => {
  using scene = await startControl();
  const { run, jobs } = await scene.run("AAPL");
  await scene.control.stopJobs(run, jobs, "skip");
  await scene.run("AAPL");
  const before = jobs.map(memoryOf);
  await expect(scene.control.requeueJobs(run, jobs, "retry")).rejects.toThrow("AAPL is already waiting at 1d in run");
  expect(jobs.map(memoryOf)).toEqual(before);
  expect((await scene.stored(run)).jobs.get("AAPL")?.state).toBe("skipped");
});

test("a parked job says what it waits for until a restart, which lets it wait for a worker", async () => {
  using scene = await startControl();
  const { run, jobs } = await scene.run("AAPL");
  const job = jobs[0]!;
  await scene.control.begin(job);
  scene.registry.stage(job, { stage: "fetch", done: 6, total: 24 });
  const wait: Wait = { cause: "quota", until: 900_000 };
  await scene.control.putBack(job, { stage: "waiting", wait });
  const shown = { state: "queued", progress: 11 };
  const parked = { status: "Fetching history", microStage: "Rate limit: resuming in 900s", wait };
  expect(shownOf(job)).toEqual({ ...shown, ...parked });
  expect(progressOf(job, 899_500).microStage).toBe("Rate limit: resuming in 1s");
  const queued = { ...shown, status: "Queued", microStage: "Waiting for a worker", wait: null };
  expect(shownOf((await scene.stored(run)).jobs.get("AAPL")!)).toEqual(queued);
  // A database of an earlier version has the sentence in the row.
  await scene.sql("UPDATE jobs SET micro_stage = 'Rate limit: resuming in 900s'");
  expect(shownOf((await scene.stored(run)).jobs.get("AAPL")!)).toEqual(queued);
  // A worker that takes it up ends the wait.
  await scene.control.begin(job);
  expect(job.wait).toBeNull();
});

test("a failed job shows the same after a restart", async () => {
  using scene = await startControl();
  const { run, jobs } = await scene.run("AAPL");
  await scene.control.begin(jobs[0]!);
  scene.registry.stage(jobs[0]!, { stage: "engineer", done: 100, total: 200 });
  await scene.control.fail(jobs, "EODHD: AAPL is not known");
  const failed = {
    state: "failed",
    status: "Failed",
    progress: 57,
    microStage: "EODHD: AAPL is not known",
    wait: null,
  };
  expect(shownOf(jobs[0]!)).toEqual(failed);
  expect(shownOf((await scene.stored(run)).jobs.get("AAPL")!)).toEqual(failed);
});
