/** Workers on other machines that take keys from the queue themselves, beside a server: shares, labels, deaths, outages. */

import { expect, spyOn, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { JobLoad } from "../../../src/cli/worker/job-load.ts";
import { KeyTaker } from "../../../src/cli/worker/key-taker.ts";
import type { QueuePlace } from "../../../src/config/places.ts";
import { readConfig } from "../../../src/config.ts";
import { BullMqQueue, openBullMqQueue } from "../../../src/scheduler/queue/bullmq/bullmq-queue.ts";
import {
  eventually,
  hasJobs,
  hostOf,
  ORDER,
  spawnWorkerWith,
  startProxy,
  startServer,
  startWorker,
  stored,
  storedAlone,
} from "../../cli/worker/workers.ts";
import { QUEUE_PASSWORD } from "../../fakes/queue/servers.ts";
import { CHILD_ENV } from "../../helpers/server.ts";
import type { QueueAtProxy } from "./queue-server.ts";

const PROCESS = fileURLToPath(new URL("../../fakes/queue/worker-process.ts", import.meta.url));
/** How often keys of processes that have died are looked for, milliseconds: they wait for two of these looks. */
const stalled = 200;
const keyTimes = { lock: 600, stalled };

/** @param isWhole false where another queue has shown the rest: the contract of queues shows that they do not differ */
export function workerContract(at: QueueAtProxy, isWhole: boolean): void {
  const placeOf = (url: string): QueuePlace => readConfig({ BARKEEP_QUEUE: url }, []).queue!;
  const start = (latency = "40", workerLeaseMs = 10_000) =>
    startServer({ workerLeaseMs, queueTimes: { stalled }, env: { BARKEEP_QUEUE: at.url, DEMO_LATENCY_MS: latency } });
  type App = Awaited<ReturnType<typeof start>>;
  const takesKeys = (app: App, count = 1) =>
    eventually(
      () => app.app.hosts.list().filter(({ threads, queue }) => threads === 1 && queue === "up").length === count,
    );

  /** From now on the server takes no more keys than one for which it waits already; returns what ends that. */
  const leaveKeys = (app: App) => {
    const { keys } = app.app.hosts;
    const before = keys.place.bind(keys);
    const end = Promise.withResolvers<void>();
    keys.place = () => end.promise;
    return () => {
      keys.place = before;
      end.resolve();
    };
  };

  test("two workers take jobs from the queue beside the server, and the run ends like one without them", async () => {
    await using app = await start();
    await using one = startWorker(app.url, app.secret, { host: "one", queue: placeOf(at.url) });
    await using two = startWorker(app.url, app.secret, { host: "two", queue: placeOf(at.url) });
    await takesKeys(app, 2);
    leaveKeys(app);
    const { run } = await app.waitForRun(await app.start(ORDER), "complete");
    expect(run.counts.complete).toBe(ORDER.symbols.length);
    expect(await stored(app.app.db)).toEqual(await storedAlone());
    const workers = app.app.hosts.list();
    expect(workers.map(({ name }) => name).toSorted()).toEqual(["one", "two"]);
    expect(workers.reduce((sum, { taken }) => sum + taken, 0)).toBeGreaterThan(0);
    for (const { name, taken, ended } of workers) expect(ended, name).toBeGreaterThanOrEqual(taken);
    const { hosts } = (await app.get("/api/hosts")).body;
    expect(hosts.map(({ queue }: { queue: string | null }) => queue)).toEqual([null, "up", "up"]);
    for (const { lines } of [one, two])
      expect(lines[1]).toMatch(/^Takes jobs from the job queue, \w+:\/\/127\.0\.0\.1:\d+/);
  });

  if (!isWhole) return;

  test("keys that a worker may not have reach the others at once, and do not go round", async () => {
    await using app = await start("0");
    const other = { queue: placeOf(at.url), providers: ["eodhd"] };
    await using _one = startWorker(app.url, app.secret, { host: "one", ...other });
    await using _two = startWorker(app.url, app.secret, { host: "two", ...other });
    await takesKeys(app, 2);
    const claimed: [string, boolean][] = [];
    const { keys } = app.app.hosts;
    const claim = keys.claim.bind(keys);
    keys.claim = (request) => {
      const answer = claim(request);
      claimed.push([request.key, answer!.isHere]);
      return answer;
    };
    const symbols = Array.from({ length: 40 }, (_, at) => `S${at}`);
    // One batch each: what matters is where their keys go.
    await app.waitForRun(await app.start({ ...ORDER, from: "2024-12-01", symbols }), "complete");
    // Each key was claimed by one of them at most, and was the server's then.
    expect(new Set(claimed.map(([key]) => key)).size).toBe(claimed.length);
    expect(claimed.length).toBeGreaterThan(0);
    expect(claimed.filter(([, isHere]) => isHere)).toEqual([]);
    expect(app.app.hosts.list().map(({ taken, ended }) => [taken, ended])).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  test("a worker that is drained takes no more keys, and takes them again afterwards", async () => {
    await using app = await start();
    await using _ = startWorker(app.url, app.secret, { queue: placeOf(at.url) });
    await takesKeys(app);
    await app.app.hosts.setDraining(hostOf(app)!.id, true);
    await app.waitForRun(await app.start({ ...ORDER, symbols: ["FIRST", "NEXT"] }), "complete");
    expect(hostOf(app)!.ended).toBe(0);
    await app.app.hosts.setDraining(hostOf(app)!.id, false);
    leaveKeys(app);
    await app.waitForRun(await app.start(ORDER), "complete");
    expect(hostOf(app)!.taken).toBeGreaterThan(0);
  });

  test("a key whose process is killed before it claims it is done by others", async () => {
    await using app = await start();
    const queue = { place: placeOf(at.url), name: app.app.queue.name, isOwner: false, times: keyTimes, keys: [] };
    const thief = Bun.spawn([process.execPath, "--no-env-file", PROCESS], {
      env: { ...CHILD_ENV, QUEUE: JSON.stringify(queue) },
      stdout: "pipe",
      stderr: "inherit",
    });
    // The server waits for a key already; those after it are left to the thief.
    const takeKeys = leaveKeys(app);
    const id = await app.start(ORDER);
    const { value } = await thief.stdout.getReader().read();
    takeKeys();
    expect(new TextDecoder().decode(value)).toMatch(/:[A-Z-]+\n$/);
    thief.kill("SIGKILL");
    await thief.exited;
    await using _ = startWorker(app.url, app.secret, { queue: placeOf(at.url), keyTimes });
    await app.waitForRun(id, "complete");
    expect(await stored(app.app.db)).toEqual(await storedAlone());
  });

  test("a worker that is killed with jobs that it took from the queue loses them, and others end them", async () => {
    await using app = await start("240", 1_000);
    await using worker = spawnWorkerWith({ BARKEEP_QUEUE: at.url }, app.url, app.secret);
    await takesKeys(app);
    const takeKeys = leaveKeys(app);
    const run = await app.start(ORDER);
    await eventually(() => (hostOf(app)?.taken ?? 0) > 0 && hostOf(app)!.jobs > 0);
    worker.child.kill("SIGKILL");
    takeKeys();
    await eventually(() => app.app.hosts.list().length === 0);
    await app.waitForRun(run, "complete");
    expect(await stored(app.app.db)).toEqual(await storedAlone());
  });

  test("claims whose answers are lost are given back, and no job begins twice", async () => {
    await using app = await start();
    await using proxy = startProxy(app.url, 0.3);
    await using _ = startWorker(proxy.url, app.secret, { queue: placeOf(at.url), keyTimes });
    await takesKeys(app);
    await app.waitForRun(await app.start(ORDER), "complete");
    expect(proxy.dropped).toBeGreaterThan(0);
    expect(await stored(app.app.db)).toEqual(await storedAlone());
  });

  test("a worker that does not reach the queue is handed its jobs, says so, and takes keys again afterwards", async () => {
    await using app = await start();
    await using way = await at.another();
    await using worker = startWorker(app.url, app.secret, { queue: placeOf(way.url) });
    await takesKeys(app);
    way.proxy.cut();
    await eventually(() => hostOf(app)!.queue === "down");
    expect((await app.get("/metrics")).text).toContain('barkeep_host_queue_up{host="elsewhere"} 0');
    expect((await app.get("/hosts")).text).toContain("handed its jobs: it does not reach the queue");
    await app.waitForRun(await app.start(ORDER), "complete");
    expect(hostOf(app)).toMatchObject({ taken: 0, queue: "down" });
    expect(hostOf(app)!.ended).toBeGreaterThan(0);
    way.proxy.heal();
    await eventually(() => hostOf(app)!.queue === "up");
    expect((await app.get("/metrics")).text).toContain('barkeep_host_queue_up{host="elsewhere"} 1');
    leaveKeys(app);
    const more = ORDER.symbols.map((symbol) => `${symbol[0]}${symbol}`);
    await app.waitForRun(await app.start({ ...ORDER, symbols: more }), "complete");
    expect(hostOf(app)!.taken).toBeGreaterThan(0);
    expect(worker.lines[2]).toMatch(
      /^The job queue does not answer \(.*\): the server hands out the jobs until it does$/,
    );
    expect(worker.lines[3]).toStartWith("Takes jobs from the job queue, ");
    for (const line of worker.lines) expect(line).not.toContain(QUEUE_PASSWORD);
  });

  test("a worker with another queue than its server is handed its jobs, and it, the pages, metrics and the log say so", async () => {
    await using app = await start();
    await using elsewhere = await at.elsewhere();
    await using worker = startWorker(app.url, app.secret, { queue: placeOf(elsewhere.url) });
    await eventually(() => hostOf(app)?.queue === "other");
    expect((await app.get("/metrics")).text).toContain('barkeep_host_queue_up{host="elsewhere"} 0');
    expect((await app.get("/hosts")).text).toContain("its BARKEEP_QUEUE is not that of this server");
    const { hosts } = (await app.get("/api/hosts")).body;
    expect(hosts[1].queue).toBe("other");
    expect(app.printed.filter((line) => line.includes("takes jobs from another job queue"))).toHaveLength(1);
    await app.waitForRun(await app.start(ORDER), "complete");
    expect(hostOf(app)).toMatchObject({ taken: 0, queue: "other" });
    expect(hostOf(app)!.ended).toBeGreaterThan(0);
    const lines = worker.lines.filter((line) => line.includes("is not that of the server: set BARKEEP_QUEUE here"));
    expect(lines).toHaveLength(1);
    for (const line of worker.lines) expect(line).not.toContain(QUEUE_PASSWORD);
  });

  test("a queue without the mark of its server is another one only while the server answers: one that ends takes it away", async () => {
    const place = placeOf(at.url);
    const server = await openBullMqQueue({ place, name: "jobs-test-mark", isOwner: true });
    let isHeard = true;
    const lines: string[] = [];
    const taker = new KeyTaker({
      ...{ place, load: new JobLoad(1, 1), most: 1, times: { ...keyTimes, look: 20 } },
      claim: async () => null,
      mayTake: () => false,
      isHeard: () => isHeard,
      onChange: () => {},
      print: (line) => lines.push(line),
    });
    await taker.use("jobs-test-mark", server.mark);
    await eventually(() => taker.state === "up");
    const looks = spyOn(BullMqQueue.prototype, "hasMark");
    isHeard = false;
    await server.close();
    looks.mockClear();
    await eventually(() => looks.mock.calls.length > 5);
    expect([await looks.mock.results[3]!.value, taker.state]).toEqual([false, "up"]);
    isHeard = true;
    await eventually(() => taker.state === "other");
    expect(lines.map((line) => line.includes("is not that of the server"))).toEqual([false, true]);
    await taker.close();
    looks.mockRestore();
  });

  test("an outage of the queue leaves jobs at work on a worker alone, and both take keys again afterwards", async () => {
    await using app = await start("80");
    await using _ = startWorker(app.url, app.secret, { queue: placeOf(at.url) });
    await takesKeys(app);
    const id = await app.start(ORDER);
    await hasJobs(app);
    const began = new Promise<void>((resolve) => app.app.queue.watch((now) => now !== null && resolve()));
    at.proxy.cut();
    await began;
    await eventually(() => app.app.dispatcher.counts().active === 0);
    expect((await app.app.runs.read(id)).run.counts.failed).toBe(0);
    at.proxy.heal();
    await app.waitForRun(id, "complete");
    expect(await stored(app.app.db)).toEqual(await storedAlone());
  });

  test("a worker at a server without a job queue is handed its jobs", async () => {
    await using app = await startServer();
    await using worker = startWorker(app.url, app.secret, { queue: placeOf(at.url) });
    await eventually(() => hostOf(app)?.threads === 1);
    await app.waitForRun(await app.start(ORDER), "complete");
    expect(hostOf(app)).toMatchObject({ queue: null, taken: 0 });
    expect(hostOf(app)!.ended).toBeGreaterThan(0);
    expect(worker.lines).toContain("The server has no job queue outside: it hands out the jobs");
  });
}
