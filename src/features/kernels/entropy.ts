/** Entropy of the values, and of the order of values, in a sliding window. */

import { type Series, windowed } from "../define.ts";
import { max, min } from "./extreme.ts";

/** p·ln p of each count out of n. */
function entropyTerms(n: number): Float64Array {
  return Float64Array.from({ length: n + 1 }, (_, count) => (count > 0 ? (count / n) * Math.log(count / n) : 0));
}

/**
 * Shannon's entropy of the last n values over `bins` equal-width bins between their least and greatest, the last bin
 * closed, divided by that of equal shares; NaN when all are equal up to 1e-12 of them (numpy histogram). As long as neither extreme changes
 * neither do the bins, and only the value that leaves and the one that comes are counted again.
 */
export function histogramEntropy(x: Series, n: number, bins: number): Series {
  const terms = entropyTerms(n);
  const scale = -1 / Math.log(bins);
  const counts = new Int32Array(bins);
  const edges = new Float64Array(bins + 1).fill(Number.POSITIVE_INFINITY);

  /** The bin of a value, from the bins per unit; set right by the edges themselves, of which the last is open. */
  function binOf(value: number, least: number, perUnit: number): number {
    const bin = Math.min(bins - 1, ((value - least) * perUnit) | 0);
    return bin + +(value >= edges[bin + 1]!) - +(value < edges[bin]!);
  }

  return windowed(`entropy${n}_${bins}`, [x, min(x, n), max(x, n)], {
    reach: [n, 0, 0],
    compute(out, { from, to }, x, lowest, highest) {
      let least = Number.NaN;
      let greatest = Number.NaN;
      let perBin = 0;
      let perUnit = 0;
      for (let t = from; t < to; t++) {
        if (lowest[t] !== least || highest[t] !== greatest) {
          least = lowest[t]!;
          greatest = highest[t]!;
          const isFlat = greatest - least <= 1e-12 * Math.max(Math.abs(least), Math.abs(greatest));
          perBin = isFlat ? 0 : (greatest - least) / bins;
          perUnit = 1 / perBin;
          for (let k = 0; k < bins; k++) edges[k] = least + k * perBin;
          counts.fill(0);
          if (perBin > 0) for (let i = t - n + 1; i <= t; i++) counts[binOf(x[i]!, least, perUnit)]!++;
        } else if (perBin > 0) {
          counts[binOf(x[t - n]!, least, perUnit)]!--;
          counts[binOf(x[t]!, least, perUnit)]!++;
        }
        let sum = 0;
        for (let k = 0; k < bins; k++) sum += terms[counts[k]!]!;
        out[t] = perBin > 0 ? sum * scale : Number.NaN;
      }
    },
  });
}

/**
 * Bandt & Pompe's permutation entropy of order 3: over the order patterns of the n − 2 triples of consecutive values in
 * the window, the earlier of equal values ranking lower, divided by ln 6.
 */
export function permutationEntropy(x: Series, n: number): Series {
  const triples = n - 2;
  const terms = entropyTerms(triples);
  const scale = -1 / Math.log(6);
  const pattern = windowed("order_pattern", [x], {
    delay: 2,
    compute(out, { from, to }, x) {
      for (let t = from; t < to; t++) {
        const a = x[t - 2]!;
        const b = x[t - 1]!;
        const c = x[t]!;
        // Three comparisons name the six orders; the codes 1 and 6 cannot occur.
        out[t] = (+(a > b) << 2) | (+(b > c) << 1) | +(a > c);
      }
    },
  });
  const counts = new Int32Array(8);
  return windowed(`permutation_entropy${n}`, [pattern], {
    delay: triples - 1,
    reach: triples,
    compute(out, { from, to }, pattern) {
      counts.fill(0);
      for (let i = from - triples + 1; i <= from; i++) counts[pattern[i]!]!++;
      for (let t = from; t < to; t++) {
        if (t > from) {
          counts[pattern[t - triples]!]!--;
          counts[pattern[t]!]!++;
        }
        let sum = 0;
        for (let code = 0; code < 8; code++) sum += terms[counts[code]!]!;
        out[t] = sum * scale;
      }
    },
  });
}
