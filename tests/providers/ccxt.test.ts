/** Exchanges through the optional package ccxt, against a stand-in with the package's classes. */

import { describe, expect, test } from "bun:test";
import { ConfigError } from "../../src/config/reader.ts";
import { readConfig } from "../../src/config.ts";
import { ProviderError } from "../../src/domain/errors.ts";
import { INTERVAL_SECONDS, type Interval } from "../../src/domain/market/interval.ts";
import { isInstalled, loadCcxt } from "../../src/providers/ccxt/ccxt-module.ts";
import { createCcxtProvider } from "../../src/providers/ccxt/ccxt-provider.ts";
import { missingSettings } from "../../src/providers/entry.ts";
import { findProvider, listProviders, quotaRules, readyProviders, whyNotUsable } from "../../src/providers/registry.ts";
import { sampleSymbol } from "../../src/scheduler/settings/provider-check.ts";
import { ERRORS, type FakeCcxt, fakeCcxt } from "../fakes/ccxt.ts";
import { recordingContext } from "./fetch-context.ts";

const at = (text: string) => Date.parse(text) / 1_000;
const FROM = at("2026-03-01T00:00:00Z");
const NOW = at("2026-03-10T12:34:56Z");
const window = (interval: Interval = "1h", from = FROM, to = NOW, symbol = "BTC-USD") => ({
  symbol,
  interval,
  from,
  to,
  asOf: NOW,
});

/** Candles from `from` to the open one at NOW. */
function candles(fake: FakeCcxt, interval: Interval, from = FROM) {
  const step = INTERVAL_SECONDS[interval];
  fake.rows = [];
  for (let ts = from; ts <= NOW; ts += step) fake.rows.push([ts, 10, 12, 9, 11, 0.5]);
}

function setUp() {
  const fake = fakeCcxt();
  candles(fake, "1h");
  let loads = 0;
  const provider = createCcxtProvider({
    exchange: "kraken",
    name: "ccxt-kraken",
    title: "Kraken (ccxt)",
    timing: { backoffMs: 1, busyMs: 10, random: () => 0 },
    load: async () => {
      loads += 1;
      return fake.module;
    },
  });
  return { fake, provider, loads: () => loads };
}
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error) => error,
  );

describe("an exchange of ccxt", () => {
  test("the package is loaded on first use, once, with its own rate limiter off", async () => {
    const { fake, provider, loads } = setUp();
    expect([provider.intervals.length, provider.traits("BTC-USD", "1h").feed, loads()]).toEqual([5, "spot", 0]);
    await Promise.all([1, 2, 3].map(() => provider.fetchBars(window(), recordingContext())));
    expect([loads(), fake.created]).toEqual([1, [{ enableRateLimit: false, timeout: 60_000 }]]);
  });

  test("a package that could not be loaded is loaded again by the next request", async () => {
    const fake = fakeCcxt();
    candles(fake, "1h");
    let isThere = false;
    const provider = createCcxtProvider({
      exchange: "kraken",
      name: "ccxt-kraken",
      title: "Kraken (ccxt)",
      load: async () => {
        if (!isThere) throw new ProviderError("auth", "The package ccxt is not installed");
        return fake.module;
      },
    });
    const both = await Promise.all([1, 2].map(() => failureOf(provider.fetchBars(window(), recordingContext()))));
    expect(both.map((error) => error?.message)).toEqual(Array(2).fill("The package ccxt is not installed"));
    isThere = true;
    expect(await failureOf(provider.fetchBars(window(), recordingContext()))).toBeNull();
    expect(fake.created.length).toBe(1);
  });

  test("pages are followed to the end of the window, the open candle is left out, and every request has a permit", async () => {
    const { fake, provider } = setUp();
    const context = recordingContext();
    const { bars, notInPlan } = await provider.fetchBars(window(), context);
    expect([bars.ts.length, bars.ts[0], bars.ts.at(-1)]).toEqual([9 * 24 + 12, FROM, at("2026-03-10T11:00:00Z")]);
    expect([bars.volume[0], notInPlan]).toEqual([0.5, undefined]);
    // The markets and three pages of 100.
    expect([fake.urls.length, context.costs.length, context.reports.length]).toEqual([4, 4, 4]);
    expect(context.ends.map(({ code, isRetry }) => `${code} ${isRetry}`)).toEqual(Array(4).fill("ok false"));
  });

  test("a page without trades is not the end, and what was before the first trade is empty", async () => {
    const { fake, provider } = setUp();
    candles(fake, "1h", at("2026-03-08T00:00:00Z"));
    const late = await provider.fetchBars(window(), recordingContext());
    expect([late.bars.ts[0], late.notInPlan]).toEqual([at("2026-03-08T00:00:00Z"), undefined]);
    candles(fake, "1h");
    fake.rows = fake.rows.filter(([ts]) => ts < FROM + 7_200 || ts >= at("2026-03-10T06:00:00Z"));
    const { bars } = await provider.fetchBars(window(), recordingContext());
    expect(bars.ts.length).toBe(2 + 6);
  });

  test("a candle of the future does not move the next page past what is left", async () => {
    const { fake, provider } = setUp();
    const future = [at("2027-01-01T00:00:00Z"), 10, 12, 9, 11, 0.5] as const;
    fake.rows = [...fake.rows.slice(0, 50), future, ...fake.rows.slice(50)];
    const { bars } = await provider.fetchBars(window(), recordingContext());
    expect([bars.ts.length, bars.ts.at(-1)]).toEqual([9 * 24 + 12, at("2026-03-10T11:00:00Z")]);
  });

  test("an exchange that gives only its newest candles leaves the rest out of the plan", async () => {
    const { fake, provider } = setUp();
    candles(fake, "1m", at("2026-03-10T00:00:00Z"));
    fake.newestOnly = true;
    const { bars, notInPlan } = await provider.fetchBars(window("1m"), recordingContext());
    const first = at("2026-03-10T10:55:00Z");
    expect([bars.ts.length, bars.ts[0]]).toEqual([99, first]);
    const words = "Kraken (ccxt) gives only its newest 100 candles of 1m";
    expect(notInPlan).toEqual([{ from: FROM, to: first, words }]);
    const before = await provider.fetchBars(window("1m", FROM, FROM + 86_400), recordingContext());
    expect([before.bars.ts.length, before.notInPlan]).toEqual([0, [{ from: FROM, to: FROM + 86_400, words }]]);
  });

  test("newest candles that are fewer than the stated page are told from the first ones of a pair by its days", async () => {
    const { fake, provider } = setUp();
    candles(fake, "1m", at("2026-03-10T00:00:00Z"));
    fake.newestOnly = true;
    fake.most = 60;
    const days = (from: number) => {
      fake.frames["1d"] = [];
      for (let ts = from; ts <= NOW; ts += 86_400) fake.frames["1d"].push([ts, 10, 12, 9, 11, 0.5]);
    };
    days(at("2026-02-01T00:00:00Z"));
    const early = window("1m", FROM, FROM + 3_600);
    const words = "Kraken (ccxt) gives only its newest 60 candles of 1m";
    const cut = await provider.fetchBars(early, recordingContext());
    expect([cut.bars.ts.length, cut.notInPlan]).toEqual([0, [{ from: FROM, to: FROM + 3_600, words }]]);
    // The pair has traded since the day of its first minutes: there is nothing before.
    days(at("2026-03-10T00:00:00Z"));
    const first = await provider.fetchBars(early, recordingContext());
    expect([first.bars.ts.length, first.notInPlan]).toEqual([0, undefined]);
  });

  test("an odd candle is put aside, and the others are kept", async () => {
    const { fake, provider } = setUp();
    fake.rows.splice(3, 1, [fake.rows[3]![0], {} as never]);
    const { bars, rejected } = await provider.fetchBars(window(), recordingContext());
    expect([bars.ts.length, rejected.length]).toEqual([9 * 24 + 11, 1]);
  });

  test("an interval that the exchange lacks is refused with those it has", async () => {
    const { provider } = setUp();
    const { kind, message } = await failureOf(provider.fetchBars(window("5m"), recordingContext()));
    expect([kind, message]).toEqual(["bad_request", "Kraken (ccxt) has no 5m candles, only 1m, 15m, 1h, 1d, 1w"]);
  });

  test.each(["NOPE-USD", "SWAP-USD"])("%s is no spot pair of the exchange", async (symbol) => {
    const { fake, provider } = setUp();
    const error = await failureOf(provider.fetchBars(window("1h", FROM, NOW, symbol), recordingContext()));
    expect([error.kind, error.message]).toEqual([
      "unknown_symbol",
      `${symbol} is not known: Kraken (ccxt) has no spot pair ${symbol.replace("-", "/")}`,
    ]);
    expect(fake.urls.length).toBe(1);
  });

  test("the list of the exchange has its spot pairs that are traded", async () => {
    const { provider } = setUp();
    expect(await provider.listCompanies!("SPOT", recordingContext())).toEqual([
      { symbol: "BTC-USD", name: "BTC / USD", exchange: "Kraken (ccxt)" },
      { symbol: "ETH-EUR", name: "ETH / EUR", exchange: "Kraken (ccxt)" },
      { symbol: "STETH-BTC", name: "stETH / BTC", exchange: "Kraken (ccxt)" },
    ]);
  });

  test("a pair whose asset the exchange spells with small letters is requested as it is spelled there", async () => {
    const { fake, provider } = setUp();
    const { bars } = await provider.fetchBars(window("1h", FROM, NOW, "STETH-BTC"), recordingContext());
    expect([bars.ts.length > 0, fake.urls.at(-1)]).toEqual([true, expect.stringContaining("pair=stETH/BTC&")]);
  });
});

describe("errors of ccxt", () => {
  const kinds = [
    ["BadSymbol", "unknown_symbol", 1],
    ["RateLimitExceeded", "rate_limited", 5],
    ["DDoSProtection", "rate_limited", 5],
    ["ExchangeNotAvailable", "transient", 5],
    ["RequestTimeout", "transient", 5],
    ["AuthenticationError", "auth", 1],
    ["PermissionDenied", "auth", 1],
    ["RestrictedLocation", "auth", 1],
    ["NotSupported", "bad_request", 1],
    ["BadRequest", "bad_request", 1],
    ["ExchangeError", "bad_request", 1],
    ["BadResponse", "invalid_response", 3],
  ] as const;
  test.each(kinds)("%s is %s after %d attempts", async (name, kind, attempts) => {
    const { fake, provider } = setUp();
    const message = "kraken GET https://api.kraken.com/0/public/OHLC 503 <html>down\nfor a moment</html>";
    fake.failures.push(undefined, ...Array(9).fill(new ERRORS[name](message)));
    const context = recordingContext();
    const error = await failureOf(provider.fetchBars(window(), context));
    expect([error.kind, error.message]).toEqual([kind, "Kraken (ccxt): 503 down for a moment"]);
    expect([context.costs.length, fake.urls.length]).toEqual([1 + attempts, 1 + attempts]);
    expect(context.waits.length).toBe(kind === "rate_limited" ? 0 : attempts - 1);
    expect(context.ends.slice(1).map(({ code, isRetry }) => [code, isRetry])).toEqual(
      Array.from({ length: attempts }, (_, at) => ["503", at > 0]),
    );
  });

  test("an error that is none of the package's is an answer it could not read", async () => {
    const { fake, provider } = setUp();
    fake.failures.push(undefined, ...Array(3).fill(new TypeError("undefined is not an object")));
    expect((await failureOf(provider.fetchBars(window(), recordingContext()))).kind).toBe("invalid_response");
  });

  test("candles of another shape are requested again, and nothing of them is kept", async () => {
    const { fake, provider } = setUp();
    const expected = await provider.fetchBars(window(), recordingContext());
    const good = fake.rows;
    fake.rows = good.map(([ts]) => [ts, true]);
    const context = recordingContext();
    const waiting = context.waiting.bind(context);
    let waits = 0;
    const bars = await provider.fetchBars(window(), {
      ...context,
      waiting(wait) {
        waits += 1;
        if (waits === 2) fake.rows = good;
        waiting(wait);
      },
    });
    expect(bars).toEqual(expected);
    expect(context.waits).toEqual(["Retry 2/3 in 1s: unexpected answer", "Retry 3/3 in 1s: unexpected answer"]);
    fake.rows = good.map(([ts]) => [ts, true]);
    const sent = fake.urls.length;
    const error = await failureOf(provider.fetchBars(window(), recordingContext()));
    expect([error.kind, fake.urls.length - sent]).toEqual(["invalid_response", 3]);
    expect(error.message).toStartWith("Kraken (ccxt): unexpected candles: 0");
  });

  test("a rate limit holds all requests to the exchange, for as long as it says", async () => {
    const { fake, provider } = setUp();
    for (const [headers, holdSeconds] of [
      [{ "Retry-After": "7" }, 7],
      [{}, 0.005],
    ] as const) {
      fake.headers = { ...headers };
      fake.failures.push(new ERRORS.RateLimitExceeded("kraken slow down"));
      const context = recordingContext();
      await provider.fetchBars(window(), context);
      expect(context.reports[0]).toEqual({ holdSeconds, reason: "Kraken (ccxt) is busy" });
    }
  });

  test("a stop takes effect at once, and another job that waited for the same markets goes on", async () => {
    const { fake, provider } = setUp();
    const { promise, resolve } = Promise.withResolvers<void>();
    fake.gate = promise;
    const stop = new AbortController();
    const [first, second] = [
      provider.fetchBars(window(), recordingContext(stop.signal)),
      provider.fetchBars(window(), recordingContext()),
    ];
    while (fake.urls.length === 0) await Bun.sleep(1);
    stop.abort(new Error("paused"));
    expect(await failureOf(first)).toEqual(new Error("paused"));
    resolve();
    expect((await second).bars.ts.length).toBeGreaterThan(0);
  });

  test("an exchange that the package lacks, and one without candles, are named", async () => {
    const { module } = fakeCcxt();
    const errorOf = (exchange: string) => {
      const provider = createCcxtProvider({
        exchange,
        name: `ccxt-${exchange}`,
        title: exchange,
        load: async () => module,
      });
      return failureOf(provider.fetchBars(window(), recordingContext()));
    };
    expect((await errorOf("krakken")).message).toBe('ccxt 0.0.0 has no exchange "krakken"');
    expect((await errorOf("candleless")).message).toBe("Kraken has no candles in ccxt");
  });
});

test("an exchange is checked with a pair, as it has no shares", () => {
  const symbols = ["ccxt-kraken", "binance", "alpaca"].map((name) => sampleSymbol(findProvider(name)!));
  expect(symbols).toEqual(["BTC-USDT", "BTC-USDT", "AAPL"]);
});

describe("BARKEEP_CCXT", () => {
  const read = (env: Record<string, string>) => readConfig(env, listProviders(env)).providerValues;

  test("BARKEEP_CCXT makes a provider of each exchange, with a limit of its own", () => {
    const values = read({ BARKEEP_CCXT: "kraken, bybit,kraken", CCXT_BYBIT_PER_MINUTE: "600" });
    const added = listProviders(values).slice(-2);
    expect(added.map(({ name, title }) => `${name}: ${title}`)).toEqual([
      "ccxt-kraken: Kraken (ccxt)",
      "ccxt-bybit: Bybit (ccxt)",
    ]);
    expect(added.map((entry) => entry.limits(values)[0]!.limit)).toEqual([60, 600]);
    expect(quotaRules(values).map(({ provider }) => provider)).toContain("ccxt-kraken");
    expect(listProviders(read({})).some(({ name }) => name.startsWith("ccxt"))).toBe(false);
  });

  test("BARKEEP_CCXT with anything but ids stops the start", () => {
    expect(() => read({ BARKEEP_CCXT: "Kraken;bybit" })).toThrow(ConfigError);
    expect(() => read({ BARKEEP_CCXT: "Kraken;bybit" })).toThrow("kraken,coinbase");
  });

  test("every page gives the command that leaves development packages out and may change the lockfile", async () => {
    const pages = ["README.md", ".env.example", "docs/data.md", "docs/dependencies.md", "src/installation.ts"];
    for (const page of pages) {
      const text = await Bun.file(new URL(`../../${page}`, import.meta.url)).text();
      const commands = text.match(/bun add [^`(),\n]*/g) ?? [];
      expect([page, commands.length > 0]).toEqual([page, true]);
      for (const command of commands) expect(command).toStartWith("bun add --optional --omit=dev ");
    }
  });

  test.skipIf(isInstalled())("without the package the provider says which command installs it", async () => {
    const values = read({ BARKEEP_CCXT: "kraken" });
    const needs = "the package ccxt (bun add --optional --omit=dev ccxt, then start Barkeep again)";
    expect(missingSettings(findProvider("ccxt-kraken")!, values)).toEqual([needs]);
    expect(readyProviders(values).some(({ name }) => name === "ccxt-kraken")).toBe(false);
    expect(whyNotUsable("ccxt-kraken")).toContain(needs);
    expect((await failureOf(loadCcxt())).message).toBe(
      "The package ccxt is not installed: bun add --optional --omit=dev ccxt, then start Barkeep again",
    );
  });
});
