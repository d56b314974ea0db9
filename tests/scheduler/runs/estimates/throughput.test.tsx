import { describe, expect, test } from "bun:test";
import { ProgressHub } from "../../../../src/hub.ts";
import { createLog } from "../../../../src/log.ts";
import type { Provider } from "../../../../src/providers/provider.ts";
import type { QuotaLimit } from "../../../../src/providers/quotas/meters.ts";
import { RateLimiter } from "../../../../src/providers/quotas/rate-limiter.ts";
import { RunRegistry } from "../../../../src/scheduler/runs/run-registry.ts";
import { runRow } from "../../../../src/scheduler/runs/run-request.ts";
import { RunHead } from "../../../../src/views/runs/run-header.tsx";
import { VirtualClock } from "../../../helpers/virtual-clock.ts";
import { storedJob } from "./stored-job.ts";

const NOON = Date.UTC(2026, 0, 5, 12);
const MINUTE = 60_000;

/** A run of some symbols in memory, on a clock of its own, behind a real limiter. */
function board(symbols: number, limits: readonly QuotaLimit[] = []) {
  const clock = new VirtualClock(NOON);
  const hub = new ProgressHub();
  const log = createLog({ level: "error", hub, save: () => {}, redact: (text) => text, print: () => {} });
  const quota = new RateLimiter([{ provider: "acme", account: "acme:1", limits }], { clock });
  const registry = new RunRegistry({ hub, log, quotaOf: () => quota.snapshot()[0], now: () => clock.now() });
  const order = { symbols: [], mode: "full", interval: "1d", years: 2, batchDays: 30 } as const;
  const row = runRow(order, { name: "acme" } as Provider, 2, NOON);
  const rows = Array.from({ length: symbols }, (_, id) => storedJob({ id, runId: row.id, symbol: `S${id}` }));
  const run = registry.open(row, rows, () => null);
  const jobs = [...run.jobs.values()];
  return {
    clock,
    run,
    jobs,
    summary: () => registry.summary(run),
    head: () => String(<RunHead run={registry.summary(run)} />),
    begin(job: (typeof jobs)[number]) {
      job.state = "running";
      registry.startWork(job);
      // Its first report has what is stored already.
      const before = job.counters.apiCalls === 0 ? { dataPoints: 0, apiCalls: 0 } : job.counters;
      registry.stage(job, { stage: "fetch", done: 0, total: 24 }, before);
    },
    fetched(job: (typeof jobs)[number], batches: number, bars: number) {
      registry.stage(job, { stage: "fetch", done: batches, total: 24 }, { dataPoints: bars, apiCalls: batches });
    },
    report(job: (typeof jobs)[number], counters: { dataPoints: number; apiCalls: number }) {
      if (job.workingSince === null) registry.startWork(job);
      registry.stage(job, { stage: "fetch", done: 0, total: 24 }, counters);
    },
    complete(job: (typeof jobs)[number]) {
      registry.stopWork(job);
      job.state = "complete";
      registry.stage(job, { stage: "complete", seconds: 1 });
    },
    ask: (cost: number) => quota.acquire({ provider: "acme", run: row.id, job: "1", cost }),
    hold: (holdSeconds: number) => quota.report("acme", { holdSeconds }),
    [Symbol.dispose]() {
      quota.close();
      hub.close();
    },
  };
}

describe("the rates of a run", () => {
  test("the rates of a run are those of the last five minutes, fall while nothing happens, and become the average at the end", async () => {
    using b = board(2);
    const [first, second] = [b.jobs[0]!, b.jobs[1]!];
    b.begin(first);
    await b.clock.advance(MINUTE);
    b.fetched(first, 12, 250);
    expect(b.summary()).toMatchObject({ symbolsPerMinute: 0, barsPerMinute: 250, requestsPerMinute: 12 });
    await b.clock.advance(MINUTE);
    b.fetched(first, 24, 500);
    b.complete(first);
    expect(b.summary()).toMatchObject({ symbolsPerMinute: 0.5, barsPerMinute: 250, requestsPerMinute: 12 });
    await b.clock.advance(2 * MINUTE);
    expect(b.summary()).toMatchObject({ barsPerMinute: 125, requestsPerMinute: 6 });
    await b.clock.advance(6 * MINUTE);
    expect(b.summary()).toMatchObject({ symbolsPerMinute: 0, barsPerMinute: 0, requestsPerMinute: 0 });
    // Eight idle minutes are not part of the average.
    b.begin(second);
    await b.clock.advance(2 * MINUTE);
    b.fetched(second, 24, 500);
    b.complete(second);
    b.run.finishedAt = b.clock.now();
    expect(b.summary()).toMatchObject({ symbolsPerMinute: 0.5, barsPerMinute: 250, requestsPerMinute: 12 });
    await b.clock.advance(60 * MINUTE);
    expect(b.summary().barsPerMinute).toBe(250);
  });

  test("the rates of a run count what a resumed job adds, not what it had", async () => {
    using b = board(1);
    const job = b.jobs[0]!;
    job.counters = { dataPoints: 400, apiCalls: 20 };
    b.begin(job);
    await b.clock.advance(MINUTE);
    b.fetched(job, 21, 420);
    expect(b.summary()).toMatchObject({ barsPerMinute: 20, requestsPerMinute: 1 });
  });
});

test("bars that were stored before a run are none of its speed", async () => {
  using b = board(1);
  const job = b.jobs[0]!;
  job.state = "running";
  b.report(job, { dataPoints: 1_458, apiCalls: 0 });
  await b.clock.advance(MINUTE);
  b.report(job, { dataPoints: 1_460, apiCalls: 1 });
  expect(b.summary()).toMatchObject({ dataPoints: 1_460, newBars: 2, barsPerMinute: 2, requestsPerMinute: 1 });
});

describe("what limits a run", () => {
  test("a run is limited by the rate while its requests need more minutes than its work", async () => {
    using b = board(2, [{ period: "minute", counts: "requests", limit: 2 }]);
    const job = b.jobs[0]!;
    b.begin(job);
    await b.ask(1);
    await b.clock.advance(1_000);
    b.fetched(job, 12, 250);
    expect(b.summary().eta).toMatchObject({ limitedBy: "rate", until: null });
    expect(b.summary().blocked).toBeNull();
    expect(b.head()).toContain(", by the rate limit");
  });

  test("a run is limited by the quota's reset that it has to wait for", async () => {
    using b = board(4, [{ period: "day", counts: "requests", limit: 30 }]);
    const job = b.jobs[0]!;
    b.begin(job);
    for (let i = 0; i < 12; i++) await b.ask(1);
    await b.clock.advance(1_000);
    b.fetched(job, 12, 250);
    expect(b.summary().eta).toMatchObject({
      limitedBy: "quota",
      until: Date.UTC(2026, 0, 6) / 1_000,
      seconds: 215_999,
    });
    expect(b.summary().blocked).toBeNull();
    expect(b.head()).toContain("past the quota’s reset at ");
  });

  test("a run is limited by a spent quota until its reset, by the clock, and also before anything was measured", async () => {
    using b = board(1, [
      { period: "minute", counts: "requests", limit: 60 },
      { period: "hour", counts: "units", limit: 10 },
    ]);
    b.begin(b.jobs[0]!);
    await b.ask(10);
    await b.clock.advance(10 * MINUTE);
    expect(b.summary()).toMatchObject({ eta: null, blocked: { by: "quota", until: (NOON + 60 * MINUTE) / 1_000 } });
    const words = b.head().replace(/<[^>]+>/g, "");
    expect(words).toContain("Time leftlimited by API quota until 13:00 UTC");
    await b.clock.advance(50 * MINUTE);
    expect(b.summary().blocked).toBeNull();
    expect(b.head()).toContain("not known yet");
  });

  test("a run is limited by the provider's own hold", async () => {
    using b = board(1, [{ period: "day", counts: "requests", limit: 1_000 }]);
    b.begin(b.jobs[0]!);
    b.hold(300);
    expect(b.summary().blocked).toEqual({ by: "hold", until: NOON / 1_000 + 300 });
    expect(b.head().replace(/<[^>]+>/g, "")).toContain("held by the provider until 12:05 UTC");
    await b.clock.advance(300_000);
    expect(b.summary().blocked).toBeNull();
  });

  test("nothing limits a run once everything was fetched", async () => {
    using b = board(1, [{ period: "day", counts: "requests", limit: 1 }]);
    b.begin(b.jobs[0]!);
    await b.ask(1);
    await b.clock.advance(1_000);
    b.fetched(b.jobs[0]!, 24, 500);
    expect(b.summary()).toMatchObject({ blocked: null, eta: { limitedBy: "speed", until: null } });
  });
});
