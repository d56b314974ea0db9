/**
 * Runs of sign inside a sliding window. By blocks, as for sums (sum.ts): what is known of a suffix of one block and a
 * prefix of the next is joined where they meet. All integers, so exact.
 */

import { type Series, windowed } from "../define.ts";

const longestFrom = new Int32Array(1024);

/** The longest run of values equal to `sign` inside the last n, runs clipped at the window's edge; x holds signs. */
export function longestRun(x: Series, n: number, sign: 1 | -1): Series {
  return windowed(`longest_run${n}_${sign}`, [x], {
    delay: n - 1,
    compute: (out, { from, to, origin }, x) => slideRun(out, x, from, to, origin, n, sign),
  });
}

/** Without a branch on a sign, which bars decide at random: `is` is 1 for a value of the run, else 0. */
function slideRun(
  out: Float64Array,
  x: Float64Array,
  from: number,
  to: number,
  origin: number,
  n: number,
  sign: 1 | -1,
): void {
  let t = from;
  while (t < to) {
    const block = t - ((t - origin) % n);
    let run = 0;
    let longest = 0;
    // The run that ends the older block, as far as the suffix reaches.
    let ending = 0;
    let unbroken = 1;
    longestFrom[n] = 0;
    for (let i = n - 1; i > t - block; i--) {
      const is = +(x[block - n + i] === sign);
      run = (run + 1) & -is;
      longest = Math.max(longest, run);
      unbroken &= is;
      ending += unbroken;
      longestFrom[i] = longest;
    }
    run = 0;
    longest = 0;
    let leading = 0;
    unbroken = 1;
    const end = Math.min(block + n, to);
    for (let i = block; i < end; i++) {
      const is = +(x[i] === sign);
      run = (run + 1) & -is;
      longest = Math.max(longest, run);
      unbroken &= is;
      leading += unbroken;
      if (i < t) continue;
      const start = i - block + 1;
      const across = Math.min(ending, n - start) + leading;
      out[i] = Math.max(longest, longestFrom[start]!, across);
    }
    t = end;
  }
}

const runsFrom = new Int32Array(1024);
const upsFrom = new Int32Array(1024);
const downsFrom = new Int32Array(1024);

/**
 * Wald & Wolfowitz's z of the runs of sign among the nonzero of the last n signs: (U − μ)/σ with U runs, a up and b
 * down, μ = 2ab/(a + b) + 1, σ² = (μ − 1)(μ − 2)/(a + b − 1); NaN if a, b or σ is 0.
 */
export function runsTest(x: Series, n: number): Series {
  return windowed(`runs_test${n}`, [x], {
    delay: n - 1,
    compute(out, { from, to, origin }, x) {
      let t = from;
      while (t < to) {
        const block = t - ((t - origin) % n);
        let runs = 0;
        let ups = 0;
        let downs = 0;
        let next = 0;
        let ending = 0;
        runsFrom[n] = upsFrom[n] = downsFrom[n] = 0;
        for (let i = n - 1; i > t - block; i--) {
          const sign = x[block - n + i]!;
          if (sign !== 0) {
            if (ending === 0) ending = sign;
            runs += +(sign !== next);
            next = sign;
            ups += +(sign > 0);
            downs += +(sign < 0);
          }
          runsFrom[i] = runs;
          upsFrom[i] = ups;
          downsFrom[i] = downs;
        }
        runs = 0;
        ups = 0;
        downs = 0;
        next = 0;
        let leading = 0;
        const end = Math.min(block + n, to);
        for (let i = block; i < end; i++) {
          const sign = x[i]!;
          if (sign !== 0) {
            if (leading === 0) leading = sign;
            runs += +(sign !== next);
            next = sign;
            ups += +(sign > 0);
            downs += +(sign < 0);
          }
          if (i < t) continue;
          const start = i - block + 1;
          const a = ups + upsFrom[start]!;
          const b = downs + downsFrom[start]!;
          const joined = runs > 0 && runsFrom[start]! > 0 && leading === ending ? 1 : 0;
          const mean = (2 * a * b) / (a + b) + 1;
          const variance = ((mean - 1) * (mean - 2)) / (a + b - 1);
          out[i] =
            a > 0 && b > 0 && variance > 0
              ? (runs + runsFrom[start]! - joined - mean) / Math.sqrt(variance)
              : Number.NaN;
        }
        t = end;
      }
    },
  });
}
