/** The first bar of a symbol is looked up once, and nothing before it is planned; a lookup that fails is not believed. */

import { describe, expect, test } from "bun:test";
import { DAY, type Interval } from "../../../src/domain/market/interval.ts";
import { isoDate } from "../../../src/domain/time.ts";
import { providerOn, valuesFor } from "../../fakes/providers.ts";
import { fakeAlpaca } from "../../fakes/vendors/alpaca.ts";
import { fakeBinance } from "../../fakes/vendors/binance.ts";
import { fakeEodhd } from "../../fakes/vendors/eodhd.ts";
import { reply } from "../../fakes/vendors/faults.ts";
import { fakeMassive } from "../../fakes/vendors/massive.ts";
import { fakeTwelveData } from "../../fakes/vendors/twelvedata.ts";
import type { FakeVendor } from "../../fakes/vendors/vendor.ts";
import { startApp } from "../../helpers/app.ts";
import { recordingContext } from "../fetch-context.ts";

/** A Wednesday with a session. */
const LISTED = Date.UTC(2024, 4, 15) / 1000;
const VENDORS: readonly [string, () => FakeVendor, string, Interval, expected: number][] = [
  ["alpaca", fakeAlpaca, "AAPL", "1m", LISTED],
  ["binance", fakeBinance, "BTC-USDT", "1h", LISTED],
  // Months: the bars begin in that month.
  ["eodhd", fakeEodhd, "AAPL", "1m", Date.UTC(2024, 4, 1) / 1000],
  ["massive", fakeMassive, "AAPL", "1m", LISTED],
  ["twelvedata", fakeTwelveData, "AAPL", "1d", LISTED],
];

for (const [name, start, symbol, interval, expected] of VENDORS) {
  test(`${name}: one request finds the day of the first bar, and an answer without one tells nothing`, async () => {
    const fake = start();
    fake.market.listed.set(symbol, LISTED);
    const { firstBar, costs } = providerOn(fake, name);
    const context = recordingContext();
    const found = await firstBar!.find(symbol, interval, context);
    expect(found && isoDate(found)).toBe(isoDate(expected));
    expect(context.costs).toEqual([costs!(symbol, interval).firstBar!]);
    fake.always = reply(200, name === "eodhd" || name === "binance" ? "[]" : '{"bars":{},"results":{},"status":"ok"}');
    const nothing = await firstBar!.find(symbol, interval, recordingContext()).catch((error) => error.kind);
    expect([null, "invalid_response"]).toContain(nothing);
    await fake.close();
  });
}

test("eodhd: months that a plan has cut off at the beginning tell nothing", async () => {
  const fake = fakeEodhd();
  const cut = [{ date: "2025-11-03", warning: "Data is limited by one year as you have free subscription" }];
  fake.always = reply(200, cut);
  expect(await providerOn(fake, "eodhd").firstBar!.find("AAPL", "1m", recordingContext())).toBeNull();
  await fake.close();
});

const env = (fake: FakeVendor, name: string, more = {}) =>
  ({ ...valuesFor(fake, name), ...more }) as Record<string, string>;
const midnight = () => Math.floor(Date.now() / 1000 / DAY) * DAY;
/** Requests for bars, not for their beginning. */
const windows = ({ urls }: FakeVendor) =>
  urls.filter(({ pathname, searchParams }) => pathname.includes("/range/") || searchParams.has("endTime"));

describe("a full run of a young symbol", () => {
  test("a full run plans nothing before the first bar, says so, and asks for it once in the life of a series", async () => {
    const fake = fakeBinance();
    const listed = midnight() - 100 * DAY;
    fake.market.listed.set("BTC-USDT", listed);
    await using app = await startApp({ env: env(fake, "binance") });
    const order = { symbols: ["BTC-USDT"], provider: "binance", years: 3, interval: "1h" };
    const events = await app.events();
    const id = await app.start(order);
    const { jobs } = await app.waitForRun(id, "complete", "failed");
    // 101 days of hours in pages of 1,000, and the lookup.
    expect([jobs[0]!.state, jobs[0]!.apiCalls, fake.urls.length]).toEqual(["complete", 4, 4]);
    const stages = await events.until(({ data }) => String(data?.micro_stage).startsWith("Completed"));
    const totals = new Set(stages.map(({ data }) => /^Batch \d+\/(\d+)/.exec(data?.micro_stage)?.[1]).filter(Boolean));
    await events.close();
    expect([...totals]).toEqual(["3"]);
    expect(app.printed.join("\n")).toContain(`listed since ${isoDate(listed)}`);
    const profile = (await app.get("/api/profiles/BTC-USDT?interval=1h")).body;
    expect(profile.backfill_metadata.history_complete).toBe(true);
    expect((await app.get(`/runs/${id}/jobs/BTC-USDT`)).text).toContain("3 fetched");
    const fields = { symbols: "BTC-USDT", provider: "binance", years: "3", interval: "1h", mode: "full" };
    const preview = await fetch(`${app.url}/runs/preview`, { method: "POST", body: new URLSearchParams(fields) });
    expect(await preview.text()).toContain("3 calls");
    fake.urls.length = 0;
    await app.waitForRun(await app.start(order), "complete", "failed");
    expect([fake.urls.length, windows(fake).length]).toEqual([3, 3]);
    await app.waitForRun(await app.start({ ...order, mode: "repair" }), "complete", "failed");
    expect(fake.urls.every(({ searchParams }) => Number(searchParams.get("startTime")) >= listed * 1000)).toBe(true);
  }, 60_000);

  test("a lookup that fails is not believed: the whole range is requested, and the next run asks again", async () => {
    const fake = fakeBinance();
    fake.market.listed.set("BTC-USDT", midnight() - 100 * DAY);
    fake.script.push(reply(400, { code: -1100, msg: "Illegal characters found" }));
    await using app = await startApp({ env: env(fake, "binance") });
    const order = { symbols: ["BTC-USDT"], provider: "binance", years: 1, interval: "1h" };
    const { jobs } = await app.waitForRun(await app.start(order), "complete", "failed");
    expect([jobs[0]!.state, windows(fake).length]).toEqual(["complete", 12]);
    expect(app.printed.join("\n")).toContain("the first bar is not known");
    fake.urls.length = 0;
    await app.waitForRun(await app.start(order), "complete", "failed");
    expect(fake.urls.length).toBe(1 + 3);
  }, 60_000);

  test("a listing date of a register is checked: with bars before it, the whole range is requested", async () => {
    const fake = fakeMassive();
    fake.stated.set("AAPL", midnight() - 90 * DAY);
    await using app = await startApp({ env: env(fake, "massive", { MASSIVE_PER_MINUTE: "1000" }) });
    const order = { symbols: ["AAPL"], provider: "massive", years: 1, interval: "1h" };
    const id = await app.start(order);
    const { jobs } = await app.waitForRun(id, "complete", "failed");
    expect(jobs[0]!.state).toBe("complete");
    expect(app.printed.join("\n")).toContain("there are bars before");
    const profile = (await app.get("/api/profiles/AAPL?interval=1h")).body;
    expect(profile.backfill_metadata.history_rows).toBeGreaterThan(248 * 6);
    expect(profile.backfill_metadata.history_complete).toBe(true);
    fake.urls.length = 0;
    await app.waitForRun(await app.start(order), "complete", "failed");
    expect(fake.urls.some(({ pathname }) => pathname.includes("/reference/tickers/"))).toBe(false);
  }, 60_000);
});
