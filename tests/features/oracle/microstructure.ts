/** Features 164–176: liquidity, spread and order-flow proxies. */

import { type Bars, each, type Family, last, map, rolling, rolling2, type Series } from "./bars.ts";
import { edge } from "./edge.ts";
import {
  allEqual,
  cov,
  erf,
  leastSquares,
  ln,
  mean,
  products,
  ratio,
  share,
  squares,
  std,
  sum,
  variance,
  vmean,
} from "./notation.ts";

/** Note L3: the two-bar high-low spread, adjusted for the gap between the bars. */
const corwinSchultz = ({ n, h, l, c }: Bars): Series =>
  each(n, 1, (t) => {
    const [H, L, H1, L1, C1] = [h[t]!, l[t]!, h[t - 1]!, l[t - 1]!, c[t - 1]!].map(ln) as [
      number,
      number,
      number,
      number,
      number,
    ];
    const gap = Math.max(0, C1 - H) + Math.min(0, C1 - L);
    const beta = (H - L) ** 2 + (H1 - L1) ** 2;
    const gamma = (Math.max(H + gap, H1) - Math.min(L + gap, L1)) ** 2;
    const k = 3 - 2 * Math.SQRT2;
    const alpha = (Math.sqrt(2 * beta) - Math.sqrt(beta)) / k - Math.sqrt(gamma / k);
    return (2 * (Math.exp(alpha) - 1)) / (1 + Math.exp(alpha));
  });

/** Abdi and Ranaldo's two-bar spread. */
const abdiRanaldo = ({ n, h, l, lnC }: Bars): Series => {
  const eta = map((high, low) => (ln(high) + ln(low)) / 2, h, l);
  return each(n, 1, (t) => Math.sqrt(Math.max(0, 4 * (lnC[t - 1]! - eta[t - 1]!) * (lnC[t - 1]! - eta[t]!))));
};

/** γ of r = θ + φ·r[1] + γ·x[1], by Cramer's rule on sums about the means. */
function reversal(r: number[], r1: number[], x1: number[]): number {
  const [s11, s22, s12] = [squares(r1), squares(x1), products(r1, x1)];
  const determinant = s11 * s22 - s12 * s12;
  if (determinant <= 1e-12 * s11 * s22) return Number.NaN;
  return (s11 * products(x1, r) - s12 * products(r1, r)) / determinant;
}

/** Bulk volume classification: how one-sided each bar's volume is. */
function oneSidedVolume({ dc, v }: Bars): Series {
  return rolling(dc, 50, (w) => (allEqual(w) ? 0 : w.at(-1)! / std(w))).map(
    (z, t) => v[t]! * Math.abs(erf(z / Math.SQRT2)),
  );
}

export const microstructure: Family = (bars) => {
  const { n, o, c, v, r, R, g, dc } = bars;
  const money = map((price, volume) => price * volume, c, v);
  const signed = each(n, 1, (t) => (Math.sign(dc[t]!) * money[t]!) / 1e6);
  const impact = map((move, m) => (m === 0 ? Number.NaN : Math.abs(move) / m), R, money);
  const within = map((close, open) => ln(close / open), c, o);
  return {
    amihud_20: each(n, 20, (t) => 1e6 * vmean(last(impact, t, 20))),
    roll_spread_60: each(n, 61, (t) => 2 * Math.sqrt(Math.max(0, -cov(last(r, t, 60), last(r, t - 1, 60))))),
    corwin_schultz_20: rolling(corwinSchultz(bars), 20, (w) => mean(w.map((s) => Math.max(0, s)))),
    abdi_ranaldo_20: rolling(abdiRanaldo(bars), 20, mean),
    edge_spread_60: edge(bars),
    kyle_lambda_60: rolling2(signed, r, 60, (x, y) => leastSquares(x, y).slope),
    pastor_stambaugh_60: each(n, 61, (t) => reversal(last(r, t, 60), last(r, t - 1, 60), last(signed, t - 1, 60))),
    signed_volume_imbalance_20: map(
      ratio,
      rolling(
        map((d, volume) => Math.sign(d) * volume, dc, v),
        20,
        sum,
      ),
      rolling(v, 20, sum),
    ),
    vpin_50: map(ratio, rolling(oneSidedVolume(bars), 50, sum), rolling(v, 50, sum)),
    dollar_volume_20: rolling(money, 20, mean),
    zero_return_ratio_60: rolling(dc, 60, (w) => share(w.map((d) => d === 0))),
    zero_volume_ratio_60: rolling(v, 60, (w) => share(w.map((x) => x === 0))),
    gap_var_share_20: rolling2(g, within, 20, (x, y) => ratio(variance(x), variance(x) + variance(y))),
  };
};
