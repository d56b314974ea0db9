/**
 * The EDGE estimator of the bid-ask spread (Ardia, Guidotti & Kroencke 2024).
 *
 * Per pair of bars, in logs: η = (H + L)/2, r1 = η − O, r2 = O − η[1], r3 = η − C[1], r4 = C[1] − η[1], r5 = O − C[1];
 * τ = 0 if H = L = C[1] (then r1, r3 and r5 are 0), else 1. With d_k = r_k − τ·a_k, a_k = mean r_k/mean τ,
 * x1 = −A·d1·r2 − B·d3·r4 and x2 = −A·d1·r5 − B·d5·r4 (A = 4/po, B = 4/pc), s² weighs the means of x1 and x2 by each
 * other's variance. The means of products of the d expand into means of products of the r, thirty in all, each of them
 * a sliding mean.
 */

import { type Series, windowed } from "../define.ts";
import { lnClose, lnHigh, lnLow, lnOpen } from "./bar.ts";
import { slideSum } from "./sum.ts";

const TERMS = 30;
/** Bars computed at a time: thirty columns of them stay in the cache. */
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
    const place = t - start;
    const [o, h, l, h1, l1, c1] = [O[t]!, H[t]!, L[t]!, H[t - 1]!, L[t - 1]!, C[t - 1]!];
    const middle1 = (h1 + l1) / 2;
    const r1 = (h + l) / 2 - o;
    const r2 = o - middle1;
    const r3 = (h + l) / 2 - c1;
    const r4 = c1 - middle1;
    const r5 = o - c1;
    const tau = h === l && l === c1 ? 0 : 1;
    terms[0]![place] = tau;
    terms[1]![place] = tau * ((o !== h ? 1 : 0) + (o !== l ? 1 : 0));
    terms[2]![place] = tau * ((c1 !== h1 ? 1 : 0) + (c1 !== l1 ? 1 : 0));
    terms[3]![place] = r1;
    terms[4]![place] = r3;
    terms[5]![place] = r5;
    terms[6]![place] = r1 * r2;
    terms[7]![place] = tau * r2;
    terms[8]![place] = r3 * r4;
    terms[9]![place] = tau * r4;
    terms[10]![place] = r1 * r5;
    terms[11]![place] = r5 * r4;
    terms[12]![place] = r1 * r1 * r2 * r2;
    terms[13]![place] = r1 * r2 * r2;
    terms[14]![place] = tau * r2 * r2;
    terms[15]![place] = r1 * r2 * r3 * r4;
    terms[16]![place] = r1 * r2 * r4;
    terms[17]![place] = r2 * r3 * r4;
    terms[18]![place] = tau * r2 * r4;
    terms[19]![place] = r3 * r3 * r4 * r4;
    terms[20]![place] = r3 * r4 * r4;
    terms[21]![place] = tau * r4 * r4;
    terms[22]![place] = r1 * r1 * r5 * r5;
    terms[23]![place] = r1 * r5 * r5;
    terms[24]![place] = r5 * r5;
    terms[25]![place] = r1 * r5 * r5 * r4;
    terms[26]![place] = r1 * r5 * r4;
    terms[27]![place] = r5 * r5 * r4;
    terms[28]![place] = r5 * r5 * r4 * r4;
    terms[29]![place] = r5 * r4 * r4;
  }
}

/** s² of the window whose term means stand at `place`. */
function squaredSpread(place: number, n: number): number {
  const m = (term: number) => means[term]![place]!;
  const traded = m(0);
  if (traded * n < 1.5 || m(1) === 0 || m(2) === 0) return Number.NaN;
  const A = 4 / m(1);
  const B = 4 / m(2);
  const a1 = m(3) / traded;
  const a3 = m(4) / traded;
  const a5 = m(5) / traded;
  const e1 = -A * (m(6) - a1 * m(7)) - B * (m(8) - a3 * m(9));
  const e2 = -A * (m(10) - a1 * m(5)) - B * (m(11) - a5 * m(9));
  const d1r2 = m(12) - 2 * a1 * m(13) + a1 * a1 * m(14);
  const d1r2d3r4 = m(15) - a3 * m(16) - a1 * m(17) + a1 * a3 * m(18);
  const d3r4 = m(19) - 2 * a3 * m(20) + a3 * a3 * m(21);
  const d1r5 = m(22) - 2 * a1 * m(23) + a1 * a1 * m(24);
  const d1r5d5r4 = m(25) - a5 * m(26) - a1 * m(27) + a1 * a5 * m(11);
  const d5r4 = m(28) - 2 * a5 * m(29) + a5 * a5 * m(21);
  const v1 = A * A * d1r2 + 2 * A * B * d1r2d3r4 + B * B * d3r4 - e1 * e1;
  const v2 = A * A * d1r5 + 2 * A * B * d1r5d5r4 + B * B * d5r4 - e2 * e2;
  return v1 + v2 > 0 ? (v2 * e1 + v1 * e2) / (v1 + v2) : (e1 + e2) / 2;
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
        // The first pair ends one bar after the first bar.
        for (let k = 0; k < TERMS; k++)
          slideSum(means[k]!, terms[k]!, n - 1, end - start, origin + 1 - start, n, 1 / n);
        for (let t = chunk; t < end; t++) out[t] = Math.sqrt(Math.max(0, squaredSpread(t - start, n)));
      }
    },
  });
}
