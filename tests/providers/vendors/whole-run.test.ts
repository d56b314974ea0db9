/** Whole runs against a vendor: batches merged into few requests, errors that stay with their symbol, keys that stay inside. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { valuesFor } from "../../fakes/providers.ts";
import { fakeBinance } from "../../fakes/vendors/binance.ts";
import { type FakeEodhd, fakeEodhd } from "../../fakes/vendors/eodhd.ts";
import { hang, reply } from "../../fakes/vendors/faults.ts";
import { FAKE_KEY } from "../../fakes/vendors/vendor.ts";
import { startApp } from "../../helpers/app.ts";
import { temporaryFolder } from "../../helpers/folder.ts";

let fake: FakeEodhd;
beforeAll(() => {
  fake = fakeEodhd();
});
afterAll(() => fake.close());

const env = (more = {}) => ({ ...valuesFor(fake, "eodhd"), ...more }) as Record<string, string>;
const order = (symbols: string[], more = {}) => ({ symbols, provider: "eodhd", years: 1, ...more });

describe("a run against a vendor", () => {
  test("a run against a vendor asks once for several batches, counts what it spends, and stores each batch", async () => {
    await using app = await startApp({ env: env() });
    fake.urls.length = 0;
    fake.script.push(reply(503, "down for a moment")); // an error is free of charge
    const events = await app.events();
    const id = await app.start(order(["AAPL"], { interval: "1h" }));
    const run = await app.waitForRun(id, "complete", "failed");
    const job = run!.jobs[0]!;
    expect([job.state, job.apiCalls, fake.urls.length]).toEqual(["complete", 7, 7]); // 12 batches, 120 days a request, splits, dividends
    expect(job.dataPoints).toBeGreaterThan(248 * 6);
    const page = await fetch(`${app.url}/runs/${id}/jobs/AAPL`);
    const facts = [...(await page.text()).matchAll(/<dt>(Fetching|Held up|Engineering|Creating|Storing)<\/dt>/g)];
    expect(facts.map(([, name]) => name)).toEqual(["Fetching", "Held up", "Engineering", "Creating", "Storing"]);
    const stages = await events.until(({ data }) => String(data?.micro_stage).startsWith("Completed"));
    const batches = new Set(stages.map(({ data }) => /^Batch (\d+)\/12/.exec(data?.micro_stage)?.[1]).filter(Boolean));
    expect(batches.size).toBe(12);
    await events.close();
    const day = app.app.limiter
      .snapshot()
      .find(({ provider }) => provider === "eodhd")!
      .gauges.find(({ period }) => period === "day")!;
    expect(day.used).toBe(4 * 5 + 2);
  }, 60_000);

  test("a run against a vendor confines the fault of one symbol to that symbol", async () => {
    await using app = await startApp({ env: env() });
    fake.urls.length = 0;
    const id = await app.start(order(["AAPL", "NOPE", "MSFT"]));
    const run = await app.waitForRun(id, "complete", "failed");
    // The request that found nothing was sent as well.
    expect(run!.jobs.reduce((sum, { apiCalls }) => sum + apiCalls, 0)).toBe(fake.urls.length);
    expect(run!.jobs.map(({ symbol, state }) => `${symbol} ${state}`).sort()).toEqual([
      "AAPL complete",
      "MSFT complete",
      "NOPE failed",
    ]);
    expect(run!.jobs.find(({ symbol }) => symbol === "NOPE")?.microStage).toContain("NOPE is not known");
  }, 60_000);

  test("a run against a vendor stores the valid rows and records the others", async () => {
    await using app = await startApp({ env: env() });
    let changed = 0;
    fake.market.edit = (_symbol, _interval, bar) =>
      bar.ts % 604_800 === 0 && ++changed ? { ...bar, high: bar.low! / 2 } : bar;
    const id = await app.start(order(["MSFT"]));
    const run = await app.waitForRun(id, "complete", "failed");
    fake.market.edit = (_symbol, _interval, bar) => bar;
    expect(run!.jobs[0]!.state).toBe("complete");
    expect(changed).toBeGreaterThan(20);
    expect(app.printed.join("\n")).toContain("the high is below the low");
    const { body } = await app.get("/api/bars/MSFT?interval=1d");
    expect(JSON.stringify(body)).not.toContain("null");
  }, 60_000);
});

test("days of several pages are stored a day at a time, while the vendor still owes the next", async () => {
  const binance = fakeBinance();
  const third = Date.UTC(2026, 2, 4);
  const held = Promise.withResolvers<void>();
  binance.always = (request, url) => {
    if (Number(url.searchParams.get("startTime")) < third) return null;
    held.resolve();
    return hang()(request, url);
  };
  await using app = await startApp({ env: valuesFor(binance, "binance") as Record<string, string> });
  const days = { from: "2026-03-02", to: "2026-03-06", batch_days: 1 };
  const id = await app.start({ symbols: ["BTC-USDT"], provider: "binance", interval: "1m", ...days });
  await held.promise;
  // A day has 1,440 minutes, a few of them without a trade.
  const stored = "SELECT count(*), min(status), max(status), min(rows) > 1400 FROM batches";
  while ((await app.app.db.rows(stored, []))[0]![0] !== 2) await Bun.sleep(1);
  expect(await app.app.db.rows(stored, [])).toEqual([[2, "ok", "ok", 1]]);
  expect((await app.post(`/api/runs/${id}/cancel`)).status).toBeLessThan(300);
  await app.waitForRun(id, "cancelled");
  await binance.close();
}, 60_000);

describe("the key", () => {
  test("the key appears nowhere: not in the log, the database, pages, answers or events, after a run full of errors", async () => {
    using folder = temporaryFolder();
    const seen: string[] = [];
    {
      await using app = await startApp({ env: env(), folder });
      const events = await app.events();
      const echo = `the key ${FAKE_KEY} (${encodeURIComponent(FAKE_KEY)}) was refused`;
      const failures: Record<string, ReturnType<typeof reply>> = {
        "AAPL.US": reply(401, { message: echo }),
        "MSFT.US": reply(422, { errors: { api_token: [echo] } }),
        "SPY.US": reply(200, `Sorry, ${echo}`),
        "BRK-B.US": reply(403, `Please upgrade: ${echo}`),
        "NOPE.US": reply(404, `Ticker Not Found for ${echo}`),
      };
      fake.always = (request, url) =>
        failures[decodeURIComponent(url.pathname.split("/").at(-1)!)]?.(request, url) ?? null;
      const ids: string[] = [];
      // One run each: a refused key stops all jobs of its provider.
      for (const symbol of ["BTC-USD", "MSFT", "SPY", "BRK.B", "NOPE", "AAPL"]) {
        const id = await app.start(order([symbol]));
        const run = await app.waitForRun(id, "complete", "failed");
        expect(`${symbol} ${run!.jobs[0]!.state}`).toBe(`${symbol} ${symbol === "BTC-USD" ? "complete" : "failed"}`);
        ids.push(id);
      }
      fake.always = null;
      const paths = [
        "/",
        "/runs",
        "/profiles",
        "/profiles/BTC-USD",
        "/metrics",
        "/healthz",
        "/readyz",
        "/api/openapi.json",
        "/api/usage",
        "/api/runs",
        ...ids.map((id) => `/api/runs/${id}`),
        "/api/profiles",
        "/api/profiles/BTC-USD",
        "/settings",
      ];
      for (const path of paths) seen.push((await app.get(path)).text);
      const stream = await events.until(({ data }) => data?.symbol === "AAPL" && data?.status === "Failed");
      seen.push(JSON.stringify(stream), app.printed.join("\n"));
      await events.close();
    }
    for (const name of readdirSync(folder.path)) seen.push(readFileSync(join(folder.path, name), "latin1"));
    const everything = seen.join("\n");
    expect(everything.length).toBeGreaterThan(100_000);
    expect(everything).toContain("check EODHD_API_KEY"); // the errors are there, without the key
    expect(everything).toContain("the key ***");
    for (const form of [FAKE_KEY, encodeURIComponent(FAKE_KEY), btoa(FAKE_KEY)])
      expect(everything.includes(form)).toBe(false);
  }, 60_000);
});

describe("a quota that is spent in the middle of a run", () => {
  test("a quota spent in the middle of a run parks the remaining jobs until its reset, fails none, and asks the vendor no more", async () => {
    await using app = await startApp({ env: env({ EODHD_PER_DAY: "2" }) });
    fake.urls.length = 0;
    const id = await app.start(order(["AAPL", "MSFT", "SPY"]));
    const parked = await Promise.race(
      ["AAPL", "MSFT", "SPY"].map((symbol) => app.waitForJob(symbol, (job) => job.microStage.startsWith("Rate limit"))),
    );
    expect(parked.microStage).toMatch(/^Rate limit: resuming in \d+s$/);
    expect(parked.wait).toEqual({ cause: "quota", until: expect.any(Number) });
    const text = "SELECT micro_stage FROM jobs WHERE run_id = ?1 AND symbol = ?2";
    // What is stored holds after a restart, which puts the job into the queue.
    expect(await app.app.db.rows(text, [id, parked.symbol])).toEqual([["Waiting for a worker"]]);
    const run = await app.app.runs.read(id);
    expect(run!.jobs.some(({ state }) => state === "failed")).toBe(false);
    expect(fake.urls.length).toBeLessThanOrEqual(2);
    expect((await app.post(`/api/runs/${id}/cancel`)).status).toBeLessThan(300);
    await app.waitForRun(id, "cancelled", "complete");
  }, 60_000);
});
