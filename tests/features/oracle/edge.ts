/** The EDGE spread estimator over 60 bar pairs (note L4). */

import { type Bars, each, type Series } from "./bars.ts";
import { mean, pvariance, sum } from "./notation.ts";

export function edge({ n, o, h, l, c }: Bars): Series {
  const [O, H, L, C] = [o, h, l, c].map((x) => x.map(Math.log)) as [Series, Series, Series, Series];
  const eta = H.map((high, t) => (high + L[t]!) / 2);
  return each(n, 60, (t) => {
    const pairs = Array.from({ length: 60 }, (_, i) => t - 59 + i);
    const over = (f: (i: number) => number) => pairs.map(f);
    const tau = over((i) => (H[i] === L[i] && L[i] === C[i - 1] ? 0 : 1));
    const shareWhere = (f: (i: number) => boolean) => mean(pairs.map((i, j) => tau[j]! * Number(f(i))));
    const pt = mean(tau);
    const po = shareWhere((i) => O[i] !== H[i]) + shareWhere((i) => O[i] !== L[i]);
    const pc = shareWhere((i) => C[i - 1] !== H[i - 1]) + shareWhere((i) => C[i - 1] !== L[i - 1]);
    if (sum(tau) < 2 || po === 0 || pc === 0) return Number.NaN;
    const r1 = over((i) => eta[i]! - O[i]!);
    const r2 = over((i) => O[i]! - eta[i - 1]!);
    const r3 = over((i) => eta[i]! - C[i - 1]!);
    const r4 = over((i) => C[i - 1]! - eta[i - 1]!);
    const r5 = over((i) => O[i]! - C[i - 1]!);
    const adjusted = (r: number[]) => {
      const drift = mean(r) / pt;
      return r.map((x, j) => x - tau[j]! * drift);
    };
    const [d1, d3, d5] = [adjusted(r1), adjusted(r3), adjusted(r5)];
    const combine = (a: number[], b: number[], d: number[]) =>
      pairs.map((_, j) => (-4 / po) * d1[j]! * a[j]! - (4 / pc) * d[j]! * b[j]!);
    const x1 = combine(r2, r4, d3);
    const x2 = combine(r5, r4, d5);
    const [e1, e2] = [mean(x1), mean(x2)];
    // Logarithms are rounded to 1e-16 of a price: x that differ by less than 1e-9 of themselves are equal.
    const [v1, v2] = [pvariance(x1), pvariance(x2)].map((v, i) => (v <= 1e-18 * [e1, e2][i]! ** 2 ? 0 : v)) as [
      number,
      number,
    ];
    const squared = v1 + v2 === 0 ? (e1 + e2) / 2 : (v2 * e1 + v1 * e2) / (v1 + v2);
    return Math.sqrt(Math.max(0, squared));
  });
}
