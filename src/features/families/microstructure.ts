/** Liquidity, spread and order flow, estimated from bars. */

import { type FeatureEntry, measure, windowed } from "../define.ts";
import { dollarVolume, gapReturn, logReturn, quotient, volume } from "../kernels/bar.ts";
import { covariance, slopeOn } from "../kernels/correlation.ts";
import { edgeSpread } from "../kernels/edge.ts";
import {
  orderImbalance,
  previousReturn,
  priceImpact,
  reversal,
  signedMoney,
  signedVolume,
  unchanged,
  untraded,
} from "../kernels/liquidity.ts";
import { deviations } from "../kernels/moment.ts";
import { abdiRanaldo, corwinSchultz } from "../kernels/spread.ts";
import { definedMean, mean, sum } from "../kernels/sum.ts";
import { logBody } from "../kernels/volatility.ts";

// In this order it shares its sums with pastor_stambaugh_60.
const rollSpread = windowed("roll", [covariance(previousReturn, logReturn, 60)], {
  compute(out, { from, to }, covariance) {
    for (let t = from; t < to; t++) out[t] = 2 * Math.sqrt(Math.max(0, -covariance[t]!));
  },
});

const gapShare = windowed("gap_share", [deviations(gapReturn, 20), deviations(logBody, 20)], {
  compute(out, { from, to }, gap, body) {
    for (let t = from; t < to; t++) out[t] = gap[t]! / (gap[t]! + body[t]!);
  },
});

export const microstructure: readonly FeatureEntry[] = [
  measure(
    "amihud_20",
    "1e6 times the mean of |R|/(c·v) over the bars with v > 0 among the last 20; NaN with fewer than 10",
    "Amihud (2002)",
    21,
    "return per million of money",
    definedMean(priceImpact, 20, 1e6),
  ),
  measure(
    "roll_spread_60",
    "2·√max(0, −cov_60(r, r[1]))",
    "Roll (1984) on log prices, floored at 0",
    62,
    "share of the price",
    rollSpread,
  ),
  measure(
    "corwin_schultz_20",
    "mean_20(max(0, S)); S = 2·(e^α − 1)/(1 + e^α), the two-bar high-low spread with gap adjustment: in logs, e = max(0, c[1] − H) + min(0, c[1] − L), β = (H − L)² + (H[1] − L[1])², γ = (max(H + e, H[1]) − min(L + e, L[1]))², α = (√(2β) − √β)/(3 − 2√2) − √(γ/(3 − 2√2))",
    "Corwin & Schultz (2012)",
    21,
    "share of the price",
    corwinSchultz(20),
  ),
  measure(
    "abdi_ranaldo_20",
    "mean_20(√max(0, 4·(ln c[1] − η[1])·(ln c[1] − η))), η = (ln h + ln l)/2",
    "Abdi & Ranaldo (2017), two-bar corrected",
    21,
    "share of the price",
    abdiRanaldo(20),
  ),
  measure(
    "edge_spread_60",
    "√max(0, s²) of the EDGE estimator over 60 pairs of bars",
    "Ardia, Guidotti & Kroencke (2024)",
    61,
    "share of the price",
    edgeSpread(60),
  ),
  measure(
    "kyle_lambda_60",
    "least-squares slope, with intercept, over 60 bars of r on x = sign(Δc)·c·v/1e6",
    "Kyle (1985) lambda, bar proxy; numpy polyfit",
    61,
    "log return per million of money",
    slopeOn(signedMoney, logReturn, 60),
  ),
  measure(
    "pastor_stambaugh_60",
    "γ of least squares over 60 bars: r = θ + φ·r[1] + γ·x[1], x as in kyle_lambda_60; NaN when collinear (centred determinant ≤ 1e-12·S11·S22)",
    "Pástor & Stambaugh (2003), no market term; numpy lstsq",
    62,
    "log return per million of money",
    reversal(60),
  ),
  measure(
    "signed_volume_imbalance_20",
    "sum_20(sign(Δc)·v)/sum_20(v)",
    "bar tick rule; Chordia, Roll & Subrahmanyam (2002)",
    21,
    "−1..1",
    quotient(sum(signedVolume, 20), sum(volume, 20)),
  ),
  measure(
    "vpin_50",
    "sum_50(v·|2·Φ(z) − 1|)/sum_50(v), z = Δc/std_50(Δc), 0 when that std is 0; Φ the normal distribution function",
    "Easley, López de Prado & O’Hara (2012), bulk classification on time bars",
    100,
    "0..1",
    orderImbalance(50),
  ),
  measure(
    "dollar_volume_20",
    "mean_20(c·v)",
    "pandas (c*v).rolling(20).mean()",
    20,
    "money per bar",
    mean(dollarVolume, 20),
  ),
  measure(
    "zero_return_ratio_60",
    "share of the last 60 bars with Δc = 0",
    "Lesmond, Ogden & Trzcinka (1999)",
    61,
    "0..1",
    mean(unchanged, 60),
  ),
  measure(
    "zero_volume_ratio_60",
    "share of the last 60 bars with v = 0",
    "Liu (2006), zero-volume count",
    60,
    "0..1",
    mean(untraded, 60),
  ),
  measure(
    "gap_var_share_20",
    "var_20(ln(o/c[1]))/(var_20(ln(o/c[1])) + var_20(ln(c/o)))",
    "components of Yang & Zhang (2000)",
    21,
    "0..1",
    gapShare,
  ),
];
