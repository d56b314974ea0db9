import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { FEATURE_COUNT } from "../../../src/features/catalog.ts";
import { STREAM_LIMIT } from "../../../src/hub.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { job } from "../../helpers/fixtures.ts";

const FINISHED = ["Complete", "Failed"];
const percent = (done: number, total: number) => Math.floor((100 * done) / total);

/** What docs/contract.md §2 prescribes for a job of `total` batches: status, progress and micro-stage. */
function expectedStages(total: number): [string, number, string | RegExp][] {
  return [
    ["Queued", 0, "Waiting for a worker"],
    ...Array.from({ length: total }, (_, i): [string, number, string] => [
      "Fetching history",
      Math.floor((45 * i) / total),
      `Batch ${i + 1}/${total}: ${percent(i, total)}%`,
    ]),
    ["Fetching history", 45, `Batch ${total}/${total}: 100%`],
    ...Array.from({ length: FEATURE_COUNT }, (_, i): [string, number, string] => [
      "Engineering features",
      50 + Math.floor((15 * (i + 1)) / FEATURE_COUNT),
      `Feature ${i + 1}/${FEATURE_COUNT}: ${percent(i + 1, FEATURE_COUNT)}%`,
    ]),
    ["Creating profile", 70, "Preparing profile metadata..."],
    ["Storing profile", 90, "Writing to database..."],
    ["Complete", 100, /^Completed in \d+\.\ds$/],
  ];
}

test("totals and usage are sent repeatedly while a run works, even when nothing happens in it", async () => {
  await using app = await startApp({ env: { DEMO_LATENCY_MS: "60000" } });
  const runId = await app.start({ symbols: ["AAPL", "MSFT", "SPY"], max_workers: 2 });
  await using events = await app.events();
  let [metrics, usage] = [0, 0];
  const seen = await events.until(({ event }) => {
    if (event === "metrics") metrics += 1;
    if (event === "usage") usage += 1;
    return metrics === 2 && usage === 2;
  });
  expect(seen.findLast(({ event }) => event === "metrics")!.data).toEqual({
    waiting: 1,
    active: 2,
    complete: 0,
    failed: 0,
    skipped: 0,
    symbols_per_minute: 0,
    bars_per_minute: 0,
    requests_per_minute: expect.any(Number),
    eta_seconds: 0,
  });
  await app.post(`/api/runs/${runId}/cancel`);
});

describe("one symbol, from request to profile", () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app[Symbol.asyncDispose]());

  test("the event stream has every micro-stage of the contract, in order, and each is logged in its words", async () => {
    await using events = await app.events();
    expect((await events.next()).event).toBe("snapshot");
    const runId = await app.start({ symbols: ["AAPL"] });
    const seen = await events.until(({ event, data }) => event === "run" && data.status === "complete");

    const progress = seen.filter(({ event }) => event === "progress").map(({ data }) => data);
    const wanted = expectedStages(24);
    expect(progress.map((p) => [p.status, p.progress, p.micro_stage])).toEqual(
      wanted.map(([status, at, text]) => [status, at, typeof text === "string" ? text : expect.stringMatching(text)]),
    );
    for (const event of progress) {
      expect(event).toEqual({
        run_id: runId,
        symbol: "AAPL",
        interval: "1d",
        state: expect.any(String),
        status: expect.any(String),
        progress: expect.any(Number),
        micro_stage: expect.any(String),
        data_points: expect.any(Number),
        api_calls: expect.any(Number),
        duration: expect.any(Number),
        seq: expect.any(Number),
      });
    }
    const last = progress.at(-1)!;
    expect(last.api_calls).toBe(24);
    expect(last.data_points).toBeGreaterThan(490);
    for (const counter of ["data_points", "api_calls", "duration", "seq"]) {
      const values = progress.map((event) => event[counter]);
      expect(values, counter).toEqual(values.toSorted((a, b) => a - b));
    }

    const lines = seen.filter(({ event }) => event === "log").map(({ data }) => [data.level, data.message]);
    // Of the features those that begin and end their stage are at info.
    const features = progress.filter((event) => event.status === "Engineering features");
    expect(features.length).toBeGreaterThan(2);
    for (const p of progress.slice(1)) {
      const level = features.slice(1, -1).includes(p) ? "debug" : "info";
      expect(lines).toContainEqual([level, `AAPL: ${p.status} - ${p.micro_stage} (${p.progress}%)`]);
    }
    expect(lines).toContainEqual(["info", "AAPL: Fetching history - Batch 2/24: 4% (1%)"]);
    expect(app.printed.some((text) => text.includes("info  AAPL: Fetching history - Batch 24/24: 100% (45%)"))).toBe(
      true,
    );

    // Nothing is left out or doubled: every event of the server, one number each.
    const numbers = seen.map(({ id }) => Number(id!.split("-")[1]));
    expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i));

    const { body } = await app.get("/api/profiles/AAPL");
    expect(body).toMatchObject({ symbol: "AAPL", interval: "1d", provider: "demo" });
    expect(Object.keys(body.features).length).toBe(FEATURE_COUNT);
    expect(body.backfill_metadata).toMatchObject({
      history_complete: true,
      history_rows: last.data_points,
      api_calls_used: 24,
      feature_count: FEATURE_COUNT,
      batch_size_days: 30,
    });
  });

  test("the event stream says why a symbol failed, and continues with the others", async () => {
    const runId = await app.start({ symbols: ["DEMO-FAIL", "AAPL@LSE", "MSFT"] });
    await app.waitForRun(runId, "failed");
    const { body } = await app.get(`/api/runs/${runId}`);
    const jobs = new Map(body.run.jobs.map((each: { symbol: string }) => [each.symbol, each]));
    expect(jobs.get("MSFT")).toMatchObject({ status: "Complete", progress: 100, error: null });
    expect(jobs.get("DEMO-FAIL")).toMatchObject({ status: "Failed", error: expect.stringContaining("never answers") });
    expect(jobs.get("AAPL@LSE")).toMatchObject({ status: "Failed", error: expect.stringContaining('exchange "LSE"') });
    expect((await app.get("/api/profiles/DEMO-FAIL")).status).toBe(404);
  });
});

/** Reports `count` synthetic events, giving the server room to send. */
async function reportMany(app: TestApp, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    app.app.hub.report(job({ runId: "chatter", symbol: `S${i % 50}`, dataPoints: i }));
    if (i % 200 === 199) await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("a viewer that reconnects", () => {
  test("a reader that reconnects learns how much it missed and gets a fresh snapshot", async () => {
    await using app = await startApp();
    const { hub } = app.app;
    await reportMany(app, 30);
    const cases = [
      [`${hub.epoch}-${hub.seq - 10}`, 10],
      [`${hub.epoch}-${hub.seq}`, 0],
      ["another-3", hub.seq],
      ["nonsense", hub.seq],
    ] as const;
    for (const [id, skipped] of cases) {
      await using events = await app.events("", { "Last-Event-ID": id });
      expect(await events.next()).toEqual({ event: "lagged", id: `${hub.epoch}-${hub.seq}`, data: { skipped } });
      const snapshot = await events.next();
      expect(snapshot.event).toBe("snapshot");
      expect(snapshot.data.jobs.length).toBe(30);
    }
  });
});

test("with ?latest=1 a reader gets the newest state of each job, never an older one", async () => {
  await using app = await startApp();
  await using events = await app.events("?latest=1");
  await events.next();
  // All of these happen before the stream can be written again.
  for (let i = 0; i < 500; i++) app.app.hub.report(job({ runId: "r", symbol: i % 2 ? "A" : "B", dataPoints: i }));
  app.app.hub.report(job({ runId: "r", symbol: "END" }));
  const seen = (await events.until(({ data }) => data.symbol === "END")).map(({ data }) => data);
  expect(seen.length).toBeLessThan(10);
  const newest = new Map(seen.map(({ symbol, data_points }) => [symbol, data_points]));
  expect([newest.get("A"), newest.get("B")]).toEqual([499, 498]);
});

test("a stream that is not read delays nobody, is not buffered for, and gets what it missed as a snapshot", async () => {
  await using app = await startApp();
  const { hub } = app.app;
  const { hostname, port } = new URL(app.url);
  const unread = connect(Number(port), hostname);
  await new Promise<void>((resolve) => unread.once("connect", resolve));
  unread.pause();
  unread.write(`GET /api/events HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);

  await using awake = await app.events();
  const first = await awake.next();
  const runId = await app.start({ symbols: ["AAPL", "MSFT"] });
  await app.waitForRun(runId, "complete");
  // Far more than the sockets of both ends hold.
  await reportMany(app, 60_000);
  hub.report(job({ runId: "chatter", symbol: "END" }));
  const isEnd = (each: { symbol: string }) => each.symbol === "END";
  const received = await awake.until(({ event, data }) => (event === "snapshot" ? data.jobs.some(isEnd) : isEnd(data)));
  let count = received.filter(({ event }) => event !== "lagged" && event !== "snapshot").length;
  for (const { event, data } of received) if (event === "lagged") count += data.skipped;
  // The server still sends metrics meanwhile, so only events up to the last received one are counted.
  expect(count).toBe(received.at(-1)!.data.seq - first.data.seq);

  // It is read again.
  let text = "";
  const woken = new Promise<void>((resolve) => {
    let end = -1;
    unread.on("data", (chunk: Buffer) => {
      const from = Math.max(0, text.length - 20);
      text += chunk.toString();
      if (end < 0) end = text.indexOf('"symbol":"END"', from);
      // Up to the end of that event: a gap is reported before the next event.
      if (end >= 0 && text.includes("\n\n", end)) resolve();
    });
  });
  unread.resume();
  await woken;
  unread.destroy();
  // What came last may be cut off in the middle.
  const whole = text.slice(0, text.lastIndexOf("\n\n") + 2);
  const told = [...whole.matchAll(/^event: (\w+)$/gm)].map(([, event]) => event!);
  const skipped = [...whole.matchAll(/^data: \{"skipped":(\d+)\}$/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
  const ids = [...whole.matchAll(/^id: \w+-(\d+)$/gm)].map(([, id]) => Number(id));
  expect(told.includes("lagged")).toBe(true);
  expect(text.lastIndexOf("event: snapshot")).toBeGreaterThan(text.indexOf("event: lagged"));
  expect(skipped).toBeGreaterThan(STREAM_LIMIT);
  const delivered = told.filter((event) => event !== "lagged" && event !== "snapshot").length;
  expect(delivered + skipped).toBe(ids.at(-1)! - ids[0]!);
}, 60_000);

test("closing the server ends the JSON streams", async () => {
  const app = await startApp();
  const events = await app.events();
  await events.next();
  const ended = events.until(({ event }) => FINISHED.includes(event)).catch((error: Error) => error.message);
  await app[Symbol.asyncDispose]();
  expect(await ended).toBe("the stream has ended");
});
