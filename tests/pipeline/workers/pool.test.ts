/** The pool as a whole: start and shutdown. */

import { expect, test } from "bun:test";
import { pathToFileURL } from "node:url";
import type { SymbolTask, ToWorker, WorkerSettings } from "../../../src/pipeline/messages.ts";
import type { TaskListener } from "../../../src/pipeline/workers/assignment.ts";
import type { Gate } from "../../../src/pipeline/workers/gate.ts";
import { WorkerPool } from "../../../src/pipeline/workers/pool.ts";
import type { PoolThread } from "../../../src/pipeline/workers/worker-handle.ts";
import { RateLimiter } from "../../../src/providers/quotas/rate-limiter.ts";
import { valuesForThreads } from "../../../src/providers/registry.ts";
import { LEASE_KEY } from "../../../src/storage/connection/fence.ts";
import { WriteLock } from "../../../src/storage/connection/file/write-lock.ts";
import { openDatabase } from "../../../src/storage/db.ts";
import { insertRun, jobsOfRun, moveJobs } from "../../../src/storage/runs/runs.ts";
import { saveSetting } from "../../../src/storage/settings.ts";
import { valuesFor } from "../../fakes/providers.ts";
import { fakeEodhd } from "../../fakes/vendors/eodhd.ts";
import { reply } from "../../fakes/vendors/faults.ts";
import { testConfig } from "../../helpers/app.ts";
import { bundleOf } from "../../helpers/bundle/programs.ts";
import { migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";

const gate = { acquire: () => Promise.reject(new Error("nobody asks")) };
const listener = { stage() {}, coverage() {}, leftOut() {}, log() {}, alert() {} };

const task = (jobId: number): SymbolTask => ({
  jobId,
  runId: "r1",
  symbol: "ACME",
  interval: "1d",
  mode: "full",
  provider: "nobody",
  rebuild: false,
  repairProvider: null,
  fetchMode: "unanswered",
  dated: false,
  batchDays: 30,
  rangeFrom: 0,
  rangeTo: 86_400,
  asOf: 86_400,
});

/** The worker from its bundle, on a thread of its own that ends with it. */
const REAL_THREAD = pathToFileURL(bundleOf("pipeline/workers/worker.ts"));

function settingsFor(database: string, values = {}): WorkerSettings {
  const { dbUrl, dbToken, providerValues } = testConfig(database, values);
  const providers = { ...valuesForThreads(providerValues), sessions: {} };
  return { dbUrl, dbToken, dbFile: null, lease: "", writeLock: new WriteLock().shared, ...providers };
}

const startPool = (database: string, size: number, limiter: Gate = gate, values = {}) =>
  new WorkerPool(size, settingsFor(database, values), limiter);

test("a pool starts a worker for a job that none is free for, and no others", async () => {
  using folder = temporaryFolder();
  const database = await migratedDatabase(folder);
  const pool = startPool(database, 3);
  for (const jobId of [1, 2]) {
    const outcome = await pool.run(task(jobId), listener);
    expect(outcome).toMatchObject({ kind: "failed", reason: expect.stringContaining('no provider "nobody"') });
  }
  expect(pool.alive).toBe(1);
  await pool.close();
});

test("a pool starts one worker for many jobs, and as many more as jobs that compute have to wait for another", async () => {
  using folder = temporaryFolder();
  const script = new URL("../../fakes/workers/endless-worker.ts", import.meta.url);
  const never: Gate = { acquire: () => new Promise(() => {}) };
  const pool = new WorkerPool(8, settingsFor(await migratedDatabase(folder)), never, script, undefined, 1);
  const jobs = ["WAITS", "WAITS", "WAITS", "ONE", "TWO", "THREE"];
  const outcomes: Promise<unknown>[] = [];
  for (const [at, symbol] of jobs.entries()) {
    outcomes.push(pool.run({ ...task(at + 1), symbol }, listener));
    if (symbol === "WAITS") while (pool.alive === 0 || pool.counts.waiting("nobody") <= at) await Bun.sleep(1);
  }
  expect([pool.wanted, pool.counts.waiting("nobody")]).toEqual([1, 3]);
  while (pool.wanted === 1) await Bun.sleep(1);
  expect(pool.wanted).toBe(3);
  await pool.close();
  expect(await Promise.all(outcomes)).toEqual(jobs.map(() => ({ kind: "stopped", reason: "shutdown" })));
});

test("a pool ends the workers that have had no job for long, and starts others for the next job", async () => {
  using folder = temporaryFolder();
  const pool = new WorkerPool(2, settingsFor(await migratedDatabase(folder)), gate, REAL_THREAD, 1);
  for (const jobId of [1, 2]) {
    expect((await pool.run(task(jobId), listener)).kind).toBe("failed");
    while (pool.alive > 0) await Bun.sleep(1);
    expect([pool.alive, pool.wanted, pool.canStart, pool.crashes]).toEqual([0, 0, true, 0]);
  }
  await pool.close();
});

test("jobs of a thread whose worker is silent are counted aside, whatever they wait for, until it is heard of or is gone", async () => {
  using folder = temporaryFolder();
  const never: Gate = { acquire: () => new Promise(() => {}) };
  const pool = new WorkerPool(0, settingsFor(await migratedDatabase(folder)), never);
  const changes: number[] = [];
  let isSilent = false;
  const thread: PoolThread = {
    ...{ jobs: new Map(), ready: true, inTrouble: false, takes: () => !isSilent, send() {}, shutDown: async () => {} },
    ...{ host: {}, hasRoom: true },
    get isSilent() {
      return isSilent;
    },
  };
  pool.attach(thread);
  pool.counts.watch(() => void changes.push(pool.counts.aside("nobody")));
  const outcomes = [1, 2].map((jobId) => pool.run(task(jobId), listener).catch(() => "lost"));
  pool.receive(thread, { type: "acquire", jobId: 1, request: 1, provider: "nobody", cost: 1 });
  pool.receive(thread, { type: "committing", jobId: 2, isCommitting: true });
  const { counts } = pool;
  const now = () => [pool.threads, counts.waiting("nobody"), counts.committing("nobody"), counts.aside("nobody")];
  expect(now()).toEqual([1, 1, 1, 0]);
  const silence = (next: boolean) => {
    isSilent = next;
    pool.silenceChanged(thread);
  };
  silence(true);
  expect([...now(), counts.allAside]).toEqual([0, 0, 0, 2, 2]);
  expect(changes.at(-1)).toBe(2);
  silence(false);
  expect(now()).toEqual([1, 1, 1, 0]);
  silence(true);
  pool.detach(thread, new Error("gone"));
  expect(await Promise.all(outcomes)).toEqual(["lost", "lost"]);
  expect([...now(), counts.allAside]).toEqual([0, 0, 0, 0, 0]);
  await pool.close();
});

/** A pool of threads that the test plays, behind a limiter that allows eight requests a minute. */
function playedPool(database: string, hosts: readonly (object | null)[]) {
  const limits = [{ period: "minute", counts: "requests", limit: 8 }] as const;
  const clock = new VirtualClock();
  const limiter = new RateLimiter([{ provider: "nobody", account: "nobody:1", limits }], { clock });
  const of = ({ runId, jobId }: Pick<SymbolTask, "runId" | "jobId">) => ({ run: runId, job: String(jobId) });
  const pool = new WorkerPool(0, settingsFor(database), {
    acquire: ({ task, held, ...request }) => limiter.acquire({ ...request, ...of(task), onWait: held }),
    lease: ({ task, ...request }) => limiter.lease({ ...request, ...of(task) }),
  });
  const threads = hosts.map((host) => {
    const sent: ToWorker[] = [];
    const thread: PoolThread = {
      ...{ jobs: new Map(), ready: true, inTrouble: false, isSilent: false, host, hasRoom: true },
      ...{ takes: () => true, send: (message) => void sent.push(message), shutDown: async () => {} },
    };
    pool.attach(thread);
    return { thread, sent };
  });
  const used = () => limiter.state("nobody")!.gauges[0]!.used;
  return { pool, limiter, clock, threads, used };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const ofProvider = { provider: "nobody", cost: 1 } as const;

test("permits that a job has ahead are recalled when a request of another job waits", async () => {
  using folder = temporaryFolder();
  const { pool, limiter, threads, used } = playedPool(await migratedDatabase(folder), [null, null]);
  const [first, second] = threads as [(typeof threads)[0], (typeof threads)[0]];
  const outcomes = [1, 2].map((jobId) => pool.run(task(jobId), listener).catch(() => "lost"));
  expect([...first.thread.jobs.keys(), ...second.thread.jobs.keys()]).toEqual([1, 2]);
  pool.receive(first.thread, { type: "lease", jobId: 1, request: 100, count: 2, ...ofProvider });
  for (let request = 1; request <= 6; request++)
    pool.receive(second.thread, { type: "acquire", jobId: 2, request, ...ofProvider });
  await settled();
  expect([used(), first.sent.filter(({ type }) => type === "recall")]).toEqual([8, []]);
  for (const request of [7, 8]) pool.receive(second.thread, { type: "acquire", jobId: 2, request, ...ofProvider });
  await settled();
  expect(first.sent.filter(({ type }) => type === "recall")).toEqual([{ type: "recall", provider: "nobody" }]);
  expect(second.sent.filter(({ type }) => type === "recall")).toEqual([]);
  pool.receive(first.thread, { type: "unused", jobId: 1, requests: [100, 101] });
  await settled();
  expect(second.sent.filter(({ type }) => type === "granted")).toHaveLength(8);
  for (const { thread } of threads) pool.detach(thread, new Error("over"));
  await Promise.all(outcomes);
  await pool.close();
  limiter.close();
});

test("what a dead thread had of the limiter is free a minute later, and a block on its way to it at once", async () => {
  using folder = temporaryFolder();
  for (const host of [null, {}]) {
    const { pool, limiter, clock, threads, used } = playedPool(await migratedDatabase(folder), [host]);
    const [{ thread }] = threads as [(typeof threads)[0]];
    const outcome = pool.run(task(1), listener).catch(() => "lost");
    pool.receive(thread, { type: "acquire", jobId: 1, request: 1, ...ofProvider });
    pool.receive(thread, { type: "lease", jobId: 1, request: 100, count: 2, ...ofProvider });
    await settled();
    pool.receive(thread, { type: "lease", jobId: 1, request: 102, count: 1, ...ofProvider });
    expect(used()).toBe(4);
    pool.detach(thread, new Error("gone"));
    await settled();
    expect(used()).toBe(3);
    await clock.advance(60_001);
    // Of one on another machine it is not known what it still sends.
    expect(used(), String(host)).toBe(host === null ? 0 : 3);
    await outcome;
    await pool.close();
    limiter.close();
  }
});

test("a pool that is closed while its workers still start closes without errors", async () => {
  using folder = temporaryFolder();
  const database = await migratedDatabase(folder);
  // Each round stops the threads later in their start: before they load, while they do, at the database, and after.
  for (const started of [0, 40, 80, 140]) {
    const pool = new WorkerPool(2, settingsFor(database), gate, REAL_THREAD);
    pool.warm();
    await Bun.sleep(started);
    await pool.close();
    expect(pool.alive).toBe(0);
  }
});

/** A database with a run of one symbol whose job has been started; `task` is that job. */
async function startedJob(folder: ReturnType<typeof temporaryFolder>, provider: string, symbol: string) {
  const database = await migratedDatabase(folder);
  const db = await openDatabase(database);
  await saveSetting(db, LEASE_KEY, "");
  const range = { rangeFrom: 1_717_200_000, rangeTo: 1_717_804_800, asOf: 1_717_804_800 };
  const row = { id: "r1", mode: "full", interval: "1d", provider, years: "1", batchDays: 30 } as const;
  await insertRun(db, { ...row, ...range, maxWorkers: 1, rebuild: false, repairProvider: null, createdAt: 1 }, [
    symbol,
  ]);
  const [job] = await jobsOfRun(db, "r1");
  await moveJobs(db, [job!.id], "start");
  return { database, db, task: { ...task(job!.id), ...range, symbol, provider } };
}

test("a job that waits for the limiter reports every request that it has sent, refused ones too", async () => {
  using folder = temporaryFolder();
  const fake = fakeEodhd();
  fake.script.push(reply(429, ""), reply(429, ""));
  const { database, db, task } = await startedJob(folder, "eodhd", "AAPL");
  const waited: number[] = [];
  const busy: Gate = {
    async acquire({ held }) {
      held({ cause: "rate", until: Date.now() + 1_000 });
      return { settle() {} };
    },
  };
  const stages: TaskListener["stage"] = ({ stage }, { apiCalls }) =>
    void (stage === "waiting" && waited.push(apiCalls));
  const values = valuesFor(fake, "eodhd") as Record<string, string>;
  const pool = startPool(database, 1, busy, values);
  const outcome = await pool.run(task, { ...listener, stage: stages });
  expect(outcome.kind).toBe("done");
  expect(waited).toEqual([0, 1, 2, 3, 4]);
  await pool.close();
  db.close();
  await fake.close();
}, 60_000);

test("a job whose requests follow each other fast has permits ahead, and what it does not use is returned", async () => {
  using folder = temporaryFolder();
  const { database, db, task } = await startedJob(folder, "demo", "ACME");
  const counts = { asked: 0, leased: 0, settled: 0, unsent: 0 };
  const settle = () => {
    counts.settled += 1;
  };
  const unsent = () => {
    counts.unsent += 1;
  };
  const limiter: Gate = {
    async acquire() {
      counts.asked += 1;
      return { settle };
    },
    async lease({ count }) {
      counts.leased += count;
      return Array.from({ length: count }, () => ({ settle, unsent }));
    },
  };
  const pool = startPool(database, 1, limiter);
  const requests = 24;
  const outcome = await pool.run({ ...task, rangeFrom: task.rangeTo - requests * 30 * 86_400 }, listener);
  expect(outcome).toMatchObject({ kind: "done", apiCalls: requests });
  expect(counts.leased).toBeGreaterThan(0);
  expect(counts.settled).toBe(requests);
  expect(counts.asked + counts.leased - counts.unsent).toBe(requests);
  await pool.close();
  db.close();
}, 60_000);
