/** The comparison of two providers, bar by bar. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { type BarColumns, emptyBars } from "../../../src/domain/market/bars.ts";
import { compareProviders, VERDICTS } from "../../../src/domain/profiles/comparison.ts";

const START = Date.parse("2026-03-02T00:00:00Z") / 1000;
const HOUR = 3_600;

/** Hourly bars whose prices depend on their time, changed by `change`, without those for which it returns `null`. */
function hourly(
  change: (at: number) => { ts?: number; factor?: number; add?: number } | null = () => ({}),
  count = 48,
) {
  const rows = Array.from({ length: count }, (_, at) => {
    const changed = change(at);
    if (changed === null) return [];
    const { ts = 0, factor = 1, add = 0 } = changed;
    const close = Math.round(10_000 + 900 * Math.sin(at * 1.3)) / 100;
    const open = Math.round(10_000 + 900 * Math.sin(at * 1.3 - 0.4)) / 100;
    return [{ ts: START + at * HOUR + ts, open: open * factor, close: close * factor + add }];
  }).flat();
  const bars = emptyBars(rows.length);
  for (const [at, { ts, open, close }] of rows.entries()) {
    bars.ts[at] = ts;
    bars.open[at] = open;
    bars.close[at] = close;
    bars.high[at] = Math.max(open, close);
    bars.low[at] = Math.min(open, close);
    bars.volume[at] = 1_000;
  }
  return bars as BarColumns;
}
const nonZero = ({ counts }: ReturnType<typeof compareProviders>) =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));

test("equal bars agree", () => {
  const comparison = compareProviders(hourly(), hourly(), true);
  expect(nonZero(comparison)).toEqual({ agree: 48 });
  expect(comparison.runs).toEqual([]);
});

test("bars may differ by a tick, by a ratio, or in another way, or be missing on one side", () => {
  const second = hourly((at) =>
    at === 3 ? { add: 0.001 } : at >= 10 && at < 20 ? { factor: 0.25 } : at === 30 ? { add: 4 } : at >= 40 ? null : {},
  );
  const comparison = compareProviders(
    hourly((at) => (at === 35 ? null : {})),
    second,
    true,
  );
  expect(nonZero(comparison)).toEqual({ agree: 27, tick: 1, ratio: 10, differ: 1, only_first: 8, only_second: 1 });
  expect(comparison.runs[0]).toEqual({
    verdict: "ratio",
    from: START + 10 * HOUR,
    to: START + 19 * HOUR,
    bars: 10,
    ratio: expect.closeTo(0.25, 9),
  });
  expect(comparison.runs.map(({ verdict }) => verdict)).toEqual([
    "ratio",
    "only_first",
    "tick",
    "differ",
    "only_second",
  ]);
});

test("bars that are an hour apart are shifted, not different, and daily ones are not looked for", () => {
  const second = hourly((at) => (at >= 24 ? { ts: HOUR } : {}));
  const comparison = compareProviders(hourly(), second, true);
  expect(nonZero(comparison)).toEqual({ agree: 24, shifted: 25 });
  expect(comparison.runs).toMatchObject([{ verdict: "shifted", bars: 25, from: START + 24 * HOUR }]);
  expect(compareProviders(hourly(), second, false).counts.shifted).toBe(0);
});

test("volumes that differ are counted, unknown ones are not", () => {
  const second = hourly();
  second.volume[0] = 1_500;
  second.volume[1] = Number.NaN;
  expect(compareProviders(hourly(), second, true).volumes).toBe(1);
});

test("property: every bar has one verdict, and swapping the sides swaps what is missing", () => {
  const change = fc.option(
    fc.record({ factor: fc.constantFrom(1, 1, 2, 1.0001), add: fc.constantFrom(0, 0, 0.01, 3) }),
    {
      nil: null,
    },
  );
  fc.assert(
    fc.property(
      fc.array(change, { minLength: 30, maxLength: 30 }),
      fc.array(change, { minLength: 30, maxLength: 30 }),
      (a, b) => {
        const [first, second] = [hourly((at) => a[at]!, 30), hourly((at) => b[at]!, 30)];
        const [one, other] = [compareProviders(first, second, true), compareProviders(second, first, true)];
        expect(one.ts).toEqual(Float64Array.from(new Set([...first.ts, ...second.ts])).sort());
        expect(VERDICTS.reduce((sum, verdict) => sum + one.counts[verdict], 0)).toBe(one.ts.length);
        const { only_first, only_second } = one.counts;
        expect([other.counts.only_first, other.counts.only_second]).toEqual([only_second, only_first]);
        expect(other.counts.agree).toBe(one.counts.agree);
      },
    ),
  );
});
