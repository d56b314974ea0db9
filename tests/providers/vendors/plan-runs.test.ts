/** Whole runs on plans that leave something out: the ledger, the strip, the head of the run, and other symbols' jobs. */

import { describe, expect, test } from "bun:test";
import { CALENDAR } from "../../../src/domain/market/calendar.ts";
import { DAY } from "../../../src/domain/market/interval.ts";
import { isoDate } from "../../../src/domain/time.ts";
import { refetch } from "../../../src/scheduler/runs/refetch.ts";
import { openDatabase } from "../../../src/storage/db.ts";
import { seriesId } from "../../../src/storage/market/bars.ts";
import { storeLeftOut } from "../../../src/storage/runs/batches.ts";
import { insertRun, jobsOfRun, moveJobs } from "../../../src/storage/runs/runs.ts";
import { valuesFor } from "../../fakes/providers.ts";
import { fakeAlpaca } from "../../fakes/vendors/alpaca.ts";
import { fakeEodhd } from "../../fakes/vendors/eodhd.ts";
import { fakeMassive } from "../../fakes/vendors/massive.ts";
import { fakeTwelveData } from "../../fakes/vendors/twelvedata.ts";
import type { FakeVendor } from "../../fakes/vendors/vendor.ts";
import { startApp } from "../../helpers/app.ts";
import { migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";

const env = (fake: FakeVendor, name: string, more = {}) =>
  ({ ...valuesFor(fake, name), ...more }) as Record<string, string>;
const today = () => Math.floor(Date.now() / 1000 / DAY) * DAY;

describe("a free EODHD key", () => {
  test("two years on a plan of one are stored as one, and the ledger, profile, strip and run say what is left out", async () => {
    const fake = fakeEodhd();
    await using app = await startApp({ env: env(fake, "eodhd") });
    // A session: of a day without one, nobody can tell whether it is in the plan.
    const edge = CALENDAR.sessionsBetween("us_equity", today() - 375 * DAY, today() - 364 * DAY).at(-1)!.date;
    fake.plan = { from: edge };
    const id = await app.start({ symbols: ["AAPL"], provider: "eodhd", years: 2 });
    const { run, jobs } = (await app.waitForRun(id, "complete", "failed"))!;
    expect(jobs[0]!.state).toBe("complete");
    expect(run.leftOut[0]!.why).toMatch(
      new RegExp(
        `^AAPL: \\d{4}-\\d\\d-\\d\\d to ${isoDate(edge - DAY)} not in the plan of EODHD \\(Data is limited by one`,
      ),
    );
    const profile = (await app.get("/api/profiles/AAPL?interval=1d")).body;
    expect(profile.backfill_metadata.history_complete).toBe(false);
    expect(profile.backfill_metadata.history_rows).toBeGreaterThan(240);
    const states = await app.app.db.rows("SELECT status, count(*) FROM batches GROUP BY 1 ORDER BY 1", []);
    expect(states.map(([status]) => status)).toEqual(["not_in_plan", "ok"]);
    expect(jobs[0]!.coverage!.cells).toStartWith("pppp");
    expect((await app.get(`/runs/${id}`)).text).toContain("not in the plan of EODHD");
    expect((await app.get(`/api/runs/${id}`)).body.run.not_in_plan).toEqual([{ why: run.leftOut[0]!.why, count: 1 }]);
    // A larger plan is given the rest, on the same key, once what was seen of the old one is forgotten.
    fake.plan = {};
    expect((await app.get("/settings")).text).toContain(`US 1d: nothing before ${isoDate(edge)} (Data is limited by`);
    expect((await app.post("/settings/eodhd/plan/forget", {})).status).toBeLessThan(400);
    expect((await app.get("/settings")).text).not.toContain("nothing before");
    const again = await app.start({ symbols: ["AAPL"], provider: "eodhd", years: 2 });
    await app.waitForRun(again, "complete", "failed");
    expect((await app.get("/api/profiles/AAPL?interval=1d")).body.backfill_metadata.history_complete).toBe(true);
    await fake.close();
  }, 60_000);
});

describe("a stocks plan", () => {
  test("one symbol that is not in the plan fails alone, and the others are stored", async () => {
    const fake = fakeMassive();
    fake.plan = { markets: ["us_equity"] };
    await using app = await startApp({ env: env(fake, "massive", { MASSIVE_PER_MINUTE: "1000" }) });
    const id = await app.start({ symbols: ["BTC-USD", "AAPL", "MSFT", "SPY"], provider: "massive", years: 1 });
    const { run, jobs } = (await app.waitForRun(id, "complete", "failed"))!;
    expect(jobs.map(({ symbol, state }) => `${symbol} ${state}`).sort()).toEqual([
      "AAPL complete",
      "BTC-USD failed",
      "MSFT complete",
      "SPY complete",
    ]);
    expect(run.leftOut[0]!.why).toStartWith("BTC-USD: ");
    expect(await app.app.db.rows("SELECT DISTINCT kind, scope FROM plan_facts WHERE kind = 'exchange'", [])).toEqual([
      ["exchange", "crypto"],
    ]);
    await fake.close();
  }, 60_000);
});

describe("bars without volume", () => {
  test("Twelve Data's crypto is stored with an unknown volume, which every answer shows as such", async () => {
    const fake = fakeTwelveData();
    const limits = { TWELVEDATA_PER_MINUTE: "1000" };
    await using app = await startApp({ env: env(fake, "twelvedata", limits) });
    const id = await app.start({ symbols: ["BTC-USD"], provider: "twelvedata", years: 1 });
    const { jobs } = (await app.waitForRun(id, "complete", "failed"))!;
    expect(jobs[0]!.state).toBe("complete");
    const { data: rows } = (await app.get("/api/bars/BTC-USD?interval=1d")).body;
    expect([rows.length > 360, rows[0].volume, rows[0].close > 0]).toEqual([true, null, true]);
    const csv = (await app.get("/api/bars/BTC-USD?interval=1d&format=csv")).text.split("\n");
    expect(csv[1]).toEndWith(",");
    const { features } = (await app.get("/api/profiles/BTC-USD?interval=1d")).body;
    expect([features.obv, typeof features.rsi_14, typeof features.sma_20]).toEqual([null, "number", "number"]);
    expect((await app.get("/profiles/BTC-USD?interval=1d")).text).toContain("unknown");
    // Asked for again, the same bars are no corrections.
    const again = await app.start({ symbols: ["BTC-USD"], provider: "twelvedata", years: 1 });
    await app.waitForRun(again, "complete", "failed");
    expect(await app.app.db.rows("SELECT count(*) FROM bar_revisions", [])).toEqual([[0]]);
    await fake.close();
  }, 60_000);
});

describe("what was seen of a plan", () => {
  test("fetching again what was left out asks the provider, and the preview counts only what is in the plan", async () => {
    const fake = fakeMassive();
    const edge = today() - 365 * DAY;
    fake.plan = { from: edge };
    await using app = await startApp({ env: env(fake, "massive", { MASSIVE_PER_MINUTE: "1000" }) });
    const order = { symbols: ["AAPL"], provider: "massive", years: 3, interval: "1h" };
    const calls = async () => {
      const fields = { symbols: "AAPL", provider: "massive", years: "3", interval: "1h", mode: "full" };
      const answer = await fetch(`${app.url}/runs/preview`, {
        method: "POST",
        headers: { Origin: app.url },
        body: new URLSearchParams(fields),
      });
      return Number(/(\d+) calls/.exec(await answer.text())?.[1]);
    };
    const before = await calls();
    const id = await app.start(order);
    const first = (await app.waitForRun(id, "complete", "failed"))!;
    expect([first.jobs[0]!.state, first.run.leftOut.length]).toEqual(["complete", 1]);
    expect(await calls()).toBeLessThan(before / 2);
    fake.plan = {};
    const picks = () => true;
    expect((await refetch(app.app, { runId: id, picks, scope: "unanswered" })).done).toBe(true);
    const again = (await app.waitForRun(id, "complete", "failed"))!;
    expect([again.jobs[0]!.state, again.run.leftOut]).toEqual(["complete", []]);
    const { history_complete } = (await app.get("/api/profiles/AAPL?interval=1h")).body.backfill_metadata;
    expect(history_complete).toBe(true);
    await fake.close();
  }, 60_000);
});

test("what a plan left out of a run that is not over is shown again after a restart", async () => {
  using folder = temporaryFolder();
  const [from, to] = [Date.UTC(2023, 5, 17) / 1_000, Date.UTC(2025, 5, 17) / 1_000];
  const times = { rangeFrom: from, rangeTo: to, asOf: to - 6 * 3_600, createdAt: 1_000 };
  const run = {
    id: "r",
    mode: "full",
    interval: "1d",
    provider: "demo",
    years: "2",
    batchDays: 365,
    maxWorkers: 2,
  } as const;
  {
    const db = await openDatabase(await migratedDatabase(folder));
    await insertRun(db, { ...run, ...times }, ["AAPL", "MSFT"]);
    const jobs = await jobsOfRun(db, "r");
    await moveJobs(db, [jobs[1]!.id], "pause");
    await moveJobs(db, [jobs[0]!.id], "start");
    await moveJobs(db, [jobs[0]!.id], "finish", { finishedAt: 2_000 });
    const traits = { feed: "x", adjustment: "none", sessions: "regular" } as const;
    const series = await seriesId(db, { symbol: "AAPL", interval: "1d", provider: "demo", ...traits });
    const windows = [{ from, to: from + 365 * DAY }];
    await storeLeftOut(db, { seriesId: series, runId: "r", windows, words: "limited by one year" });
    db.close();
  }
  await using app = await startApp({ folder });
  const { run: shown, jobs } = await app.app.runs.read("r");
  expect([shown.state, jobs.map(({ state }) => state)]).toEqual(["paused", ["complete", "paused"]]);
  expect(shown.leftOut).toEqual([
    { why: "AAPL: 2023-06-17 to 2024-06-15 not in the plan of Demo (synthetic bars) (limited by one year)", count: 1 },
  ]);
});

test("raw bars of Alpaca with a 4:1 split read 25 before it, and a dividend of its newest week is applied", async () => {
  const fake = fakeAlpaca();
  const [splitDay, paidDay] = CALENDAR.sessionsBetween("us_equity", today() - 120 * DAY, today() - 5 * DAY)
    .map(({ date }) => date)
    .filter((_date, at, all) => at === 20 || at === all.length - 2);
  fake.market.edit = (_symbol, _interval, bar) => {
    const price = bar.ts < splitDay! ? 100 : 25;
    return { ...bar, open: price, high: price, low: price, close: price, volume: 1_000 };
  };
  fake.market.actions.set("AAPL", [
    { kind: "split", date: splitDay!, value: 4 },
    { kind: "dividend", date: paidDay!, value: 0.25 },
  ]);
  await using app = await startApp({ env: env(fake, "alpaca") });
  await app.waitForRun(await app.start({ symbols: ["AAPL"], provider: "alpaca", years: 1 }), "complete", "failed");
  const closes = async (adjust: string, day: number) => {
    const { data } = (await app.get(`/api/bars/AAPL?interval=1d&adjust=${adjust}&to=${isoDate(day)}`)).body;
    return data.at(-1).close;
  };
  expect([await closes("none", splitDay!), await closes("splits", splitDay!)]).toEqual([100, 25]);
  // 25 less 0.25 on the day before the ex-date: a factor of 0.99.
  expect(await closes("all", paidDay!)).toBeCloseTo(24.75, 10);
  await fake.close();
}, 60_000);
