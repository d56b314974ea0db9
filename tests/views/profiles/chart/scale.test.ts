import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createScale, extentOf } from "../../../../public/app/chart/scale.js";
import { decimalsOf, linearTicks, logTicks, roundStep, timeTicks } from "../../../../public/app/chart/ticks.js";

const at = (text: string) => Date.parse(text) / 1_000;
/** Prices in hundredths. */
const range = fc
  .tuple(fc.integer({ min: -1e8, max: 1e8 }), fc.integer({ min: 1, max: 1e8 }))
  .map(([low, span]) => [low / 100, (low + span) / 100] as const);

describe("the labels of an axis", () => {
  test("a price axis has round values", () => {
    expect(linearTicks(283, 424, 7)).toEqual([300, 325, 350, 375, 400]);
    expect(linearTicks(-1, 1, 4)).toEqual([-1, -0.5, 0, 0.5, 1]);
    expect(linearTicks(5, 5, 4)).toEqual([5]);
    expect(linearTicks(Number.NaN, 5, 4)).toEqual([]);
    expect([0.7, 1.5, 2.1, 4, 9.9].map(roundStep)).toEqual([1, 2, 2.5, 5, 10]);
    expect([100, 2.5, 0.5, 0.25, 0.001].map(decimalsOf)).toEqual([0, 1, 1, 2, 3]);
  });

  test("values of a price axis lie in its range, rise, and are no more than was allowed", () => {
    fc.assert(
      fc.property(range, fc.integer({ min: 2, max: 20 }), ([low, high], most) => {
        const ticks = linearTicks(low, high, most);
        expect(ticks.length).toBeLessThanOrEqual(most + 1);
        for (const [index, tick] of ticks.entries()) {
          expect(tick).toBeGreaterThanOrEqual(low - 1e-9 * Math.abs(low));
          expect(tick).toBeLessThanOrEqual(high + 1e-9 * Math.abs(high));
          if (index > 0) expect(tick).toBeGreaterThan(ticks[index - 1]!);
        }
      }),
    );
  });

  test("a logarithmic axis goes by powers of ten where its range is long", () => {
    expect(logTicks(1, 1_000, 12)).toEqual([1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000]);
    expect(logTicks(0.5, 2_000_000, 4)).toEqual([10, 1_000, 100_000].map((value) => expect.closeTo(value, 6)));
    expect(logTicks(90, 110, 4)).toEqual(linearTicks(90, 110, 4));
  });

  test("a time axis names years, then months, then days, and keeps its labels apart", () => {
    const days = Array.from({ length: 400 }, (_, day) => at("2025-12-01") + day * 86_400);
    const text = (distance: number) => timeTicks(days, 0, 399, distance).map((tick) => tick.text);
    expect(text(200)).toEqual(["2026", "2027"]);
    expect(text(30).slice(0, 5)).toEqual(["2", "2026", "Feb", "Apr", "May"]);
    const close = timeTicks(days, 0, 60, 5);
    expect(close.filter(({ isMajor }) => isMajor).map((tick) => tick.text)).toEqual(["2026"]);
    for (const [index, tick] of close.entries())
      if (index > 0) expect(tick.at - close[index - 1]!.at).toBeGreaterThanOrEqual(5);
  });

  test("a time axis of minutes has times of day between dates", () => {
    const minutes = Array.from({ length: 60 }, (_, minute) => at("2026-03-02T23:30:00Z") + minute * 60);
    expect(timeTicks(minutes, 0, 59, 10).map(({ text }) => text)).toContain("3");
    expect(timeTicks(minutes, 0, 59, 10).map(({ text }) => text)).toContain("23:45");
  });
});

describe("a price scale", () => {
  const box = { top: 20, height: 300 };

  test("a label that stands alone has the decimals of its value", () => {
    const only = (low: number, high: number, mode: "linear" | "log" = "linear") =>
      createScale({ low, high }, box, mode)
        .ticks(2)
        .map(({ text }) => text);
    expect(only(0.00011, 0.00029)).toEqual(["0.0002"]);
    expect(only(0.0006, 0.9, "log")).toEqual(["0.01"]);
    expect(only(27, 74)).toEqual(["50"]);
    expect(only(-4e6, 4e6)).toEqual(["0"]);
  });

  test("a value has a decimal more than the labels beside it, and none where values are large", () => {
    const written = (low: number, high: number, value: number) => {
      const scale = createScale({ low, high }, box, "linear");
      return scale.text(value, scale.decimals(scale.ticks(2)));
    };
    expect(written(0.00011, 0.00029, 0.000169)).toBe("0.00017");
    expect(written(20, 80, 63.974)).toBe("63.97");
    expect(written(-4e6, 6.8e7, 67_759_520)).toBe("67759520");
  });

  test("labels read back as the values that they stand for", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
        fc.double({ min: 0.05, max: 20, noNaN: true }),
        fc.integer({ min: 2, max: 9 }),
        (low, share, most) => {
          for (const { value, text } of createScale({ low, high: low * (1 + share) }, box, "linear").ticks(most))
            expect(Math.abs(Number(text) / value - 1)).toBeLessThan(1e-6);
        },
      ),
    );
  });

  test.each(["linear", "log", "percent"] as const)(
    "a %s scale has its extremes at the edges, and reads positions back",
    (mode) => {
      fc.assert(
        fc.property(
          fc.double({ min: 0.01, max: 1e5, noNaN: true }),
          fc.double({ min: 0.01, max: 1e5, noNaN: true }),
          fc.double({ min: 0, max: 1, noNaN: true }),
          (low, span, share) => {
            const scale = createScale({ low, high: low + span }, box, mode, { base: low });
            expect(scale.y(low)).toBeCloseTo(320, 6);
            expect(scale.y(low + span)).toBeCloseTo(20, 6);
            const value = low + share * span;
            // A position is rounded by its part of the height: of the scale's span, or of the value where the scale is logarithmic.
            const unit = mode === "log" ? value : low + span;
            expect(Math.abs(scale.valueAt(scale.y(value)) - value) / unit).toBeLessThan(1e-12);
          },
        ),
      );
    },
  );

  test("a percent scale labels changes from its base", () => {
    const scale = createScale({ low: 90, high: 150 }, box, "percent", { base: 100 });
    expect(scale.ticks(4).map(({ value, text }) => [Math.round(value), text])).toEqual([
      [100, "0%"],
      [120, "+20%"],
      [140, "+40%"],
    ]);
    expect(scale.text(95, 2)).toBe("−5.00%");
  });

  test("a logarithmic scale of prices that are not above zero is linear", () => {
    expect(createScale({ low: -1, high: 1 }, box, "log").isLog).toBe(false);
    expect(createScale({ low: -1, high: 1 }, box, "log").y(0)).toBe(170);
  });

  test("a flat line lies in the middle", () => {
    expect(createScale({ low: 5, high: 5 }, box, "linear").y(5)).toBe(170);
    expect(createScale({ low: 5, high: 5 }, box, "log").y(5)).toBeCloseTo(170, 6);
  });

  test("volumes have short labels, and prices never lose digits", () => {
    expect(createScale({ low: 0, high: 3e6 }, box, "linear", { isCompact: true }).text(1_234_567, 0)).toBe("1.2M");
    expect(createScale({ low: 0, high: 3e6 }, box, "linear").text(1_234_567.25, 2)).toBe("1234567.25");
  });

  test("the extent of values leaves out those that are unknown", () => {
    expect(extentOf([Number.NaN, 3, -2, Number.POSITIVE_INFINITY])).toEqual({ low: -2, high: 3 });
    expect(extentOf([Number.NaN])).toBeNull();
  });
});
