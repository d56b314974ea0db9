import { afterAll, afterEach, beforeAll, describe, expect, spyOn, test } from "bun:test";
import { Assignment } from "../../../src/pipeline/workers/assignment.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { temporaryFolder } from "../../helpers/folder.ts";

const SLOW = { DEMO_LATENCY_MS: "15" };

/** Of all tests that do not start it again; each has symbols of its own. */
let app: TestApp;
beforeAll(async () => {
  app = await startApp({ env: SLOW });
});
afterEach(async () => {
  const { hub, runs } = app.app;
  for (const { id, finishedAt } of hub.runs()) if (finishedAt === null) await runs.actOnRun(id, "cancel");
  await idle(app);
});
afterAll(() => app[Symbol.asyncDispose]());

/** The job is at least at this batch. */
const atBatch = (n: number) => (job: { microStage: string }) =>
  Number(/^Batch (\d+)\//.exec(job.microStage)?.[1] ?? 0) >= n;

const batches = async ({ app }: TestApp, symbol: string) =>
  app.db.rows(
    "SELECT from_ts, attempts FROM batches JOIN series ON id = series_id WHERE symbol = ?1 ORDER BY from_ts",
    [symbol],
  );

const stateOf = async (app: TestApp, runId: string, symbol: string) => {
  const { body } = await app.get(`/api/runs/${runId}`);
  return body.run.jobs.find((job: { symbol: string }) => job.symbol === symbol);
};

/** Waits until no worker has anything to do. */
const idle = async ({ app }: TestApp) => {
  while (app.hub.runs().some((run) => run.counts.running > 0)) await Bun.sleep(5);
};

describe("failures", () => {
  test("a run with failures stays in memory until somebody acknowledges them, over a restart and in every part of it", async () => {
    using folder = temporaryFolder();
    const inMemory = ({ app }: TestApp, id: string) => app.hub.runs().find((run) => run.id === id);
    let runId: string;
    {
      await using app = await startApp({ folder });
      runId = await app.start({ name: "  Night ", symbols: ["DEMO-FAIL", "K1"] });
      await app.waitForRun(runId, "failed");
      const others = Array.from({ length: 7 }, (_, at) => app.start({ symbols: [`KEPT${at}`], years: 1 }));
      for (const id of await Promise.all(others)) await app.waitForRun(id, "complete");
      await app.waitForRun(await app.start({ symbols: ["K2"] }), "complete");
      expect(app.app.hub.runs().length).toBeLessThan(8);
      expect(inMemory(app, runId)).toMatchObject({ name: "Night", acknowledgedAt: null });
    }
    await using app = await startApp({ folder });
    expect(inMemory(app, runId)).toMatchObject({ name: "Night", state: "failed", acknowledgedAt: null });
    const { status, body } = await app.post(`/api/runs/${runId}/acknowledge`);
    expect([status, body.run.name, typeof body.run.acknowledged_at]).toEqual([200, "Night", "string"]);
    expect((await app.post(`/api/runs/${runId}/acknowledge`)).body.run).toEqual(body.run);
    // A retry that fails again is news.
    await app.post(`/api/runs/${runId}/jobs/DEMO-FAIL/retry`);
    const { run } = await app.waitForRun(runId, "failed");
    expect(run.acknowledgedAt).toBe(null);
    const [row] = await app.app.db.rows("SELECT acknowledged_at, name FROM runs WHERE id = ?1", [runId]);
    expect(row).toEqual([null, "Night"]);
  });

  test("only failures of a run that has ended can be acknowledged", async () => {
    const runId = await app.start({ symbols: ["K3"] });
    await app.waitForRun(runId, "complete");
    const { status, body } = await app.post(`/api/runs/${runId}/acknowledge`);
    expect([status, body.detail]).toEqual([409, `Run ${runId} is complete: it has not ended with failures`]);
    expect((await app.post("/api/runs/none/acknowledge")).status).toBe(404);
  });

  test("the name of a run is a line of at most 80 characters", async () => {
    for (const name of ["", "a\nb", "x".repeat(81)]) {
      const { status, body } = await app.post("/api/runs", { symbols: ["K4"], name });
      expect([status, body.errors?.[0]?.path]).toEqual([422, "name"]);
    }
  });
});

test("a queued symbol that is put first is the next to be started, and says so", async () => {
  const runId = await app.start({ symbols: ["FIRST1", "FIRST2", "FIRST3", "FIRST4"], max_workers: 1 });
  await app.waitForJob("FIRST1", atBatch(1));
  const { status, body } = await app.post(`/api/runs/${runId}/jobs/FIRST4/first`);
  expect([status, body.job.status]).toEqual([200, "Queued"]);
  await app.waitForJob("FIRST4", (job) => job.state === "running");
  const states = await Promise.all(["FIRST1", "FIRST2", "FIRST3"].map((symbol) => stateOf(app, runId, symbol)));
  expect(states.map(({ state }) => state)).toEqual(["complete", "queued", "queued"]);
  const refused = await app.post(`/api/runs/${runId}/jobs/FIRST4/first`);
  expect([refused.status, refused.body.detail]).toEqual([
    409,
    "FIRST4 is running: only what is queued can be put first",
  ]);
  expect((await app.post(`/api/runs/${runId}/jobs/QQ/first`)).status).toBe(404);
});

test("a run by dates fetches these days alone, and contradictions are refused at their fields", async () => {
  const days = { from: "2024-01-01", to: "2024-03-01" };
  const runId = await app.start({ symbols: ["DAYS1"], ...days });
  await app.waitForRun(runId, "complete");
  const { body } = await app.get(`/api/runs/${runId}`);
  expect([body.run.from, body.run.to]).toEqual([days.from, days.to]);
  const { body: bars } = await app.get("/api/bars/DAYS1?format=json");
  const dates = bars.data.map(({ timestamp }: { timestamp: string }) => timestamp.slice(0, 10));
  expect([dates[0], dates.at(-1)]).toEqual(["2024-01-02", "2024-02-29"]);
  const faults = [
    [{ ...days, years: 2 }, "years"],
    [{ to: days.to }, "from"],
    [{ ...days, mode: "repair" }, "from"],
    [{ from: days.to, to: days.from }, "to"],
    [{ from: "2999-01-01" }, "from"],
    [{ from: "01/02/2024" }, "from"],
  ] as const;
  for (const [request, path] of faults) {
    const refused = await app.post("/api/runs", { symbols: ["DAYS2"], ...request });
    expect([refused.status, refused.body.errors[0].path]).toEqual([422, path]);
  }
});

describe("pausing", () => {
  test("pausing a job takes effect within one batch, and it resumes where it was", async () => {
    using acquire = spyOn(app.app.limiter, "acquire");
    using use = spyOn(Assignment.prototype, "use");
    const runId = await app.start({ symbols: ["P1"] });
    await app.waitForJob("P1", atBatch(4));
    const { status, body } = await app.post(`/api/runs/${runId}/jobs/P1/pause`);
    // A batch begins with its request, or with the use of a permit ahead; one more may have been on its way to the main thread.
    const begun = acquire.mock.calls.length + use.mock.calls.length;
    expect([status, body.job.status]).toEqual([200, "Paused"]);
    expect(body.job.micro_stage).toMatch(/^Paused by you since \d\d:\d\d:\d\d UTC$/);
    // A second job takes the worker: the paused one no longer has it.
    const other = await app.start({ symbols: ["P2"], max_workers: 1 });
    await app.waitForRun(other, "complete");
    const stored = await batches(app, "P1");
    expect(stored.length - begun).toBeLessThanOrEqual(1);
    expect(stored.length).toBeLessThan(24);
    expect(await stateOf(app, runId, "P1")).toMatchObject({ status: "Paused", state: "paused" });
    expect((await app.get(`/api/runs/${runId}`)).body.run.status).toBe("paused");

    expect((await app.post(`/api/runs/${runId}/jobs/P1/resume`)).body.job.state).toMatch(/queued|running/);
    await app.waitForRun(runId, "complete");
    const all = await batches(app, "P1");
    expect(all.length).toBe(24);
    expect(all.every(([, attempts]) => attempts === 1)).toBe(true);
    expect((await app.get("/api/profiles/P1")).body.backfill_metadata.api_calls_used).toBeLessThanOrEqual(25);
  });

  test("pausing at the instant a run is started holds it before its workers have begun", async () => {
    await using app = await startApp({ env: SLOW });
    const runId = await app.start({ symbols: ["AAPL", "MSFT", "GOOGL"] });
    expect((await app.post(`/api/runs/${runId}/pause`)).body.run.status).toBe("paused");
    const other = await app.start({ symbols: ["IBM"] });
    await app.waitForRun(other, "complete");
    expect((await app.get(`/api/runs/${runId}`)).body.run.counts).toMatchObject({ paused: 3, running: 0, complete: 0 });
    for (const symbol of ["AAPL", "MSFT", "GOOGL"]) {
      expect((await batches(app, symbol)).length).toBeLessThanOrEqual(1);
    }
  });

  test("a pause survives a restart, and so do cancelled and skipped jobs", async () => {
    using folder = temporaryFolder();
    let runId: string;
    {
      await using app = await startApp({ folder, env: SLOW });
      runId = await app.start({ symbols: ["AAPL", "MSFT", "GOOGL", "IBM"] });
      await app.waitForJob("AAPL", atBatch(3));
      await app.post(`/api/runs/${runId}/jobs/AAPL/pause`);
      await app.post(`/api/runs/${runId}/jobs/MSFT/cancel`);
      await app.post(`/api/runs/${runId}/jobs/GOOGL/skip`);
    }
    await using app = await startApp({ folder, env: SLOW });
    await app.waitForJob("IBM", (job) => job.state === "complete");
    const seen = await Promise.all(["AAPL", "MSFT", "GOOGL", "IBM"].map((symbol) => stateOf(app, runId, symbol)));
    expect(seen.map((job) => job.state)).toEqual(["paused", "cancelled", "skipped", "complete"]);
    expect(seen[0].progress).toBeGreaterThan(0);
    await app.post(`/api/runs/${runId}/resume`);
    await app.waitForRun(runId, "complete");
    expect((await batches(app, "AAPL")).map(([, attempts]) => attempts)).toEqual(Array(24).fill(1));
    expect((await app.get("/api/profiles/MSFT")).status).toBe(404);
  });

  test("pausing and resuming at once, repeatedly, works on nothing twice", async () => {
    const runId = await app.start({ symbols: ["Q1", "Q2"] });
    for (let i = 1; i <= 8; i++) {
      await app.waitForJob("Q1", atBatch(2 * i));
      expect((await app.post(`/api/runs/${runId}/pause`)).status).toBe(200);
      expect((await app.post(`/api/runs/${runId}/resume`)).status).toBe(200);
    }
    const { jobs } = await app.waitForRun(runId, "complete");
    expect(jobs.map(({ state, progress }) => [state, progress])).toEqual([
      ["complete", 100],
      ["complete", 100],
    ]);
    for (const symbol of ["Q1", "Q2"]) {
      expect((await batches(app, symbol)).map(([, attempts]) => attempts)).toEqual(Array(24).fill(1));
    }
  });
});

describe("ending a job", () => {
  test("cancel stops a job within one batch; retry asks only for the rest", async () => {
    const runId = await app.start({ symbols: ["C1"] });
    await app.waitForJob("C1", atBatch(3));
    expect((await app.post(`/api/runs/${runId}/cancel`)).body.run.status).toBe("cancelled");
    await idle(app);
    expect((await batches(app, "C1")).length).toBeLessThan(24);
    expect((await app.post(`/api/runs/${runId}/jobs/C1/retry`)).status).toBe(200);
    const { jobs } = await app.waitForRun(runId, "complete");
    expect(jobs[0]).toMatchObject({ state: "complete", progress: 100 });
    expect((await batches(app, "C1")).map(([, attempts]) => attempts)).toEqual(Array(24).fill(1));
  });

  test("an action that a state does not allow is refused and says why", async () => {
    const runId = await app.start({ symbols: ["R1", "R2"], max_workers: 1 });
    const refusals: [string, number, RegExp][] = [
      [`/api/runs/${runId}/jobs/R1/retry`, 409, /retry needs it to be failed, cancelled, skipped/],
      [`/api/runs/${runId}/jobs/R1/resume`, 409, /resume needs it to be paused/],
      [`/api/runs/${runId}/resume`, 409, /nothing in it to resume/],
      [`/api/runs/${runId}/jobs/R3/pause`, 404, /no symbol R3/],
      ["/api/runs/nobody/pause", 404, /no run "nobody"/],
      [`/api/runs/${runId}/jobs/R1/explode`, 422, /action/],
      [`/api/runs/${runId}/explode`, 422, /action/],
    ];
    for (const [path, status, detail] of refusals) {
      const answer = await app.post(path);
      expect([answer.status, answer.type], path).toEqual([status, "application/problem+json"]);
      expect(answer.body.detail).toMatch(detail);
    }
    await app.post(`/api/runs/${runId}/cancel`);
    expect((await app.post(`/api/runs/${runId}/cancel`)).status).toBe(409);
  });

  test("a finished run that is no longer in memory stays there when nothing can be done with it", async () => {
    using folder = temporaryFolder();
    let runId: string;
    {
      await using app = await startApp({ folder });
      runId = await app.start({ symbols: ["AAPL"], years: 1 });
      await app.waitForRun(runId, "complete");
    }
    await using app = await startApp({ folder });
    expect((await app.post(`/api/runs/${runId}/pause`)).status).toBe(409);
    expect(app.app.hub.runs()).toEqual([]);
    expect((await app.get(`/api/runs/${runId}`)).body.run).toMatchObject({ status: "complete", progress: 100 });
  });
});

describe("a symbol that is active at the interval", () => {
  test("a symbol active at the interval is refused with 409, the whole request, whoever asks at the same moment", async () => {
    const runs = async () => (await app.get("/api/runs")).body.runs.length;
    const before = await runs();
    const orders = await Promise.all(Array.from({ length: 5 }, () => app.post("/api/runs", { symbols: ["B1", "B2"] })));
    expect(orders.map(({ status }) => status).toSorted()).toEqual([202, 409, 409, 409, 409]);
    const refused = await app.post("/api/runs", { symbols: ["B3", "b2"] });
    expect([refused.status, refused.type]).toEqual([409, "application/problem+json"]);
    expect(refused.body.detail).toMatch(/B2 is already (waiting|running) at 1d in run/);
    expect(refused.body.errors[0].path).toBe("symbols.1");
    expect(await runs()).toBe(before + 1);
    // At another interval it is another series.
    const hourly = await app.post("/api/runs", { symbols: ["B1"], interval: "1h", years: 1 });
    expect(hourly.status).toBe(202);
    await app.post(`/api/runs/${hourly.body.run.id}/cancel`);
  });

  test("a symbol is free again when its job has ended, and a retry of an older job is refused while it is not", async () => {
    const first = await app.start({ symbols: ["F1"] });
    await app.post(`/api/runs/${first}/cancel`);
    const second = await app.start({ symbols: ["F1"] });
    const retry = await app.post(`/api/runs/${first}/jobs/F1/retry`);
    expect([retry.status, retry.type]).toEqual([409, "application/problem+json"]);
    expect(await stateOf(app, first, "F1")).toMatchObject({ state: "cancelled" });
    await app.waitForRun(second, "complete");
  });
});

describe("a worker that crashes", () => {
  const workerScript = new URL("../../fakes/workers/crashing-worker.ts", import.meta.url);

  test("a crashed worker is replaced; its job is tried again, and fails with the reason after three crashes", async () => {
    await using app = await startApp({ workerScript });
    // One at a time: a crash counts for every job that is on the thread.
    const runId = await app.start({ symbols: ["CRASHES", "AAPL", "CRASHES-ONCE", "MSFT"], max_workers: 1 });
    await app.waitForRun(runId, "failed");
    const seen = await Promise.all(
      ["CRASHES", "AAPL", "CRASHES-ONCE", "MSFT"].map((each) => stateOf(app, runId, each)),
    );
    expect(seen.map(({ status }) => status)).toEqual(["Failed", "Complete", "Complete", "Complete"]);
    expect(seen[0].error).toMatch(/^Its worker died 3 times: .*crashed on purpose/);
    const deaths = await app.app.db.rows("SELECT symbol, deaths FROM jobs WHERE deaths > 0 ORDER BY symbol", []);
    expect(deaths).toEqual([
      ["CRASHES", 3],
      ["CRASHES-ONCE", 1],
    ]);
    expect(app.app.pool.crashes).toBeGreaterThanOrEqual(3);
    // A retry starts counting again.
    await app.post(`/api/runs/${runId}/jobs/CRASHES/retry`);
    await app.waitForJob("CRASHES", (job) => job.state === "failed");
    while (app.app.pool.alive < app.app.pool.wanted) await Bun.sleep(5);
    expect((await app.get("/readyz")).status).toBe(200);
  });

  test("a worker that crashes while starting fails its jobs with the reason instead of leaving them to wait for good", async () => {
    const unstartable = new URL("../../fakes/workers/unstartable-worker.ts", import.meta.url);
    await using app = await startApp({ workerScript: unstartable });
    const runId = await app.start({ symbols: ["AAPL"] });
    await app.waitForRun(runId, "failed");
    expect((await stateOf(app, runId, "AAPL")).error).toContain("no memory left");
    const ready = await app.get("/readyz");
    expect([ready.status, ready.body.workers]).toEqual([503, { alive: 0, wanted: 2 }]);
  });
});
