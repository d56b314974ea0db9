/** Volume against price: impact, order flow and what they imply. */

import { type Series, windowed } from "../define.ts";
import { change, changeSign, dollarVolume, lag, logReturn, simpleReturn, volume } from "./bar.ts";
import { covariation } from "./correlation.ts";
import { std } from "./moment.ts";
import { errorFunction } from "./normal.ts";
import { sum } from "./sum.ts";

/** r[1]. */
export const previousReturn = lag(logReturn, 1);

/** |R|/(c·v), undefined (NaN) on a bar without volume (Amihud 2002). */
export const priceImpact = windowed("impact", [simpleReturn, dollarVolume], {
  compute(out, { from, to }, R, money) {
    for (let t = from; t < to; t++) out[t] = money[t]! > 0 ? Math.abs(R[t]!) / money[t]! : Number.NaN;
  },
});

/** sign(Δc)·c·v/1e6: the money of a bar, signed by its tick, in millions. */
export const signedMoney = windowed("signed_money", [changeSign, dollarVolume], {
  compute(out, { from, to }, sign, money) {
    for (let t = from; t < to; t++) out[t] = (sign[t]! * money[t]!) / 1e6;
  },
});

/** sign(Δc)·v. */
export const signedVolume = windowed("signed_volume", [changeSign, volume], {
  compute(out, { from, to }, sign, v) {
    for (let t = from; t < to; t++) out[t] = sign[t]! * v[t]!;
  },
});

/**
 * γ of the regression over n bars r = θ + φ·r[1] + γ·x[1], x the signed money (Pástor & Stambaugh 2003, no market
 * term); NaN when the centred determinant is at most 1e-12·S11·S22 (collinear).
 */
export function reversal(n: number): Series {
  const before = previousReturn;
  const flow = lag(signedMoney, 1);
  const both = covariation(before, flow, n);
  return windowed(`reversal${n}`, [both, covariation(before, logReturn, n), covariation(flow, logReturn, n)], {
    compute(out, { from, to }, regressors, onReturn, onFlow) {
      for (let t = from; t < to; t++) {
        const s11 = regressors[3 * t]!;
        const s22 = regressors[3 * t + 1]!;
        const s12 = regressors[3 * t + 2]!;
        const determinant = s11 * s22 - s12 * s12;
        out[t] =
          determinant > 1e-12 * s11 * s22
            ? (s11 * onFlow[3 * t + 2]! - s12 * onReturn[3 * t + 2]!) / determinant
            : Number.NaN;
      }
    },
  });
}

/**
 * Volume-synchronized probability of informed trading, on time bars: sum_n(v·|2·Φ(z) − 1|)/sum_n(v) with
 * z = Δc/std_n(Δc), 0 where that is 0 (Easley, López de Prado & O'Hara 2012, bulk classification).
 */
export function orderImbalance(n: number): Series {
  const imbalance = windowed("bulk_imbalance", [change, std(change, n), volume], {
    compute(out, { from, to }, change, std, v) {
      for (let t = from; t < to; t++) {
        // 2·Φ(z) − 1 = erf(z/√2)
        const z = std[t] === 0 ? 0 : Math.abs(change[t]!) / std[t]!;
        out[t] = v[t]! * errorFunction(z * Math.SQRT1_2);
      }
    },
  });
  return windowed(`vpin${n}`, [sum(imbalance, n), sum(volume, n)], {
    compute(out, { from, to }, imbalance, volume) {
      for (let t = from; t < to; t++) out[t] = imbalance[t]! / volume[t]!;
    },
  });
}

/** 1 where the close did not change, else 0. */
export const unchanged = windowed("unchanged", [changeSign], {
  compute(out, { from, to }, sign) {
    for (let t = from; t < to; t++) out[t] = sign[t] === 0 ? 1 : 0;
  },
});

/** 1 where nothing was traded, else 0. */
export const untraded = windowed("untraded", [volume], {
  compute(out, { from, to }, v) {
    for (let t = from; t < to; t++) out[t] = v[t] === 0 ? 1 : 0;
  },
});
