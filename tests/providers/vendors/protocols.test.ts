/** The particularities of each vendor's protocol. */

import { afterAll, describe, expect, test } from "bun:test";
import type { Interval } from "../../../src/domain/market/interval.ts";
import { validateBars } from "../../../src/domain/market/validate-bars.ts";
import { providerOn } from "../../fakes/providers.ts";
import { fakeAlpaca } from "../../fakes/vendors/alpaca.ts";
import { fakeBinance } from "../../fakes/vendors/binance.ts";
import { fakeEodhd } from "../../fakes/vendors/eodhd.ts";
import { reply } from "../../fakes/vendors/faults.ts";
import { fakeMassive } from "../../fakes/vendors/massive.ts";
import { fakeTiingo } from "../../fakes/vendors/tiingo.ts";
import { fakeTwelveData } from "../../fakes/vendors/twelvedata.ts";
import { FAKE_KEY } from "../../fakes/vendors/vendor.ts";
import { at } from "../../helpers/inputs/bars.ts";
import { recordingContext } from "../fetch-context.ts";

const window = (symbol: string, interval: Interval, from = "2024-05-01", to = "2024-05-15") => ({
  symbol,
  interval,
  from: at(from),
  to: at(to),
  asOf: at("2026-01-01"),
});
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error) => error,
  );

describe("eodhd", () => {
  const fake = fakeEodhd();
  afterAll(fake.close);
  const provider = providerOn(fake, "eodhd");
  const paths = () => fake.urls.splice(0).map((url) => decodeURIComponent(url.pathname));

  test("EODHD gets symbols with their exchange, share classes with a dash, crypto in its own spelling", async () => {
    for (const symbol of ["AAPL", "BRK.B", "BTC-USD"])
      await provider.fetchBars(window(symbol, "1d"), recordingContext());
    await failureOf(provider.fetchBars(window("VOD@LSE", "1d"), recordingContext()));
    expect(paths()).toEqual(["/api/eod/AAPL.US", "/api/eod/BRK-B.US", "/api/eod/BTC-USD.CC", "/api/eod/VOD.LSE"]);
  });

  test("EODHD is asked for a session's minutes only after 23:15 New York", async () => {
    const asked = { ...window("AAPL", "1m", "2024-05-06", "2024-05-08"), asOf: at("2024-05-08T03:00:00Z") };
    const { bars } = await provider.fetchBars(asked, recordingContext());
    expect(bars.ts.at(-1)).toBeLessThan(at("2024-05-07"));
  });

  test("a 404 of EODHD's for a range without data is an empty answer, and no unknown symbol", async () => {
    fake.script.push(reply(404, "No data found for the specified ticker or date range"));
    const { bars } = await provider.fetchBars(window("AAPL", "1m", "2024-05-06", "2024-05-08"), recordingContext());
    expect(bars.ts.length).toBe(0);
  });

  test("EODHD's public demo key is not redacted out of words", async () => {
    fake.always = reply(403, "Unauthenticated: this is a demo");
    const error = await failureOf(
      providerOn(fake, "eodhd", { EODHD_API_KEY: "demo" }).fetchBars(window("F", "1d"), recordingContext()),
    );
    fake.always = null;
    expect(error.message).toBe("EODHD: HTTP 403: Unauthenticated: this is a demo (check EODHD_API_KEY)");
  });
});

describe("alpaca", () => {
  const fake = fakeAlpaca();
  afterAll(fake.close);
  const provider = providerOn(fake, "alpaca");

  test("Alpaca's short pages are followed to the last, each with a permit, none with a token of null", async () => {
    const whole = await provider.fetchBars(window("AAPL", "15m"), recordingContext());
    fake.urls.length = 0;
    fake.pageRows = 37;
    const context = recordingContext();
    expect(await provider.fetchBars(window("AAPL", "15m"), context)).toEqual(whole);
    expect(context.costs.length).toBe(fake.urls.length);
    expect(fake.urls.length).toBe(Math.ceil((10 * 30 - 4) / 37));
    expect(fake.urls.some((url) => url.searchParams.get("page_token") === "null")).toBe(false);
    expect(
      new Set(fake.urls.map((url) => `${url.searchParams.get("start")} ${url.searchParams.get("end")}`)).size,
    ).toBe(1);
    fake.pageRows = 10_000;
  });

  test("an Alpaca bar of a day that does not exist is rejected, and becomes no bar of another day", async () => {
    const row = { o: 10, h: 11, l: 9, c: 10, v: 1_000 };
    const rows = ["2024-11-20T05:00:00Z", "2024-11-31T05:00:00Z"].map((t) => ({ t, ...row }));
    fake.script.push(reply(200, { bars: { AAPL: rows }, next_page_token: null }));
    const { bars } = await provider.fetchBars(window("AAPL", "1d"), recordingContext());
    expect([...bars.ts]).toEqual([Date.UTC(2024, 10, 20) / 1_000, Number.NaN]);
  });

  test("an Alpaca page that links back to itself is caught", async () => {
    fake.always = reply(200, { bars: {}, next_page_token: "again" });
    const error = await failureOf(provider.fetchBars(window("AAPL", "1d"), recordingContext()));
    fake.always = null;
    expect([error.kind, error.message]).toEqual(["invalid_response", "Alpaca: the same next page came twice"]);
  });

  test("a symbol without bars is absent from Alpaca's answer: an empty answer", async () => {
    fake.script.push(
      reply(200, { bars: {}, next_page_token: null }),
      reply(200, { bars: null, next_page_token: null }),
    );
    for (let i = 0; i < 2; i++) {
      expect((await provider.fetchBars(window("AAPL", "1d"), recordingContext())).bars.ts.length).toBe(0);
    }
  });

  test("Alpaca's last quarter of an hour needs a paid plan, in both wordings", async () => {
    for (const behaviour of [
      reply(403, { message: "subscription does not permit querying recent SIP data" }),
      reply(422, { code: 42_210_000, message: "end is too late for subscription" }),
    ]) {
      fake.script.push(behaviour);
      expect((await failureOf(provider.fetchBars(window("AAPL", "1d"), recordingContext()))).kind).toBe("plan");
    }
  });

  test("Alpaca is always asked for raw prices of the consolidated tape", async () => {
    fake.urls.length = 0;
    await provider.fetchBars(window("AAPL", "1h"), recordingContext());
    for (const url of fake.urls)
      expect(Object.fromEntries(url.searchParams)).toMatchObject({
        feed: "sip",
        adjustment: "raw",
        timeframe: "15Min",
      });
  });

  test("Alpaca's crypto is asked for by pair, without a feed, and its days are built from hours of UTC", async () => {
    fake.urls.length = 0;
    const { bars } = await provider.fetchBars(window("BTC-USD", "1d"), recordingContext());
    const [asked] = fake.urls.splice(0);
    expect([asked!.pathname, Object.fromEntries(asked!.searchParams)]).toEqual([
      "/v1beta3/crypto/us/bars",
      {
        symbols: "BTC/USD",
        timeframe: "1Hour",
        start: "2024-05-01T00:00:00Z",
        end: "2024-05-14T23:59:59Z",
        limit: "10000",
        sort: "asc",
      },
    ]);
    expect([...bars.ts]).toEqual([...Array(14).keys()].map((day) => at("2024-05-01") + day * 86_400));
    const { bars: hours } = await provider.fetchBars(window("BTC-USD", "1h"), recordingContext());
    expect([bars.open[0], bars.close[0], bars.open[1]]).toEqual([hours.open[0], hours.close[23], hours.open[24]]);
    expect(provider.traits("BTC-USD", "1d")).toEqual({
      feed: "crypto_us",
      adjustment: "none",
      sessions: "continuous",
    });
  });

  test("a fractional volume of Alpaca's crypto stays one, and its newest minute is asked for without a paid plan", async () => {
    fake.plan = { delay: 15 * 60 };
    fake.script.push(
      reply(200, { bars: { "BTC/USD": [{ t: "2024-05-01T00:00:00Z", o: 1, h: 2, l: 1, c: 2, v: 0.000_31 }] } }),
    );
    const asOf = at("2024-05-01T00:02:00Z");
    const { bars } = await provider.fetchBars({ ...window("BTC-USD", "1m"), asOf }, recordingContext());
    fake.plan = {};
    expect([[...bars.ts], [...bars.volume]]).toEqual([[at("2024-05-01")], [0.000_31]]);
    expect(fake.urls.at(-1)!.searchParams.get("end")).toBe("2024-05-01T00:00:59Z");
  });
});

describe("massive", () => {
  const fake = fakeMassive();
  afterAll(fake.close);
  const provider = providerOn(fake, "massive");

  test("Massive's links to the next page are followed on its own host, with the key in the header", async () => {
    const whole = await provider.fetchBars(window("AAPL", "5m"), recordingContext());
    fake.pageRows = 100;
    const context = recordingContext();
    expect(await provider.fetchBars(window("AAPL", "5m"), context)).toEqual(whole);
    expect(context.costs.length).toBeGreaterThan(5);
    expect(fake.urls.some((url) => url.href.includes(encodeURIComponent(FAKE_KEY)))).toBe(false);
    fake.pageRows = 50_000;
  });

  test("a Massive answer without results is empty, also on a delayed plan", async () => {
    for (const body of [
      { status: "OK", resultsCount: 0 },
      { status: "DELAYED", queryCount: 0 },
    ]) {
      fake.always = reply(200, body);
      expect((await provider.fetchBars(window("AAPL", "1d"), recordingContext())).bars.ts.length).toBe(0);
    }
    fake.always = null;
  });

  test("Massive's errors are recognised by their status word, whatever the status code", async () => {
    for (const [body, kind] of [
      [{ status: "NOT_AUTHORIZED", message: "You are not entitled to this data. Please upgrade your plan." }, "plan"],
      [{ status: "ERROR", error: "Unknown API Key" }, "auth"],
    ] as const) {
      for (const status of [200, 401, 403]) {
        fake.script.push(reply(status, body));
        expect((await failureOf(provider.fetchBars(window("AAPL", "1d"), recordingContext()))).kind).toBe(kind);
      }
    }
  });

  test("a Massive 429 without a body is waited out", async () => {
    fake.script.push(reply(429, ""));
    expect((await provider.fetchBars(window("AAPL", "1d"), recordingContext())).bars.ts.length).toBe(10);
  });

  test("Massive gets crypto pairs in its own spelling", async () => {
    fake.urls.length = 0;
    expect((await provider.fetchBars(window("BTC-USD", "1d"), recordingContext())).bars.ts.length).toBe(14);
    expect(decodeURIComponent(fake.urls[0]!.pathname)).toContain("/X:BTCUSD/");
  });
});

describe("binance", () => {
  const fake = fakeBinance();
  afterAll(fake.close);
  const provider = providerOn(fake, "binance");

  test("two days of Binance minutes are three requests of a thousand rows, each of weight two", async () => {
    const context = recordingContext();
    const { bars } = await provider.fetchBars(window("BTC-USDT", "1m", "2024-05-01", "2024-05-03"), context);
    expect(bars.ts.length).toBeGreaterThan(2_700);
    expect(context.costs).toEqual([2, 2, 2]);
  });

  test("Binance's own count of the weight is taken over", async () => {
    const context = recordingContext();
    fake.script.push(reply(200, [], { "x-mbx-used-weight-1m": "5990" }));
    await provider.fetchBars(window("BTC-USDT", "1d"), context);
    expect(context.reports).toContainEqual({ used: { minute: 5990 }, accepted: true });
  });

  test("a Binance ban holds all requests for as long as it says", async () => {
    fake.script.push(
      reply(418, { code: -1003, msg: "Way too much request weight used; IP banned" }, { "retry-after": "7200" }),
    );
    const context = recordingContext();
    await provider.fetchBars(window("BTC-USDT", "1d"), context);
    expect(context.reports).toContainEqual({ holdSeconds: 7200, reason: "Binance is busy: HTTP 418" });
  });

  test("Binance refuses shares without a request, and an unknown pair with a hint", async () => {
    const context = recordingContext();
    expect((await failureOf(provider.fetchBars(window("AAPL", "1d"), context))).message).toContain("such as BTC-USDT");
    expect(context.costs).toEqual([]);
    expect((await failureOf(provider.fetchBars(window("ETH-EUR", "1d"), context))).kind).toBe("unknown_symbol");
  });
});

describe("twelvedata", () => {
  const fake = fakeTwelveData();
  afterAll(fake.close);
  const provider = providerOn(fake, "twelvedata");

  test("Twelve Data gets both dates, UTC and no row count", async () => {
    fake.urls.length = 0;
    await provider.fetchBars(window("MSFT", "1m", "2024-05-06", "2024-05-07"), recordingContext());
    expect(Object.fromEntries(fake.urls[0]!.searchParams)).toMatchObject({
      start_date: "2024-05-06 13:30:00",
      end_date: "2024-05-06 19:59:59",
      timezone: "UTC",
    });
    expect(fake.urls[0]!.searchParams.has("outputsize")).toBe(false);
  });

  test("a month of Twelve Data minutes is cut so that no answer is shortened", async () => {
    const context = recordingContext();
    const { bars } = await provider.fetchBars(window("MSFT", "1m", "2024-05-01", "2024-06-01"), context);
    expect(context.costs.length).toBe(2);
    expect(bars.ts.length).toBeGreaterThan(22 * 380);
  });

  test("Twelve Data's errors inside a 200 are recognised", async () => {
    for (const [code, message, kind] of [
      [401, "**apikey** parameter is incorrect or not specified.", "auth"],
      [403, "/time_series is available exclusively with grow or pro plans. Consider upgrading", "plan"],
      [404, "**symbol** or **figi** parameter is missing or invalid. Please provide a valid symbol", "unknown_symbol"],
      [400, "Invalid **interval** provided", "bad_request"],
    ] as const) {
      fake.always = reply(200, { code, message, status: "error" });
      expect((await failureOf(provider.fetchBars(window("MSFT", "1d"), recordingContext()))).kind).toBe(kind);
    }
    fake.always = null;
  });

  test("Twelve Data's credits of the minute and of the day are waited for", async () => {
    const context = recordingContext();
    fake.script.push(
      reply(200, { code: 429, message: "You have run out of API credits for the current minute.", status: "error" }),
      reply(200, { code: 429, message: "You have run out of API credits for the day.", status: "error" }),
    );
    expect((await provider.fetchBars(window("MSFT", "1d"), context)).bars.ts.length).toBe(10);
    expect(context.reports.some(({ holdSeconds }) => holdSeconds !== undefined)).toBe(true);
    expect(context.reports).toContainEqual({ used: { day: Number.POSITIVE_INFINITY } });
  });

  test("no data on the dates from Twelve Data is an empty answer", async () => {
    const { bars } = await provider.fetchBars(window("MSFT", "1d", "1985-01-01", "1985-02-01"), recordingContext());
    expect([bars.ts.length, fake.urls.at(-1)?.searchParams.get("start_date")]).toEqual([0, "1985-01-02 00:00:00"]);
    // The words of another captured answer: it is not the symbol that was not found.
    fake.script.push(reply(404, { code: 404, message: "Data not found", status: "error", meta: { symbol: "MSFT" } }));
    const none = await provider.fetchBars(window("MSFT", "1d"), recordingContext());
    expect(none.bars.ts.length).toBe(0);
  });

  test("a Twelve Data day that comes twice with different numbers is stored once", async () => {
    const row = (close: string, volume: string) => ({
      datetime: "2024-05-02",
      open: "10",
      high: "12",
      low: "9",
      close,
      volume,
    });
    fake.script.push(reply(200, { status: "ok", values: [row("11", "900"), row("10.5", "400")] }));
    const asked = window("MSFT", "1d");
    const { bars } = await provider.fetchBars(asked, recordingContext());
    expect(bars.ts.length).toBe(2);
    expect([...validateBars(bars, asked).bars.close]).toEqual([11]);
  });
});

describe("tiingo", () => {
  const fake = fakeTiingo();
  afterAll(fake.close);
  const provider = providerOn(fake, "tiingo");

  test("decades from Tiingo are one request", async () => {
    const context = recordingContext();
    const { bars } = await provider.fetchBars(window("AAPL", "1d", "1990-01-01", "2025-01-01"), context);
    expect([context.costs, bars.ts.length > 8_000]).toEqual([[1], true]);
  });

  test("a Tiingo bar of a day that does not exist is rejected, and becomes no bar of another day", async () => {
    const row = { open: 10, high: 11, low: 9, close: 10, volume: 1_000 };
    const rows = ["2024-11-20", "2024-11-31"].map((date) => ({ date: `${date}T00:00:00.000Z`, ...row }));
    fake.script.push(reply(200, rows));
    const { bars } = await provider.fetchBars(window("AAPL", "1d"), recordingContext());
    expect([...bars.ts]).toEqual([Date.UTC(2024, 10, 20) / 1_000, Number.NaN]);
  });

  test("Tiingo's spent hour, day or month is recognised by its words, with a 429 and with a 200", async () => {
    for (const status of [200, 429]) {
      for (const [words, period] of [
        ["hourly request allocation", "hour"],
        ["daily request allocation", "day"],
        ["monthly bandwidth allocation", "month"],
      ] as const) {
        fake.script.push(
          reply(status, {
            detail: `Error: You have run over your ${words}. Please upgrade at https://example.com/pricing`,
          }),
        );
        const context = recordingContext();
        await provider.fetchBars(window("AAPL", "1d"), context);
        expect(context.reports).toContainEqual({ used: { [period]: Number.POSITIVE_INFINITY } });
      }
    }
  });
});

describe("names on the wire", () => {
  test("preferred shares and share classes go out in each vendor's own spelling", async () => {
    for (const [name, start, brk, bac] of [
      ["eodhd", fakeEodhd, "/BRK-B.US", "/BAC-PL.US"],
      ["alpaca", fakeAlpaca, "symbols=BRK.B&", "symbols=BAC.PRL&"],
      ["massive", fakeMassive, "/ticker/BRK.B/", "/ticker/BACpL/"],
      ["tiingo", fakeTiingo, "/BRK-B/", "/BAC-P-L/"],
    ] as const) {
      const fake = start();
      await failureOf(providerOn(fake, name).fetchBars(window("BRK.B", "1d"), recordingContext()));
      await failureOf(providerOn(fake, name).fetchBars(window("BAC.PL", "1d"), recordingContext()));
      const urls = fake.urls.map((url) => decodeURIComponent(url.href));
      expect(`${name} ${urls.some((url) => url.includes(brk))}`).toBe(`${name} true`);
      expect(`${name} ${urls.some((url) => url.includes(bac))}`).toBe(`${name} true`);
      await fake.close();
    }
  });

  test("Binance is asked for every pair, and lists all that trade", async () => {
    const fake = fakeBinance();
    const provider = providerOn(fake, "binance");
    for (const symbol of ["T-USDT", "BTC-TRY", "BTC-NEWUSD"]) {
      await failureOf(provider.fetchBars(window(symbol, "1d"), recordingContext()));
    }
    expect(fake.urls.map((url) => url.searchParams.get("symbol"))).toEqual(["TUSDT", "BTCTRY", "BTCNEWUSD"]);
    const listed = await provider.listCompanies!("SPOT", recordingContext());
    expect(listed.map(({ symbol }) => symbol)).toEqual(["BTC-USDT", "ETH-BTC", "BTC-TRY"]);
    await fake.close();
  });
});
