import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ProviderError } from "../../src/domain/errors.ts";
import { type BarColumns, barsBetween } from "../../src/domain/market/bars.ts";
import { barStarts, CALENDAR } from "../../src/domain/market/calendar.ts";
import { INTERVALS, type Interval } from "../../src/domain/market/interval.ts";
import { createDemoProvider } from "../../src/providers/demo/demo-provider.ts";
import { recordingContext } from "./fetch-context.ts";
import { providerContract } from "./provider.contract.ts";

const at = (date: string) => Date.parse(`${date}T00:00:00Z`) / 1000;
const ASOF = at("2026-12-01");

async function fetch(symbol: string, interval: Interval, from: number, to: number): Promise<BarColumns> {
  const provider = createDemoProvider();
  return (await provider.fetchBars({ symbol, interval, from, to, asOf: ASOF }, recordingContext())).bars;
}

for (const symbol of ["AAPL", "BTC-USD"]) {
  providerContract(`demo with ${symbol}`, () => ({
    provider: createDemoProvider(),
    symbol,
    unknown: "VOD@LSE",
    from: "2024-11-25",
    to: "2024-12-09",
    metered: true,
  }));
}

describe("demo bars", () => {
  test("demo bars are the same on every machine", async () => {
    const bars = await fetch("AAPL", "1h", at("2024-07-03"), at("2024-07-04"));
    const rows = [...bars.ts].map((_, i) => [bars.open[i], bars.high[i], bars.low[i], bars.close[i], bars.volume[i]]);
    expect(rows).toMatchInlineSnapshot(`
      [
        [
          165.77,
          166.98,
          165.49,
          165.67,
          1719969,
        ],
        [
          165.67,
          165.73,
          163.67,
          165.06,
          792278,
        ],
        [
          165.06,
          165.79,
          162.24,
          162.48,
          1198913,
        ],
        [
          162.48,
          164.84,
          161.53,
          163.53,
          1403382,
        ],
      ]
    `);
  });

  test("demo bars do not depend on the window asked for", async () => {
    const whole = await fetch("MSFT", "15m", at("2023-06-01"), at("2024-06-01"));
    await fc.assert(
      fc.asyncProperty(fc.nat(350 * 96), fc.integer({ min: 1, max: 96 * 5 }), async (start, length) => {
        const from = at("2023-06-01") + start * 900;
        const to = Math.min(from + length * 900, at("2024-06-01"));
        const part = await fetch("MSFT", "15m", from, to);
        expect(part).toEqual(copy(barsBetween(whole, from, to)));
      }),
      { numRuns: 15 },
    );
  });

  for (const symbol of ["AAPL", "ETH-USD", "ZZZQ"]) {
    test(`demo bars of ${symbol} agree across all intervals`, async () => {
      const from = at("2024-11-18");
      const to = at("2024-12-09");
      const market = symbol === "ETH-USD" ? "crypto" : "us_equity";
      for (const [fine, coarse] of [
        ["1m", "5m"],
        ["5m", "15m"],
        ["15m", "1h"],
        ["1h", "1d"],
      ] as const) {
        const small = await fetch(symbol, fine, from, to);
        const large = await fetch(symbol, coarse, from, to);
        for (let i = 0; i < large.ts.length; i++) {
          const start = coarse === "1d" ? CALENDAR.sessionOn(market, large.ts[i]!)!.open : large.ts[i]!;
          const part = barsBetween(small, start, CALENDAR.barEnd(market, coarse, large.ts[i]!));
          expect(part.open[0]).toBe(large.open[i]!);
          expect(part.close.at(-1)).toBe(large.close[i]!);
          expect(Math.max(...part.high)).toBe(large.high[i]!);
          expect(Math.min(...part.low)).toBe(large.low[i]!);
          expect(part.volume.reduce((sum, v) => sum + v, 0)).toBeCloseTo(large.volume[i]!, 3);
        }
      }
    });
  }

  test("demo bars are consistent: high over low, positive prices and volumes, on the session's grid", async () => {
    for (const interval of INTERVALS) {
      for (const symbol of ["AAPL", "QWERTY", "SOL-USD"]) {
        const market = symbol === "SOL-USD" ? "crypto" : "us_equity";
        const bars = await fetch(symbol, interval, at("2025-03-01"), at("2025-04-01"));
        const grid = new Set(
          CALENDAR.sessionsBetween(market, at("2025-03-01"), at("2025-04-01")).flatMap((s) => barStarts(s, interval)),
        );
        for (let i = 0; i < bars.ts.length; i++) {
          const [o, h, l, c] = [bars.open[i]!, bars.high[i]!, bars.low[i]!, bars.close[i]!];
          if (!(l > 0 && l <= Math.min(o, c) && h >= Math.max(o, c) && bars.volume[i]! > 0 && grid.has(bars.ts[i]!))) {
            throw new Error(`${symbol} ${interval} ${bars.ts[i]}: ${o} ${h} ${l} ${c} ${bars.volume[i]}`);
          }
        }
        if (interval !== "1m") expect(bars.ts.length).toBe(grid.size);
        else {
          expect(bars.ts.length).toBeLessThan(grid.size);
          expect(bars.ts.length).toBeGreaterThan(0.9 * grid.size);
        }
      }
    }
  });

  test("demo bars have more volume at the open and the close than at noon", async () => {
    const bars = await fetch("SPY", "15m", at("2024-01-01"), at("2025-01-01"));
    const byMinute = new Map<number, number>();
    for (let i = 0; i < bars.ts.length; i++) {
      const minute = (bars.ts[i]! - CALENDAR.sessionOn("us_equity", bars.ts[i]!)!.open) / 60;
      byMinute.set(minute, (byMinute.get(minute) ?? 0) + bars.volume[i]!);
    }
    expect(byMinute.get(0)!).toBeGreaterThan(1.5 * byMinute.get(180)!);
    expect(byMinute.get(375)!).toBeGreaterThan(1.5 * byMinute.get(180)!);
  });

  test("demo bars have calm and volatile times: large moves follow large moves", async () => {
    const { close } = await fetch("AAPL", "1d", at("1990-01-01"), at("2026-01-01"));
    const moves = [...close].slice(1).map((c, i) => Math.abs(Math.log(c / close[i]!)));
    const mean = moves.reduce((sum, move) => sum + move, 0) / moves.length;
    const variance = moves.reduce((sum, move) => sum + (move - mean) ** 2, 0);
    const lagged = moves.slice(1).reduce((sum, move, i) => sum + (move - mean) * (moves[i]! - mean), 0);
    expect(lagged / variance).toBeGreaterThan(0.1);
    expect(mean).toBeGreaterThan(0.004);
    expect(mean).toBeLessThan(0.04);
  });

  test("demo prices stay plausible over 36 years, whatever the name", async () => {
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[A-Z]{1,5}$/), async (symbol) => {
        const { low, high } = await fetch(symbol, "1d", at("1990-01-01"), at("2026-01-01"));
        expect(Math.min(...low)).toBeGreaterThan(0.5);
        expect(Math.max(...high)).toBeLessThan(100_000);
      }),
      { numRuns: 25 },
    );
  });

  test("demo bars begin late for a small share of names", async () => {
    const names = Array.from({ length: 200 }, (_, i) => `L${i}`);
    const first = await Promise.all(names.map((name) => fetch(name, "1d", at("2003-01-01"), at("2003-03-01"))));
    const late = first.filter((bars) => bars.ts.length === 0).length;
    expect(late).toBeGreaterThan(2);
    expect(late).toBeLessThan(30);
    const whole = await fetch("AAPL", "1d", at("1990-01-01"), at("1990-02-01"));
    expect(whole.ts.length).toBe(CALENDAR.sessionsBetween("us_equity", at("1990-01-01"), at("1990-02-01")).length);
  });
});

describe("the demo provider", () => {
  const window = { symbol: "AAPL", interval: "1d", from: at("2024-01-01"), to: at("2024-02-01"), asOf: ASOF } as const;

  test("the demo provider makes one request a window", async () => {
    const context = recordingContext();
    await createDemoProvider().fetchBars({ ...window, interval: "1m" }, context);
    expect(context.costs).toEqual([1]);
  });

  test("a stop cuts the demo provider's latency short", async () => {
    const stop = new AbortController();
    const answer = createDemoProvider({ latencyMs: 3_600_000 }).fetchBars(window, recordingContext(stop.signal));
    stop.abort(new Error("cancelled"));
    expect(answer).rejects.toThrow("cancelled");
  });

  test("the demo provider fails DEMO-FAIL, and only that", async () => {
    const failure = await createDemoProvider()
      .fetchBars({ ...window, symbol: "DEMO-FAIL" }, recordingContext())
      .catch((error) => error);
    expect(failure).toBeInstanceOf(ProviderError);
    expect(failure.kind).toBe("transient");
  });

  test("the demo provider knows AAPL@US as AAPL", async () => {
    const provider = createDemoProvider();
    const plain = await provider.fetchBars(window, recordingContext());
    const suffixed = await provider.fetchBars({ ...window, symbol: "AAPL@US" }, recordingContext());
    expect(suffixed).toEqual(plain);
  });

  test("the demo provider answers an empty window with nothing", async () => {
    const weekend = { ...window, from: at("2024-01-06"), to: at("2024-01-08") };
    const { bars } = await createDemoProvider().fetchBars(weekend, recordingContext());
    expect(bars.ts.length).toBe(0);
  });
});

/** Views compared by content: a slice of a longer buffer equals a short one. */
function copy(bars: BarColumns): BarColumns {
  return Object.fromEntries(
    Object.entries(bars).map(([field, column]) => [field, column.slice()]),
  ) as unknown as BarColumns;
}
