/**
 * The EDGE estimator of the bid-ask spread (Ardia, Guidotti & Kroencke 2024).
 *
 * Per pair of bars, in logs: η = (H + L)/2, r1 = η − O, r2 = O − η[1], r3 = η − C[1], r4 = C[1] − η[1], r5 = O − C[1];
 * τ = 0 if H = L = C[1] (then r1, r3 and r5 are 0), else 1. With d_k = r_k − τ·a_k, a_k = mean r_k/mean τ,
 * x1 = −A·d1·r2 − B·d3·r4 and x2 = −A·d1·r5 − B·d5·r4 (A = 4/po, B = 4/pc), s² weighs the means of x1 and x2 by each
 * other's variance.
 *
 * As r2 = r5 + r4 and r3 = r1 + r5, all of it is made of products of r1, r4 and r5. Their sliding means are taken once,
 * and the means that the estimator wants are put together from them.
 */

import { type Series, windowed } from "../define.ts";
import { lnClose, lnHigh, lnLow, lnOpen } from "./bar.ts";
import { slideSum } from "./sum.ts";

const TERMS = 22;
/** Bars computed at a time: all terms of them stay in the cache. */
const CHUNK = 512;
const LONGEST = 128;

const terms = Array.from({ length: TERMS }, () => new Float64Array(CHUNK + LONGEST));
const means = Array.from({ length: TERMS }, () => new Float64Array(CHUNK + LONGEST));

/** Writes the terms of the pairs that end at positions `start` to `end` (exclusive), the first one to place 0. */
function fillTerms(
  O: Float64Array,
  H: Float64Array,
  L: Float64Array,
  C: Float64Array,
  start: number,
  end: number,
): void {
  for (let t = start; t < end; t++) {
    const o = O[t]!;
    const h = H[t]!;
    const l = L[t]!;
    const h1 = H[t - 1]!;
    const l1 = L[t - 1]!;
    const c1 = C[t - 1]!;
    const tau = h === l && l === c1 ? 0 : 1;
    const r1 = (h + l) / 2 - o;
    const r4 = c1 - (h1 + l1) / 2;
    const r5 = o - c1;
    const place = t - start;
    terms[0]![place] = tau;
    terms[1]![place] = tau * (+(o !== h) + +(o !== l));
    terms[2]![place] = tau * (+(c1 !== h1) + +(c1 !== l1));
    terms[3]![place] = r1;
    terms[4]![place] = tau * r4;
    terms[5]![place] = r5;
    terms[6]![place] = r1 * r4;
    terms[7]![place] = r1 * r5;
    terms[8]![place] = r4 * r5;
    terms[9]![place] = tau * r4 * r4;
    terms[10]![place] = r5 * r5;
    terms[11]![place] = r1 * r4 * r4;
    terms[12]![place] = r1 * r4 * r5;
    terms[13]![place] = r1 * r5 * r5;
    terms[14]![place] = r4 * r4 * r5;
    terms[15]![place] = r4 * r5 * r5;
    terms[16]![place] = r1 * r1 * r4 * r4;
    terms[17]![place] = r1 * r1 * r4 * r5;
    terms[18]![place] = r1 * r1 * r5 * r5;
    terms[19]![place] = r1 * r4 * r4 * r5;
    terms[20]![place] = r1 * r4 * r5 * r5;
    terms[21]![place] = r4 * r4 * r5 * r5;
  }
}

/** s² of the window of n pairs whose term means stand at `place`. */
function squaredSpread(place: number, n: number): number {
  const m = (term: number) => means[term]![place]!;
  const tau = m(0);
  if (tau * n < 1.5 || m(1) === 0 || m(2) === 0) return Number.NaN;
  const A = 4 / m(1);
  const B = 4 / m(2);
  // The names say of what product the mean is: e144 of r1·r4·r4.
  const [e14, e15, e45, e44, e55] = [m(6), m(7), m(8), m(9), m(10)];
  const [e144, e145, e155, e445, e455] = [m(11), m(12), m(13), m(14), m(15)];
  const [e1144, e1145, e1155, e1445, e1455, e4455] = [m(16), m(17), m(18), m(19), m(20), m(21)];
  const a1 = m(3) / tau;
  const a5 = m(5) / tau;
  const a3 = a1 + a5;

  // Means of d1·r2, d3·r4, d1·r5, d5·r4.
  const mean1 = -A * (e15 + e14 - a1 * (m(5) + m(4))) - B * (e14 + e45 - a3 * m(4));
  const mean2 = -A * (e15 - a1 * m(5)) - B * (e45 - a5 * m(4));

  // Means of (d1·r2)², d1·r2·d3·r4 and (d3·r4)².
  const open1 = e1155 + 2 * e1145 + e1144 - 2 * a1 * (e155 + 2 * e145 + e144) + a1 * a1 * (e55 + 2 * e45 + e44);
  const both1 =
    e1145 + e1455 + e1144 + e1445 - a3 * (e145 + e144) - a1 * (e145 + e455 + e144 + e445) + a1 * a3 * (e45 + e44);
  const close1 = e1144 + 2 * e1445 + e4455 - 2 * a3 * (e144 + e445) + a3 * a3 * e44;
  const variance1 = A * A * open1 + 2 * A * B * both1 + B * B * close1 - mean1 * mean1;

  // Means of (d1·r5)², d1·r5·d5·r4 and (d5·r4)².
  const open2 = e1155 - 2 * a1 * e155 + a1 * a1 * e55;
  const both2 = e1455 - a5 * e145 - a1 * e455 + a1 * a5 * e45;
  const close2 = e4455 - 2 * a5 * e445 + a5 * a5 * e44;
  const variance2 = A * A * open2 + 2 * A * B * both2 + B * B * close2 - mean2 * mean2;

  const total = variance1 + variance2;
  return total > 0 ? (variance2 * mean1 + variance1 * mean2) / total : (mean1 + mean2) / 2;
}

/** √max(0, s²) over n pairs of bars; NaN with fewer than two traded pairs or where every price is an extreme. */
export function edgeSpread(n: number): Series {
  return windowed(`edge${n}`, [lnOpen, lnHigh, lnLow, lnClose], {
    delay: n,
    compute(out, { from, to, origin }, O, H, L, C) {
      for (let chunk = from; chunk < to; chunk += CHUNK) {
        const end = Math.min(to, chunk + CHUNK);
        const start = chunk - n + 1;
        fillTerms(O, H, L, C, start, end);
        for (let k = 0; k < TERMS; k++) {
          // The first pair ends one bar after the first bar.
          slideSum(means[k]!, terms[k]!, n - 1, end - start, origin + 1 - start, n, 1 / n);
        }
        for (let t = chunk; t < end; t++) out[t] = Math.sqrt(Math.max(0, squaredSpread(t - start, n)));
      }
    },
  });
}
