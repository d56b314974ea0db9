// The EDGE estimator of the bid-ask spread (Ardia, Guidotti & Kroencke 2024). Per pair of bars, in logs, η = (H + L)/2:
// r1 = η − O, r2 = O − η[1], r3 = η − C[1], r4 = C[1] − η[1], r5 = O − C[1]; τ = 0 if H = L = C[1], else 1.
// As r2 = r5 + r4 and r3 = r1 + r5, sliding means of products of r1, r4 and r5 are enough.

import { type Series, windowed } from "../define.ts";
import { lnClose, lnHigh, lnLow, lnOpen } from "./bar.ts";
import { slideSum } from "./sum.ts";

const TERMS = 22;
/** Bars computed at a time: all terms of them stay in the cache. */
const CHUNK = 512;
const MAX_WINDOW = 128;

/** Term k of the pair at `place` stands at `k * STRIDE + place`; its sliding mean at the same index of `means`. */
const STRIDE = CHUNK + MAX_WINDOW;
const terms = new Float64Array(TERMS * STRIDE);
const means = new Float64Array(TERMS * STRIDE);
/** r4 of each pair: the terms have it only where the pair is traded. */
const r4s = new Float64Array(STRIDE);
const columnOf = (all: Float64Array, term: number) => all.subarray(term * STRIDE, (term + 1) * STRIDE);
const termColumns = Array.from({ length: TERMS }, (_, term) => columnOf(terms, term));
const meanColumns = Array.from({ length: TERMS }, (_, term) => columnOf(means, term));

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
    r4s[place] = r4;
    terms[place] = tau;
    terms[1 * STRIDE + place] = tau * (+(o !== h) + +(o !== l));
    terms[2 * STRIDE + place] = tau * (+(c1 !== h1) + +(c1 !== l1));
    terms[3 * STRIDE + place] = r1;
    terms[4 * STRIDE + place] = tau * r4;
    terms[5 * STRIDE + place] = r5;
    terms[6 * STRIDE + place] = r1 * r4;
    terms[7 * STRIDE + place] = r1 * r5;
    terms[8 * STRIDE + place] = r4 * r5;
    terms[9 * STRIDE + place] = tau * r4 * r4;
    terms[10 * STRIDE + place] = r5 * r5;
    terms[11 * STRIDE + place] = r1 * r4 * r4;
    terms[12 * STRIDE + place] = r1 * r4 * r5;
    terms[13 * STRIDE + place] = r1 * r5 * r5;
    terms[14 * STRIDE + place] = r4 * r4 * r5;
    terms[15 * STRIDE + place] = r4 * r5 * r5;
    terms[16 * STRIDE + place] = r1 * r1 * r4 * r4;
    terms[17 * STRIDE + place] = r1 * r1 * r4 * r5;
    terms[18 * STRIDE + place] = r1 * r1 * r5 * r5;
    terms[19 * STRIDE + place] = r1 * r4 * r4 * r5;
    terms[20 * STRIDE + place] = r1 * r4 * r5 * r5;
    terms[21 * STRIDE + place] = r4 * r4 * r5 * r5;
  }
}

/**
 * s² of the n pairs whose term means stand at `place`: means of x1 = −A·d1·r2 − B·d3·r4 and x2 = −A·d1·r5 − B·d5·r4, each
 * weighted by the other's variance; d_k = r_k − τ·mean r_k/mean τ, A = 4/P(O is no extreme), B = 4/P(C is none).
 */
function squaredSpread(place: number, n: number): number {
  const tau = means[place]!;
  const opens = means[1 * STRIDE + place]!;
  const closes = means[2 * STRIDE + place]!;
  if (tau * n < 1.5 || opens === 0 || closes === 0) return Number.NaN;
  const A = 4 / opens;
  const B = 4 / closes;
  // The names say of what product the mean is: e144 of r1·r4·r4.
  const e1 = means[3 * STRIDE + place]!;
  const e4 = means[4 * STRIDE + place]!;
  const e5 = means[5 * STRIDE + place]!;
  const e14 = means[6 * STRIDE + place]!;
  const e15 = means[7 * STRIDE + place]!;
  const e45 = means[8 * STRIDE + place]!;
  const e44 = means[9 * STRIDE + place]!;
  const e55 = means[10 * STRIDE + place]!;
  const e144 = means[11 * STRIDE + place]!;
  const e145 = means[12 * STRIDE + place]!;
  const e155 = means[13 * STRIDE + place]!;
  const e445 = means[14 * STRIDE + place]!;
  const e455 = means[15 * STRIDE + place]!;
  const e1144 = means[16 * STRIDE + place]!;
  const e1145 = means[17 * STRIDE + place]!;
  const e1155 = means[18 * STRIDE + place]!;
  const e1445 = means[19 * STRIDE + place]!;
  const e1455 = means[20 * STRIDE + place]!;
  const e4455 = means[21 * STRIDE + place]!;
  const a1 = e1 / tau;
  const a5 = e5 / tau;
  const a3 = a1 + a5;

  // Means of d1·r2, d3·r4, d1·r5, d5·r4.
  const mean1 = -A * (e15 + e14 - a1 * (e5 + e4)) - B * (e14 + e45 - a3 * e4);
  const mean2 = -A * (e15 - a1 * e5) - B * (e45 - a5 * e4);

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

  // Where x1 or x2 hardly varies, the difference of means is rounding.
  if (variance1 <= NEARLY * mean1 * mean1 || variance2 <= NEARLY * mean2 * mean2) return Number.POSITIVE_INFINITY;
  return weighted(mean1, variance1, mean2, variance2);
}

/** A variance below this share of the squared mean is computed pair by pair. */
const NEARLY = 1e-6;
/** One below this share is the rounding of the logarithms and counts as 0. */
const ROUNDING = 1e-18;

function weighted(mean1: number, variance1: number, mean2: number, variance2: number): number {
  const total = variance1 + variance2;
  return total > 0 ? (variance2 * mean1 + variance1 * mean2) / total : (mean1 + mean2) / 2;
}

const pairs1 = new Float64Array(MAX_WINDOW);
const pairs2 = new Float64Array(MAX_WINDOW);

/** s² of the n pairs whose terms end at `place`, from each pair's own x1 and x2. */
function squaredSpreadByPair(place: number, n: number): number {
  const tau = means[place]!;
  const opens = means[STRIDE + place]!;
  const closes = means[2 * STRIDE + place]!;
  const a1 = means[3 * STRIDE + place]! / tau;
  const a5 = means[5 * STRIDE + place]! / tau;
  for (let pair = 0; pair < n; pair++) {
    const at = place - n + 1 + pair;
    const isTraded = terms[at]!;
    const r1 = terms[3 * STRIDE + at]!;
    const r5 = terms[5 * STRIDE + at]!;
    const r4 = r4s[at]!;
    const d1 = r1 - isTraded * a1;
    const d5 = r5 - isTraded * a5;
    const d3 = r1 + r5 - isTraded * (a1 + a5);
    pairs1[pair] = (-4 / opens) * d1 * (r5 + r4) - (4 / closes) * d3 * r4;
    pairs2[pair] = (-4 / opens) * d1 * r5 - (4 / closes) * d5 * r4;
  }
  const [mean1, variance1] = meanAndVariance(pairs1, n);
  const [mean2, variance2] = meanAndVariance(pairs2, n);
  return weighted(mean1, variance1, mean2, variance2);
}

/** The mean of n values and their population variance, 0 where that is rounding. */
function meanAndVariance(x: Float64Array, n: number): [mean: number, variance: number] {
  let mean = 0;
  for (let i = 0; i < n; i++) mean += x[i]! / n;
  let squared = 0;
  for (let i = 0; i < n; i++) squared += (x[i]! - mean) ** 2;
  return [mean, squared / n <= ROUNDING * mean * mean ? 0 : squared / n];
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
          slideSum(meanColumns[k]!, termColumns[k]!, n - 1, end - start, origin + 1 - start, n, 1 / n);
        }
        for (let t = chunk; t < end; t++) {
          const fast = squaredSpread(t - start, n);
          const squared = fast === Number.POSITIVE_INFINITY ? squaredSpreadByPair(t - start, n) : fast;
          out[t] = Math.sqrt(Math.max(0, squared));
        }
      }
    },
  });
}
