/** Prices over splits and dividends. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { emptyBars, sliceBars } from "../../../src/domain/market/bars.ts";
import {
  adjustBars,
  adjustmentSteps,
  type CorporateAction,
  kindsToApply,
} from "../../../src/domain/market/corporate-actions.ts";

const DAY = 86_400;

function barsWith(closes: readonly number[]) {
  const bars = emptyBars(closes.length);
  closes.forEach((close, day) => {
    bars.ts[day] = day * DAY;
    for (const field of ["open", "high", "low", "close"] as const) bars[field][day] = close;
    bars.volume[day] = 1_000;
  });
  return bars;
}
const split = (day: number, value: number): CorporateAction => ({ kind: "split", date: day * DAY, value });
const dividend = (day: number, value: number): CorporateAction => ({ kind: "dividend", date: day * DAY, value });

describe("adjusted bars", () => {
  const bars = barsWith([400, 404, 100, 102, 51, 50]);
  const close = (date: number) => bars.close[date / DAY - 1];
  const read = (actions: CorporateAction[], lastDay = 5) =>
    adjustBars(bars, adjustmentSteps(actions, lastDay * DAY, close));

  test("adjusted prices are continuous over splits, with volumes in today's shares", () => {
    const adjusted = read([split(2, 4), split(4, 2)]);
    expect([...adjusted.close]).toEqual([50, 50.5, 50, 51, 51, 50]);
    expect([...adjusted.volume]).toEqual([8_000, 8_000, 2_000, 2_000, 1_000, 1_000]);
    expect(bars.close[0]).toBe(400);
  });

  test("adjusted prices drop by a dividend's share of the close before it", () => {
    expect([...read([dividend(1, 4)]).close]).toEqual([400 * 0.99, 404, 100, 102, 51, 50]);
    // With a split on the same day the cash is paid on the new shares.
    expect(read([split(2, 4), dividend(2, 1)]).close[0]).toBeCloseTo((400 / 4) * (1 - 1 / 101), 12);
  });

  test("adjusted bars ignore actions in the future and dividends larger than the price", () => {
    expect(read([split(5, 3)], 4)).toBe(bars);
    expect(read([dividend(3, 100)])).toBe(bars);
  });

  test("property: adjusted bars do not depend on how they are split for reading", () => {
    const action = fc.record({ day: fc.integer({ min: 0, max: 30 }), value: fc.constantFrom(2, 3, 0.1, 1.5) });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 4 }), fc.integer({ min: 0, max: 30 }), (actions, cut) => {
        const whole = barsWith(Array.from({ length: 30 }, (_, day) => 100 + day));
        const steps = adjustmentSteps(
          actions.map(({ day, value }) => split(day, value)),
          29 * DAY,
          () => undefined,
        );
        const parts = [sliceBars(whole, 0, cut), sliceBars(whole, cut, 30)].map((part) => adjustBars(part, steps));
        for (const field of ["close", "volume"] as const) {
          expect(parts.flatMap((part) => [...part[field]])).toEqual([...adjustBars(whole, steps)[field]]);
          const factor = actions
            .filter(({ day }) => day > 3 && day <= 29)
            .reduce((product, { value }) => product * value, 1);
          const expected = field === "close" ? 103 / factor : 1_000 * factor;
          expect(adjustBars(whole, steps)[field][3]).toBeCloseTo(expected, 6);
        }
      }),
    );
  });
});

test("a series is adjusted only for what its vendor has not applied already", () => {
  expect(kindsToApply("splits", "none")).toEqual(["split"]);
  expect(kindsToApply("all", "splits")).toEqual(["dividend"]);
  expect(kindsToApply("splits", "all")).toEqual([]);
  expect(kindsToApply("none", "none")).toEqual([]);
});
