/**
 * The features whose value can hang on the last digit of an intermediate, so that two right computations differ by
 * more than rounding. `slack` says, bar by bar, by how much they may; it is 0 wherever nothing is that close.
 */

import type { BarColumns } from "../../../src/domain/bars.ts";
import { barsOf, each, last, rolling, type Series } from "./bars.ts";
import { std } from "./notation.ts";

interface Exception {
  readonly reason: string;
  readonly slack: (bars: BarColumns) => Series;
}

/** Two numbers that rounding may put in either order, or make equal. */
const close = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-11 * Math.max(Math.abs(a), Math.abs(b));

const prepared = (bars: BarColumns) => barsOf(bars, { interval: "1d", market: "us_equity" });

export const EXCEPTIONS: Readonly<Record<string, Exception>> = {
  vol_rank_250: {
    reason: "Windows with the same returns in another order have the same deviation, but not to the last digit.",
    slack(bars) {
      const s = rolling(prepared(bars).r, 20, std);
      return each(s.length, 269, (t) => {
        const ties = last(s, t - 1, 249).filter((x) => close(x, s[t]!)).length;
        return ties / 2 / 250;
      });
    },
  },
};
