import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { statisticsOf } from "../../../src/domain/profiles/statistics.ts";

const closes = (close: readonly number[]) => ({ ts: close.map((_, at) => at), close });
/** Alternating returns of +u and −d. */
const alternating = (count: number, up: number, down: number) =>
  closes(
    Array.from(
      { length: count + 1 },
      (_, at) => 100 * (1 + up) ** Math.ceil(at / 2) * (1 - down) ** Math.floor(at / 2),
    ),
  );

describe("statistics of closes", () => {
  test("returns, deviations and the hit rate are those of their definitions", () => {
    const found = statisticsOf(alternating(252, 0.02, 0.01), 252);
    const growth = 1.02 ** 126 * 0.99 ** 126;
    expect(found.totalReturn).toBeCloseTo(growth - 1, 10);
    expect(found.annualReturn).toBeCloseTo(growth - 1, 10);
    const deviation = 0.015 * Math.sqrt(252 / 251);
    expect(found.sharpe).toBeCloseTo((0.005 / deviation) * Math.sqrt(252), 8);
    const half = (Math.log(1.02) - Math.log(0.99)) / 2;
    expect(found.volatility).toBeCloseTo(half * Math.sqrt(252 / 251) * Math.sqrt(252), 8);
    expect([found.hitRate, found.meanReturn]).toEqual([0.5, expect.closeTo(0.005, 10)]);
    // Two values, equally often: no skewness, and the least kurtosis there is.
    expect(found.skewness).toBeCloseTo(0, 6);
    expect(found.excessKurtosis).toBeCloseTo(-2, 6);
  });

  test("the drawdown is the deepest fall from a peak, with the days of peak, trough and recovery", () => {
    expect(statisticsOf(closes([10, 12, 9, 11, 12, 6, 8]), 252).drawdown).toEqual({
      value: -0.5,
      peak: 1,
      trough: 5,
      recovered: null,
    });
    expect(statisticsOf(closes([10, 8, 10, 11]), 252).drawdown).toEqual({
      value: expect.closeTo(-0.2, 12),
      peak: 0,
      trough: 1,
      recovered: 2,
    });
    expect(statisticsOf(closes([1, 2, 3]), 252).drawdown).toMatchObject({ value: 0, recovered: null });
  });

  test("the best and the worst return are named by the closes at their ends", () => {
    const { best, worst } = statisticsOf(closes([10, 12, 9, 9.9]), 252);
    expect([best, worst]).toEqual([
      { ts: 1, value: expect.closeTo(0.2, 12) },
      { ts: 2, value: -0.25 },
    ]);
  });

  test("a return over missing closes is counted and left out, and the year still has their days", () => {
    const whole = alternating(300, 0.02, 0.01);
    const kept = whole.close.map((_, at) => at).filter((at) => at !== 100 && at !== 101 && at !== 200);
    const found = statisticsOf({ ts: kept, close: kept.map((at) => whole.close[at]!) }, 252, (a, b) => b - a - 1);
    const all = statisticsOf(whole, 252);
    expect([found.closes, found.leftOut]).toEqual([298, 2]);
    expect([found.best!.value, found.worst!.value]).toEqual([all.best!.value, all.worst!.value]);
    expect([found.totalReturn, found.annualReturn]).toEqual([all.totalReturn, all.annualReturn]);
    // 295 returns are left, of which 148 are up: as with two values, the share says all.
    expect(found.hitRate).toBeCloseTo(148 / 295, 12);
    expect(found.meanReturn).toBeCloseTo((148 * 0.02 - 147 * 0.01) / 295, 12);
    const apart = statisticsOf({ ts: [0, 9], close: [10, 20] }, 252, () => 8);
    expect(apart).toMatchObject({ leftOut: 1, totalReturn: 1, best: null, meanReturn: null, volatility: null });
  });

  test("what needs more closes than there are is not known", () => {
    const few = statisticsOf(alternating(19, 0.02, 0.01), 252);
    expect([few.volatility, few.sharpe, few.annualReturn, few.skewness]).toEqual([null, null, null, null]);
    expect(few.totalReturn).not.toBeNull();
    expect(statisticsOf(alternating(59, 0.02, 0.01), 252).excessKurtosis).toBeNull();
    expect(statisticsOf(closes([5]), 252)).toMatchObject({
      closes: 1,
      totalReturn: null,
      drawdown: null,
      hitRate: null,
    });
    expect(statisticsOf(closes([]), 252)).toMatchObject({ closes: 0, totalReturn: null });
  });

  test("closes that never change have no ratio, and closes that grow evenly none either", () => {
    const flat = statisticsOf(closes(new Array(100).fill(5)), 252);
    expect([flat.sharpe, flat.skewness, flat.volatility, flat.totalReturn]).toEqual([null, null, 0, 0]);
    const even = statisticsOf(closes(Array.from({ length: 100 }, (_, at) => 1.01 ** at)), 252);
    expect([even.sharpe, even.excessKurtosis]).toEqual([null, null]);
  });

  test("no statistic but the closes themselves depends on the unit of the price", () => {
    const price = fc.double({ min: 1, max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.array(price, { minLength: 70, maxLength: 90 }), (list) => {
        const one = statisticsOf(closes(list), 252);
        const other = statisticsOf(closes(list.map((close) => close * 64)), 252);
        expect(other).toEqual(one);
        expect(one.drawdown!.value).toBeLessThanOrEqual(0);
        expect(one.worst!.value).toBeLessThanOrEqual(one.best!.value);
      }),
    );
  });
});
