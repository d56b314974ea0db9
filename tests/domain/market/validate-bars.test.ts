import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BAR_FIELDS, type BarColumns, emptyBars } from "../../../src/domain/market/bars.ts";
import { REASONS, validateBars, validateDays } from "../../../src/domain/market/validate-bars.ts";

type Row = [ts: number, open: number, high: number, low: number, close: number, volume: number];
const FROM = 1_704_205_800;
const window = { interval: "1m", from: FROM, to: FROM + 86_400, asOf: FROM + 10 * 86_400 } as const;

function columns(rows: readonly Row[]): BarColumns {
  const bars = emptyBars(rows.length);
  for (const [at, row] of rows.entries())
    for (const [column, field] of BAR_FIELDS.entries()) bars[field][at] = row[column]!;
  return bars;
}
const rowsOf = (bars: BarColumns) => [...bars.ts].map((_, at) => BAR_FIELDS.map((field) => bars[field][at]!) as Row);
const minute = (index: number, change: Partial<Record<(typeof BAR_FIELDS)[number], number>> = {}): Row => {
  const bar = { ts: FROM + 60 * index, open: 10, high: 12, low: 9, close: 11, volume: 100, ...change };
  return BAR_FIELDS.map((field) => bar[field]) as Row;
};

describe("validating bars", () => {
  test("valid bars pass unchanged, without a copy", () => {
    const bars = columns([minute(0), minute(1), minute(2)]);
    const judged = validateBars(bars, window);
    expect(judged.bars).toBe(bars);
    expect(judged.rejected).toEqual([]);
  });

  const faults: [string, Row, string][] = [
    ["no time", minute(1, { ts: Number.NaN }), REASONS.noTime],
    ["a time off the grid", minute(1, { ts: FROM + 61 }), REASONS.offGrid],
    ["a time before the window", minute(-1), REASONS.outside],
    ["a time at the window's open end", minute(1440), REASONS.outside],
    ["a time that has not come", minute(1, { ts: window.asOf }), REASONS.future],
    ["no close", minute(1, { close: Number.NaN }), REASONS.noPrice],
    ["an endless high", minute(1, { high: Number.POSITIVE_INFINITY }), REASONS.noPrice],
    ["a zero open", minute(1, { open: 0, low: 0 }), REASONS.notPositive],
    ["a negative low", minute(1, { low: -1 }), REASONS.notPositive],
    ["a price that no asset has", minute(1, { high: 1e16 }), REASONS.priceRange],
    ["a price that is next to nothing", minute(1, { low: 5e-324 }), REASONS.priceRange],
    ["a volume that nothing can have", minute(1, { volume: 1e19 }), REASONS.volumeRange],
    ["a volume that is no number", minute(1, { volume: Number.POSITIVE_INFINITY }), REASONS.noVolume],
    ["a negative volume", minute(1, { volume: -1 }), REASONS.negativeVolume],
    ["a high below its low", minute(1, { high: 8 }), REASONS.highBelowLow],
    ["a close above its high", minute(1, { close: 12.5 }), REASONS.outsideRange],
    ["an open below its low", minute(1, { open: 8.5 }), REASONS.outsideRange],
  ];
  for (const [title, bad, reason] of faults) {
    test(`a bar with ${title} is rejected and the others stay`, () => {
      const { bars, rejected } = validateBars(columns([minute(0), bad, minute(2)]), window);
      expect(rowsOf(bars)).toEqual([minute(0), minute(2)]);
      expect(rejected.map((row) => row.reason)).toEqual([reason]);
    });
  }

  test("a rejected row keeps its numbers, a missing one as null", () => {
    const { rejected } = validateBars(columns([minute(0, { close: Number.NaN })]), window);
    expect(rejected).toEqual([
      {
        where: "2024-01-02T14:30:00.000Z",
        reason: REASONS.noPrice,
        raw: `{"ts":${FROM},"open":10,"high":12,"low":9,"close":null,"volume":100}`,
      },
    ]);
  });

  test("rows without a time have places of their own, so that each counts", () => {
    const rows = [minute(0), minute(1, { ts: Number.NaN }), minute(1, { ts: Number.NaN })];
    const { rejected } = validateBars(columns(rows), window);
    expect(rejected.map(({ where }) => where)).toEqual([
      "2024-01-02 to 2024-01-03, no time, row 2",
      "2024-01-02 to 2024-01-03, no time, row 3",
    ]);
  });

  test("zero volume is valid", () => {
    expect(validateBars(columns([minute(0, { volume: 0 })]), window).rejected).toEqual([]);
  });

  test("bars off the grid of their interval are rejected, the others are kept", () => {
    const at = (interval: "5m" | "15m" | "1h", ...offsets: number[]) => {
      const hours = { interval, from: 0, to: 10 * 86_400, asOf: 20 * 86_400 } as const;
      const rows = offsets.map((offset) => minute(0, { ts: 86_400 + offset * 60 }));
      const { bars, rejected } = validateBars(columns(rows), hours);
      expect(rejected.every(({ reason }) => reason === REASONS.offGrid)).toBe(true);
      return [...bars.ts].map((ts) => (ts - 86_400) / 60);
    };
    expect(at("5m", 0, 5, 11, 15)).toEqual([0, 5, 15]);
    expect(at("15m", 0, 15, 35, 45)).toEqual([0, 15, 45]);
    expect(at("1h", 30, 90, 157, 210)).toEqual([30, 90, 210]);
  });

  test("rows of a shorter interval are no bars, also those that lie on the grid", () => {
    const hours = { interval: "1h", from: 0, to: 10 * 86_400, asOf: 20 * 86_400 } as const;
    const quarters = Array.from({ length: 12 }, (_, at) => minute(0, { ts: 86_400 + 900 * at }));
    const { bars, rejected } = validateBars(columns(quarters), hours);
    expect([bars.ts.length, rejected.length, rejected[0]!.reason]).toEqual([0, 12, REASONS.finer]);
  });

  test("rows of a longer interval are no bars, and rows of rare auctions are", () => {
    const rows = (interval: "1m" | "15m", starts: readonly number[]) => {
      const days = { interval, from: 0, to: 60 * 86_400, asOf: 90 * 86_400 } as const;
      const { bars, rejected } = validateBars(columns(starts.map((ts) => minute(0, { ts }))), days);
      return [bars.ts.length, new Set(rejected.map(({ reason }) => reason))];
    };
    const days = (count: number, ...hours: number[]) =>
      Array.from({ length: count }, (_, day) => hours.map((hour) => (day + 1) * 86_400 + hour * 3_600)).flat();
    const hours = [14, 15, 16, 17, 18, 19, 20];
    expect(rows("15m", days(3, ...hours))).toEqual([0, new Set([REASONS.coarser])]);
    expect(rows("1m", days(1, ...hours))).toEqual([0, new Set([REASONS.coarser])]);
    expect(rows("15m", days(30, 0))).toEqual([0, new Set([REASONS.coarser])]);
    // Two and three auctions a day, one, and too few rows to tell.
    expect(rows("15m", days(20, 10.5, 15.5))).toEqual([40, new Set()]);
    expect(rows("15m", days(20, 9, 13, 17))).toEqual([60, new Set()]);
    expect(rows("1m", days(30, 15.5))).toEqual([30, new Set()]);
    expect(rows("15m", days(1, ...hours))).toEqual([7, new Set()]);
  });

  test("a daily bar off midnight UTC is rejected", () => {
    const day = { interval: "1d", from: 0, to: 10 * 86_400, asOf: 20 * 86_400 } as const;
    const { bars, rejected } = validateBars(
      columns([minute(0, { ts: 86_400 }), minute(0, { ts: 2 * 86_400 + 18_000 })]),
      day,
    );
    expect([...bars.ts]).toEqual([86_400]);
    expect(rejected[0]?.reason).toBe(REASONS.offGrid);
  });

  test("of two different bars of one minute the one with more volume is kept", () => {
    const less = minute(1, { volume: 50 });
    const more = minute(1, { volume: 80, close: 10.5 });
    for (const pair of [
      [less, more],
      [more, less],
    ]) {
      const { bars, rejected } = validateBars(columns([minute(0), ...pair, minute(2)]), window);
      expect(rowsOf(bars)).toEqual([minute(0), more, minute(2)]);
      expect(rejected.map((row) => row.reason)).toEqual([REASONS.lowerVolume]);
    }
  });

  test("a bar that came twice is stored once", () => {
    const { bars, rejected } = validateBars(columns([minute(0), minute(1), minute(1)]), window);
    expect(rowsOf(bars)).toEqual([minute(0), minute(1)]);
    expect(rejected.map((row) => row.reason)).toEqual([REASONS.duplicate]);
  });

  const level = (index: number, price: number): Row =>
    minute(index, { open: price, high: price, low: price, close: price });

  test("a lone jump is rejected, up or down, one bar or two", () => {
    for (const odd of [1000, 1, 0.0001]) {
      const { bars, rejected } = validateBars(
        columns([10, 10.1, odd, 10.2, 10, odd, odd, 10, 10.1, 10].map((p, i) => level(i, p))),
        window,
      );
      expect([...bars.close]).toEqual([10, 10.1, 10.2, 10, 10, 10.1, 10]);
      expect(rejected.map((row) => row.reason)).toEqual([REASONS.jump, REASONS.jump, REASONS.jump]);
    }
  });

  test("a jump that stays passes as a split, and a crash passes", () => {
    for (const prices of [
      [200, 201, 10, 10.1, 10],
      [1, 1.01, 50, 50.2, 50],
      [100, 100, 49, 51, 52],
    ]) {
      expect(validateBars(columns(prices.map((p, i) => level(i, p))), window).rejected).toEqual([]);
    }
  });

  test("a single trade far off the market does not reject the whole bar", () => {
    const rows = [minute(0), minute(1, { low: 0.001 }), minute(2, { high: 5_000 }), minute(3)];
    expect(validateBars(columns(rows), window).rejected).toEqual([]);
  });

  test("a jump at the end passes: only what follows can decide", () => {
    expect(validateBars(columns([10, 10, 10, 400].map((p, i) => level(i, p))), window).rejected).toEqual([]);
  });

  test("property: bars that pass are ascending, in the window and plausible, and no row vanishes", () => {
    const number = fc.oneof(fc.constantFrom(0, -1, 9, 10, 11, 1e6, Number.NaN), fc.double());
    const ts = fc.oneof(
      fc.integer({ min: -3, max: 1445 }).map((i) => FROM + 60 * i),
      fc.double(),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(ts, number, number, number, number, number), { maxLength: 60 }), (rows) => {
        const { bars, rejected } = validateBars(columns(rows as Row[]), window);
        expect(bars.ts.length + rejected.length).toBe(rows.length);
        for (let at = 0; at < bars.ts.length; at++) {
          const [time, o, h, l, c, v] = BAR_FIELDS.map((field) => bars[field][at]!) as Row;
          expect(time >= window.from && time < window.to && (at === 0 || time > bars.ts[at - 1]!)).toBe(true);
          expect(l > 0 && l <= o && o <= h && l <= c && c <= h && Number.isFinite(h)).toBe(true);
          // A volume may be unknown, and is then NaN.
          expect(Number.isNaN(v) || (v >= 0 && Number.isFinite(v))).toBe(true);
        }
      }),
    );
  });

  test("the order of arrival does not matter to validation", () => {
    const rows = Array.from({ length: 20 }, (_, i) => minute(i, { volume: 100 + i }));
    fc.assert(
      fc.property(fc.shuffledSubarray(rows, { minLength: 20 }), (shuffled) => {
        const { bars, rejected } = validateBars(columns(shuffled), window);
        expect(rowsOf(bars)).toEqual(rows);
        expect(rejected).toEqual([]);
      }),
    );
  });
});

test("days validated by themselves are the same whatever days they come with", () => {
  const level = (index: number, price: number): Row =>
    minute(index, { open: price, high: price, low: price, close: price });
  const day = (first: number) =>
    Array.from({ length: 200 }, (_, at) => level(first + at, at === 0 || at === 90 ? 5_000 : 50));
  const all = { ...window, to: window.from + 3 * 86_400 };
  const [one, two] = [day(0), day(1_440)];
  const both = rowsOf(validateDays(columns([...one, ...two]), all).bars);
  expect(both).toEqual([one, two].flatMap((rows) => rowsOf(validateDays(columns(rows), all).bars)));
  expect(both.length).toBe(398);
});
