/** A server whose job queue is in another process: run control, an outage and a restart. */

import { expect, test } from "bun:test";
import { readConfig } from "../../../src/config.ts";
import { diagnose } from "../../../src/doctor.ts";
import { openJobQueue } from "../../../src/scheduler/queue/open-queue.ts";
import { openDatabase } from "../../../src/storage/db.ts";
import { QUEUE_PASSWORD } from "../../fakes/queue/servers.ts";
import { startApp, type TestApp, type TestAppOptions } from "../../helpers/app.ts";
import { migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";
import type { Client } from "../../helpers/http.ts";
import { spawnServer } from "../../helpers/server.ts";
import type { QueueAtProxy } from "./queue-server.ts";

const SYMBOLS = ["AAPL", "MSFT", "NVDA", "TSLA", "AMZN", "META"];
const RUN = { symbols: SYMBOLS, years: 1, batch_days: 365 };
/** Long enough that a job is at work when something is done with it, and nothing waits for its end. */
const SLOW = { DEMO_LATENCY_MS: "60000" };

/** What a server does with a symbol that is put first, whatever its job queue is. */
export function putFirstContract(env: () => Record<string, string>): void {
  test("a symbol that is put first begins before those that were enqueued before it, also after a restart", async () => {
    using folder = temporaryFolder();
    const open = () => startApp({ folder, env: { ...SLOW, ...env() } });
    let id: string;
    {
      await using app = await open();
      id = await app.start({ ...RUN, max_workers: 1 });
      await app.waitForJob("AAPL", ({ state }) => state === "running");
      for (const symbol of ["NVDA", "META"])
        expect((await app.post(`/api/runs/${id}/jobs/${symbol}/first`, {})).status).toBe(200);
      // One that is at work waits for nothing.
      expect((await app.post(`/api/runs/${id}/jobs/AAPL/first`, {})).status).toBe(409);
      await app.post(`/api/runs/${id}/jobs/AAPL/cancel`, {});
      await app.waitForJob("META", ({ state }) => state === "running");
      expect((await app.app.runs.read(id)).run.counts).toMatchObject({ running: 1, queued: 4, cancelled: 1 });
      await app.post(`/api/runs/${id}/jobs/META/cancel`, {});
      await app.waitForJob("NVDA", ({ state }) => state === "running");
      expect((await app.post(`/api/runs/${id}/jobs/AMZN/first`, {})).status).toBe(200);
      await app.post(`/api/runs/${id}/jobs/NVDA/cancel`, {});
      await app.waitForJob("AMZN", ({ state }) => state === "running");
      expect((await app.post(`/api/runs/${id}/jobs/TSLA/first`, {})).status).toBe(200);
      await app.post(`/api/runs/${id}/pause`, {});
      await app.post(`/api/runs/${id}/jobs/AMZN/cancel`, {});
    }
    await using app = await open();
    await app.post(`/api/runs/${id}/resume`, {});
    await app.waitForJob("TSLA", ({ state }) => state === "running");
    await app.post(`/api/runs/${id}/cancel`, {});
    await app.waitForRun(id, "cancelled");
  });
}

/** @param isWhole false where another queue has shown the rest: the contract of queues shows that they do not differ */
export function serverContract(at: QueueAtProxy, isWhole: boolean): void {
  const startServer = ({ env, ...options }: TestAppOptions = {}) =>
    startApp({ ...options, env: { BARKEEP_QUEUE: at.url, ...env } });

  /** Waits until the trouble of the queue has begun, or is over. */
  const trouble = (app: TestApp, begins: boolean) =>
    new Promise<void>((resolve) => {
      const look = () => (app.app.queue.trouble() !== null) === begins && resolve();
      app.app.queue.watch(look);
      look();
    });

  test("a run goes through the queue to its end, and leaves nothing in it", async () => {
    await using app = await startServer();
    const { run, jobs } = await app.waitForRun(await app.start(RUN), "complete");
    expect(run.counts.complete).toBe(SYMBOLS.length);
    expect(new Set(jobs.map(({ symbol }) => symbol)).size).toBe(SYMBOLS.length);
    const { body } = await app.get("/readyz");
    expect(body).toMatchObject({ status: "ready", queue: true });
    expect((await app.get("/metrics")).text).toContain("barkeep_queue_up 1");
  });

  test("an outage that lasts is an alert, and says nothing of the password", async () => {
    using folder = temporaryFolder();
    const db = await openDatabase(await migratedDatabase(folder));
    const place = readConfig({ BARKEEP_QUEUE: at.url }, []).queue!;
    const alerted = Promise.withResolvers<void>();
    const queue = await openJobQueue(place, { db, log: { write() {} }, onAlert: alerted.resolve }, 1);
    at.proxy.cut();
    await alerted.promise;
    at.proxy.heal();
    const [[event]] = (await db.rows("SELECT event FROM alert_events WHERE kind = 'queue_down'", [])) as [[string]];
    expect(JSON.parse(event).detail).toContain(`127.0.0.1:${at.proxy.port}`);
    expect(event).not.toContain(QUEUE_PASSWORD);
    await queue.close();
    db.close();
  });

  test("the doctor says whether the queue answers, and never its password", async () => {
    using folder = temporaryFolder();
    const find = async (url = at.url) => {
      for await (const finding of diagnose({ BARKEEP_DB_URL: folder.database(), BARKEEP_QUEUE: url })) {
        if (finding.what.startsWith("job queue")) return finding;
      }
      throw new Error("the doctor did not look at the queue");
    };
    const well = await find();
    expect(well.fault).toBeNull();
    const other = await find(at.url.replace(/[^/]*$/, at.url.startsWith("redis") ? "99" : "nowhere"));
    expect(other.fault).toMatch(/^it has no database "(?:99|nowhere)"$/);
    if (at.url.startsWith("redis")) {
      const wrong = await find(at.url.replace(QUEUE_PASSWORD, "wrong-one"));
      expect(wrong.fault).toBe("the password is refused");
      expect(JSON.stringify(wrong)).not.toContain("wrong-one");
    }
    at.proxy.cut();
    const away = await find();
    at.proxy.heal();
    expect(away.fault).not.toBeNull();
    expect(away.advice).toContain("BARKEEP_QUEUE");
    for (const text of [JSON.stringify(well), JSON.stringify(away)]) {
      expect(text).toContain(`127.0.0.1:${at.proxy.port}`);
      expect(text).not.toContain(QUEUE_PASSWORD);
    }
  });

  if (!isWhole) return;

  putFirstContract(() => ({ BARKEEP_QUEUE: at.url }));

  test("pause, resume, skip, cancel and max_workers do what they do without a queue", async () => {
    await using app = await startServer({ env: SLOW });
    const id = await app.start({ ...RUN, max_workers: 2 });
    await app.waitForJob("AAPL", ({ state }) => state === "running");
    await app.waitForJob("MSFT", ({ state }) => state === "running");
    const act = async (symbol: string, action: string) =>
      expect((await app.post(`/api/runs/${id}/jobs/${symbol}/${action}`, {})).status).toBe(200);
    await act("AAPL", "pause");
    await app.waitForJob("NVDA", ({ state }) => state === "running");
    await act("TSLA", "skip");
    await act("MSFT", "cancel");
    await app.waitForJob("AMZN", ({ state }) => state === "running");
    await act("AAPL", "resume");
    await act("NVDA", "cancel");
    await app.waitForJob("META", ({ state }) => state === "running");
    const { counts } = (await app.app.runs.read(id)).run;
    expect(counts).toMatchObject({ running: 2, queued: 1, cancelled: 2, skipped: 1 });
    expect((await app.post(`/api/runs/${id}/cancel`, {})).status).toBe(200);
    await app.waitForRun(id, "cancelled");
  });

  test("while the queue is down no job begins and everything says so; then all goes on by itself", async () => {
    await using app = await startServer();
    const began = trouble(app, true);
    at.proxy.cut();
    await began;
    const id = await app.start(RUN);
    const ready = await app.get("/readyz");
    expect(ready.status).toBe(503);
    expect(ready.body).toMatchObject({ status: "not ready", database: true, queue: false });
    expect(ready.body.reason).toContain("The job queue does not answer");
    expect((await app.get("/healthz")).body.queue).toMatch(/^down since \d{4}-.*Z$/);
    expect((await app.get("/metrics")).text).toContain("barkeep_queue_up 0");
    const page = await app.get("/");
    expect(page.text).toMatch(/The job queue does not answer<\/strong> since .*No new jobs begin/s);
    expect((await app.app.runs.read(id)).run.counts.queued).toBe(SYMBOLS.length);

    at.proxy.heal();
    await app.waitForRun(id, "complete");
    expect((await app.get("/readyz")).status).toBe(200);
    expect((await app.get("/")).text).not.toContain("The job queue does not answer</strong>");
    const said = app.printed.filter((line) => line.includes("he job queue"));
    expect(said.length).toBe(2);
    expect(said[1]).toContain("can be reached again");
    // Where it is concerns admins and what is printed; both pages are open to others, and show the stored log.
    expect(said[0]).toContain(`127.0.0.1:${at.proxy.port}`);
    const storedLines = async () =>
      (await app.app.db.rows("SELECT message FROM logs", [])).map(([line]) => String(line));
    while (!(await storedLines()).some((line) => line.includes("can be reached again"))) await Bun.sleep(20);
    const log = await storedLines();
    expect(log.filter((line) => line.startsWith("The job queue does not answer. ")).length).toBe(1);
    for (const text of [ready.text, page.text, ...log]) expect(text).not.toContain(`127.0.0.1:${at.proxy.port}`);
    for (const text of [ready.text, page.text, ...app.printed]) {
      expect(text).not.toContain(QUEUE_PASSWORD);
      expect(text).not.toContain(decodeURIComponent(QUEUE_PASSWORD));
    }
  });

  test("a server that starts again does what was left, once each, although the queue still has it", async () => {
    using folder = temporaryFolder();
    // The batch under way is finished before the end; a job has twelve of them.
    const first = await startServer({ folder, env: { DEMO_LATENCY_MS: "200" } });
    const id = await first.start({ ...RUN, batch_days: 30, max_workers: 2 });
    await first.waitForJob("MSFT", ({ state }) => state === "running");
    await first[Symbol.asyncDispose]();
    await using second = await startServer({ folder });
    const { jobs } = await second.waitForRun(id, "complete");
    expect(jobs.map(({ state }) => state)).toEqual(SYMBOLS.map(() => "complete"));
    for (const symbol of SYMBOLS) {
      const begun = second.printed.filter((line) => line.includes(`${symbol}: Complete - `));
      expect(begun.length, symbol).toBe(1);
    }
  });

  test("a server starts while the queue is away, and works when it comes", async () => {
    at.proxy.cut();
    await using app = await startServer();
    const id = await app.start(RUN);
    expect((await app.get("/readyz")).body.queue).toBe(false);
    at.proxy.heal();
    await app.waitForRun(id, "complete");
  });

  test("a server that is killed at work does what was left when it starts again, each batch once more at most", async () => {
    using folder = temporaryFolder();
    const env = {
      BARKEEP_DB_URL: await migratedDatabase(folder),
      BARKEEP_QUEUE: at.url,
      BARKEEP_WORKERS: "2",
      DEMO_LATENCY_MS: "60",
    };
    const first = spawnServer(env);
    const client = await first.listening;
    const { body } = await client.post("/api/runs", { ...RUN, batch_days: 30, max_workers: 2 });
    const id: string = body.run.id;
    const read = async (from: Client) => (await from.get(`/api/runs/${id}`)).body.run;
    for (;;) {
      const { jobs } = await read(client);
      if (jobs.some((job: { data_points: number; status: string }) => job.data_points > 0)) break;
      await Bun.sleep(20);
    }
    await first.kill();
    const second = spawnServer({ ...env, DEMO_LATENCY_MS: "0" });
    const again = await second.listening;
    while ((await read(again)).status === "running") await Bun.sleep(20);
    const run = await read(again);
    expect(run.counts.complete).toBe(SYMBOLS.length);
    expect(await second.stop()).toBe(0);
    const db = await openDatabase(folder.database());
    const [[windows, most]] = (await db.rows("SELECT count(*), max(attempts) FROM batches", [])) as [[number, number]];
    expect(windows).toBe(12 * SYMBOLS.length);
    expect(most).toBeLessThanOrEqual(2);
    db.close();
  });
}
