/** Features 122–133: returns and runs. */

import { type Bars, each, type Family, rolling, type Series } from "./bars.ts";
import { ln, max, mean, min, ratio, sum } from "./notation.ts";

/** The signed run of rising (positive) or falling (negative) closes. */
export function streak({ n, dc }: Bars): Series {
  let run = 0;
  return each(n, 1, (t) => {
    const side = Math.sign(dc[t]!);
    run = side === 0 ? 0 : Math.sign(run) === side ? run + side : side;
    return run;
  });
}

/** The longest run of values of one sign inside the window. */
function longestRun(w: number[], side: number): number {
  let [run, longest] = [0, 0];
  for (const x of w) {
    run = Math.sign(x) === side ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}

function payoff(w: number[]): number {
  const [wins, losses] = [w.filter((x) => x > 0), w.filter((x) => x < 0)];
  return wins.length === 0 || losses.length === 0 ? Number.NaN : mean(wins) / Math.abs(mean(losses));
}

export const returns: Family = (bars) => {
  const { n, c, r, R, g, dc } = bars;
  const logReturn = (k: number) => each(n, k, (t) => ln(c[t]! / c[t - k]!));
  return {
    log_return_1: r,
    log_return_5: logReturn(5),
    log_return_20: logReturn(20),
    log_return_60: logReturn(60),
    cumulative_return: c.map((price) => ratio(price, c[0]!) - 1),
    gap_return_sum_20: rolling(g, 20, sum),
    max_return_20: rolling(R, 20, max),
    min_return_20: rolling(R, 20, min),
    payoff_ratio_60: rolling(R, 60, payoff),
    streak: streak(bars),
    max_win_streak_60: rolling(dc, 60, (w) => longestRun(w, 1)),
    max_loss_streak_60: rolling(dc, 60, (w) => longestRun(w, -1)),
  };
};
