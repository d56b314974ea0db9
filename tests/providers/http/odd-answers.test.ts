/** Answers that hold what no answer should: keys, numbers that are none, times of no calendar, lists without end. */

import { afterAll, afterEach, expect, test } from "bun:test";
import type { Interval } from "../../../src/domain/market/interval.ts";
import { REASONS, validateBars } from "../../../src/domain/market/validate-bars.ts";
import { providerOn } from "../../fakes/providers.ts";
import { fakeAlpaca } from "../../fakes/vendors/alpaca.ts";
import { fakeBinance } from "../../fakes/vendors/binance.ts";
import { fakeEodhd } from "../../fakes/vendors/eodhd.ts";
import { reply } from "../../fakes/vendors/faults.ts";
import { fakeMassive } from "../../fakes/vendors/massive.ts";
import { fakeTwelveData } from "../../fakes/vendors/twelvedata.ts";
import type { FakeVendor } from "../../fakes/vendors/vendor.ts";
import { fakeYahoo } from "../../fakes/vendors/yahoo.ts";
import { recordingContext } from "../fetch-context.ts";

const fake = fakeEodhd();
const provider = providerOn(fake, "eodhd");
const [alpaca, binance, massive] = [fakeAlpaca(), fakeBinance(), fakeMassive()];
const [twelvedata, yahoo] = [fakeTwelveData(), fakeYahoo()];
afterAll(() => Promise.all([fake, alpaca, binance, massive, twelvedata, yahoo].map((each) => each.close())));
afterEach(() => {
  fake.script.length = 0;
  fake.always = null;
  fake.urls.length = 0;
});

const at = (date: string) => Date.parse(`${date}T00:00:00Z`) / 1000;
const window = (interval: Interval, symbol = "AAPL") => ({
  symbol,
  interval,
  from: at("2024-05-01"),
  to: at("2024-05-15"),
  asOf: at("2026-01-01"),
});
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error) => error,
  );

test("the key is taken out of a message before it is cut, wherever the cut is", async () => {
  for (let before = 150; before <= 200; before += 5) {
    const says = `${"x".repeat(before)} ${fake.key} is no key`;
    fake.always = reply(400, before % 2 ? says : { message: says });
    const error = await failureOf(provider.fetchBars(window("1d"), recordingContext()));
    expect(error.message).not.toContain(fake.key.slice(0, 4));
    expect(error.message.length).toBeLessThan(230);
  }
});

test("a message of a megabyte is cut, and with it the words of a plan", async () => {
  fake.always = reply(403, { message: `upgrade your plan ${"y".repeat(900_000)}` });
  const error = await failureOf(provider.fetchBars(window("1d"), recordingContext()));
  expect([error.message.length < 400, error.refusal.words.length < 250]).toEqual([true, true]);
});

test("NaN and Infinity, which JSON does not have, cost no row but their own", async () => {
  const good = await provider.fetchBars(window("1d"), recordingContext());
  const [first, second, third] = ["2024-05-01", "2024-05-02", "2024-05-03"];
  const row = (date: string, close: string, volume: string) =>
    `{"date":"${date}","open":10,"high":11,"low":9,"close":${close},"volume":${volume},"note":"NaN \\" NaN"}`;
  const rows = [row(first!, "10", "NaN"), row(second!, "-Infinity", "5"), row(third!, "10", "7")];
  fake.always = reply(200, `[${rows.join(",")}]`);
  const { bars, rejected } = await provider.fetchBars(window("1d"), recordingContext());
  const valid = validateBars(bars, window("1d"));
  expect([[...valid.bars.ts], [...valid.bars.volume]]).toEqual([
    [good.bars.ts[0]!, good.bars.ts[2]!],
    [Number.NaN, 7],
  ]);
  expect([rejected, valid.rejected.map(({ reason }) => reason)]).toEqual([[], [REASONS.noPrice]]);
  expect(fake.urls.length).toBe(2);
});

test("rows of lists within lists, thousands deep, are put aside like other odd ones", async () => {
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  const row = '{"date":"2024-05-01","open":10,"high":11,"low":9,"close":10,"volume":5}';
  fake.script.push(reply(200, `[${row},${deep},{"date":${deep}}]`));
  const { bars, rejected } = await provider.fetchBars(window("1d"), recordingContext());
  expect([bars.ts.length, rejected.map(({ reason }) => reason)]).toEqual([
    1,
    ["not a row of a bar", "not a row of a bar"],
  ]);
  fake.always = reply(200, `[${deep}]`);
  const error = await failureOf(provider.fetchBars(window("1d"), recordingContext()));
  expect([error.kind, error.message]).toEqual([
    "invalid_response",
    "EODHD: unexpected answer: 0: is a list, not a JSON object",
  ]);
});

test.each([
  ["milliseconds", 1e3],
  ["microseconds", 1e6],
  ["nanoseconds", 1e9],
])("minutes with times in %s are rejected, and spoil nothing of what follows", async (_, unit) => {
  for (const symbol of ["AAPL", "VOD@LSE"]) {
    const first = Date.parse("2024-05-01T14:00:00Z") / 1_000;
    const row = (timestamp: number) => ({ timestamp, open: 10, high: 11, low: 9, close: 10, volume: 5 });
    fake.script.push(reply(200, [row(first * unit), row((first + 60) * unit), row(first + 120)]));
    const { bars } = await provider.fetchBars(window("1m", symbol), recordingContext());
    const valid = validateBars(bars, window("1m", symbol));
    expect([...valid.bars.ts]).toEqual([first + 120]);
    const reason = unit === 1e3 ? REASONS.future : REASONS.noTime;
    expect(valid.rejected.map((each) => each.reason)).toEqual([reason, reason]);
  }
});

test("an answer whose times all lie in the future, or on other days, is no empty answer", async () => {
  const pairs = providerOn(binance, "binance");
  const candle = (ts: number) => [ts, "10", "11", "9", "10", "5", 0, "0", 0, "0", "0", "0"];
  binance.script.push(reply(200, [candle(at("2024-05-01") * 1e6), candle(at("2024-05-02") * 1e6)]));
  const days = { ...window("1d", "BTC-USDT"), asOf: at("2024-06-01") };
  const future = validateBars((await pairs.fetchBars(days, recordingContext())).bars, days);
  expect(future.rejected.map(({ reason }) => reason)).toEqual([REASONS.future, REASONS.future]);
  const row = { open: 10, high: 11, low: 9, close: 10, volume: 5 };
  fake.script.push(
    reply(200, [
      { ...row, timestamp: 1_714_572 },
      { ...row, timestamp: 1_714_632 },
    ]),
  );
  const minutes = window("1m");
  const past = validateBars((await provider.fetchBars(minutes, recordingContext())).bars, minutes);
  expect(past.rejected.map(({ reason }) => reason)).toEqual([REASONS.offGrid, REASONS.offGrid]);
});

test("prices and volumes in text are decimal numbers: hexadecimal and binary ones are none", async () => {
  const row = { date: "2024-05-01", open: "10", high: "17", low: "9.0", close: " 1.6e1 ", volume: "5" };
  const rows = [row, { ...row, date: "2024-05-02", close: "0x10" }, { ...row, date: "2024-05-03", volume: "0b11" }];
  fake.script.push(reply(200, rows));
  const valid = validateBars((await provider.fetchBars(window("1d"), recordingContext())).bars, window("1d"));
  expect([[...valid.bars.close], valid.rejected.map(({ reason }) => reason)]).toEqual([
    [16],
    [REASONS.noPrice, REASONS.noVolume],
  ]);
});

test("a link to the next page that is no address is an error of the vendor's", async () => {
  massive.always = reply(200, { status: "OK", results: [], next_url: "http://" });
  const error = await failureOf(providerOn(massive, "massive").fetchBars(window("1d"), recordingContext()));
  expect([error.kind, error.message]).toEqual([
    "invalid_response",
    "Massive (Polygon): the link to the next page is no address",
  ]);
});

test("empty pages that name a next one each time are followed ten times, and are no empty answer", async () => {
  alpaca.urls.length = 0;
  let pages = 0;
  alpaca.always = () => Response.json({ bars: {}, corporate_actions: {}, next_page_token: `page ${++pages}` });
  const source = providerOn(alpaca, "alpaca");
  for (const work of [
    () => source.fetchBars(window("1d"), recordingContext()),
    () => source.fetchActions!("AAPL", recordingContext()),
  ]) {
    alpaca.urls.length = 0;
    const error = await failureOf(work());
    expect([error.kind, error.message, alpaca.urls.length]).toEqual([
      "invalid_response",
      "Alpaca: 10 pages in a row are empty, and name a next one",
      10,
    ]);
  }
  // A few of them are usual where many symbols share a request.
  const row = { t: "2024-05-01T04:00:00Z", o: 10, h: 11, l: 9, c: 10, v: 5 };
  pages = 0;
  alpaca.always = () =>
    Response.json(++pages < 9 ? { bars: {}, next_page_token: `page ${pages}` } : { bars: { AAPL: [row] } });
  expect((await source.fetchBars(window("1d"), recordingContext())).bars.ts.length).toBe(1);
});

test("bars under the name of another symbol are put aside, and not taken for none", async () => {
  const row = { t: "2024-05-01T04:00:00Z", o: 10, h: 11, l: 9, c: 10, v: 5 };
  alpaca.always = reply(200, { bars: { META: [row] }, next_page_token: null });
  const { bars, rejected } = await providerOn(alpaca, "alpaca").fetchBars(window("1d"), recordingContext());
  expect([bars.ts.length, rejected.map(({ reason }) => reason)]).toEqual([0, ['a bar of "META"']]);
});

test("an answer that names another symbol, interval, exchange or adjustment than was requested is not stored", async () => {
  const bar = { t: at("2024-05-01") * 1_000 + 14_400_000, o: 10, h: 11, l: 9, c: 10, v: 5 };
  const aggregate = { status: "OK", ticker: "AAPL", adjusted: false, results: [bar] };
  const value = { datetime: "2024-05-01", open: "10", high: "11", low: "9", close: "10", volume: "5" };
  const meta = { symbol: "AAPL", interval: "1day", exchange: "NASDAQ", exchange_timezone: "America/New_York" };
  const london = { ...meta, exchange: "LSE", exchange_timezone: "Europe/London" };
  const series = (said: object) => ({ status: "ok", meta: said, values: [value] });
  const chart = (said: object) => {
    const quote = { open: [10], high: [11], low: [9], close: [10], volume: [5] };
    const result = { meta: said, timestamp: [at("2024-05-01") + 48_600], indicators: { quote: [quote] } };
    return { chart: { result: [result], error: null } };
  };
  const asked = async (vendor: FakeVendor, name: string, answer: object) => {
    vendor.always = reply(200, answer);
    const work = providerOn(vendor, name).fetchBars(window("1d"), recordingContext());
    return work.then(
      ({ bars }) => bars.ts.length,
      ({ message }) => message,
    );
  };
  expect(await asked(massive, "massive", aggregate)).toBe(1);
  expect(await asked(massive, "massive", { ...aggregate, ticker: "META" })).toBe(
    'Massive (Polygon): unexpected answer: it is of the ticker "META" instead of "AAPL"',
  );
  expect(await asked(massive, "massive", { ...aggregate, adjusted: true })).toBe(
    "Massive (Polygon): unexpected answer: its prices are adjusted for splits, and raw ones were requested",
  );
  expect(await asked(massive, "massive", { ...aggregate, resultsCount: 3 })).toBe(
    "Massive (Polygon): unexpected answer: it has 1 of the 3 rows that it states",
  );
  expect(await asked(massive, "massive", { status: "OK", ticker: "AAPL", resultsCount: 2 })).toContain(
    "0 of the 2 rows",
  );
  expect(await asked(twelvedata, "twelvedata", series(meta))).toBe(1);
  expect(await asked(twelvedata, "twelvedata", series({ ...meta, symbol: "META" }))).toContain('the symbol "META"');
  expect(await asked(twelvedata, "twelvedata", series({ ...meta, interval: "1week" }))).toContain('interval "1week"');
  expect(await asked(twelvedata, "twelvedata", series(london))).toBe(
    "AAPL is not known: Twelve Data has it at LSE, and not in New York",
  );
  expect(await asked(yahoo, "yahoo", chart({ symbol: "AAPL", dataGranularity: "1d" }))).toBe(1);
  expect(await asked(yahoo, "yahoo", chart({ symbol: "META" }))).toContain('the symbol "META" instead of "AAPL"');
  expect(await asked(yahoo, "yahoo", chart({ dataGranularity: "1mo" }))).toContain('the interval "1mo"');
});

test("a row of another time does not move the next page past what is left", async () => {
  binance.urls.length = 0;
  binance.always = async (_, url) => {
    const [start, end] = ["startTime", "endTime"].map((name) => Number(url.searchParams.get(name)));
    const minutes = Array.from({ length: 999 }, (_, index) => start! + index * 60_000).filter((ts) => ts <= end!);
    if (minutes.length === 999) minutes.push(at("2025-05-01") * 1_000);
    return Response.json(minutes.map((ts) => [ts, "10", "11", "9", "10", "5", 0, "0", 0, "0", "0", "0"]));
  };
  const minutes = { ...window("1m", "BTC-USDT"), to: at("2024-05-03") };
  const { bars } = await providerOn(binance, "binance").fetchBars(minutes, recordingContext());
  expect([binance.urls.length, validateBars(bars, minutes).bars.ts.length]).toEqual([3, 2_880]);
});

test("minutes that all lie outside the sessions are put aside, and not taken for none", async () => {
  const row = { open: 10, high: 11, low: 9, close: 10, volume: 5 };
  // 9:30 of New York, as if it were UTC.
  const times = Array.from({ length: 5 }, (_, index) => at("2024-05-02") + (9.5 * 60 + index) * 60);
  const answer = times.map((timestamp) => ({ ...row, timestamp }));
  fake.script.push(reply(200, answer));
  const { bars, rejected } = await provider.fetchBars(window("1m"), recordingContext());
  expect([bars.ts.length, rejected.map(({ reason }) => reason)]).toEqual([0, Array(5).fill(REASONS.noSession)]);
  // Beside others they are the usual trades before the open.
  fake.script.push(reply(200, [...answer, { ...row, timestamp: at("2024-05-02") + 15 * 3_600 }]));
  const usual = await provider.fetchBars(window("1m"), recordingContext());
  expect([usual.bars.ts.length, usual.rejected]).toEqual([1, []]);
});

test("a ban of Binance holds until the moment that it names, and its own troubles are tried again", async () => {
  binance.always = null;
  const days = window("1d", "BTC-USDT");
  const source = providerOn(binance, "binance");
  const heldBy = async (msg: string) => {
    binance.script.push(reply(418, { code: -1003, msg }));
    const context = recordingContext();
    await source.fetchBars(days, context);
    return context.reports.find(({ holdSeconds }) => holdSeconds !== undefined)!.holdSeconds!;
  };
  const hour = await heldBy(`Way too much request weight used; IP banned until ${Date.now() + 3_600_000}.`);
  expect([hour > 3_500, hour <= 3_600]).toEqual([true, true]);
  // A moment that is over, and none.
  expect([await heldBy("IP banned until 1525182310123."), await heldBy("Way too much request weight used")]).toEqual([
    120, 120,
  ]);
  for (const code of [-1000, -1001, -1006, -1007, -1008, -1016]) {
    binance.script.push(reply(400, { code, msg: "Internal error; unable to process your request. Please try again." }));
    expect((await source.fetchBars(days, recordingContext())).bars.ts.length).toBe(14);
  }
});

test("pages of pairs that come newest first are fetched once each", async () => {
  binance.urls.length = 0;
  binance.always = async (_, url) => {
    const start = Number(url.searchParams.get("startTime"));
    const minutes = Array.from({ length: 1_000 }, (_, index) => start + (999 - index) * 60_000);
    return Response.json(minutes.map((ts) => [ts, "10", "11", "9", "10", "5", 0, "0", 0, "0", "0", "0"]));
  };
  const minutes = { ...window("1m", "BTC-USDT"), to: at("2024-05-03") };
  const { bars } = await providerOn(binance, "binance").fetchBars(minutes, recordingContext());
  expect([binance.urls.length, validateBars(bars, minutes).bars.ts.length]).toEqual([3, 2_880]);
});
