/** The shape of the bar (after qlib's Alpha158), and how frequent three shapes are. */

import { type FeatureEntry, type Series, windowed, windowOf } from "../define.ts";
import { close, high, low, open, quotient, range } from "../kernels/bar.ts";
import { mean } from "../kernels/sum.ts";

// Measures of a single bar are computed directly from its columns: an intermediate would cost more than it saves.
const toOpen = windowed("kmid", [close, open], {
  compute(out, { from, to }, c, o) {
    for (let t = from; t < to; t++) out[t] = (c[t]! - o[t]!) / o[t]!;
  },
});

const rangeToOpen = windowed("klen", [high, low, open], {
  compute(out, { from, to }, h, l, o) {
    for (let t = from; t < to; t++) out[t] = (h[t]! - l[t]!) / o[t]!;
  },
});

const toRange = windowed("kmid2", [close, open, high, low], {
  compute: (out, { from, to }, c, o, h, l) => divideByRange(out, from, to, c, o, h, l),
});

/** Two bars a turn, the later one first: its bounds check is that of both. */
function divideByRange(
  out: Float64Array,
  from: number,
  to: number,
  c: Float64Array,
  o: Float64Array,
  h: Float64Array,
  l: Float64Array,
): void {
  const rest = to - ((to - from) % 2);
  for (let t = from; t < rest; t += 2) {
    const later = (c[t + 1]! - o[t + 1]!) / (h[t + 1]! - l[t + 1]!);
    out[t + 1] = later;
    out[t] = (c[t]! - o[t]!) / (h[t]! - l[t]!);
  }
  if (rest < to) out[rest] = (c[rest]! - o[rest]!) / (h[rest]! - l[rest]!);
}

const upperShadow = windowed("upper_shadow", [open, high, close], {
  compute(out, { from, to }, o, h, c) {
    for (let t = from; t < to; t++) {
      const falls = +(o[t]! > c[t]!);
      out[t] = h[t]! - (falls * o[t]! + (1 - falls) * c[t]!);
    }
  },
});

const lowerShadow = windowed("lower_shadow", [open, low, close], {
  compute(out, { from, to }, o, l, c) {
    for (let t = from; t < to; t++) {
      const falls = +(o[t]! > c[t]!);
      out[t] = falls * c[t]! + (1 - falls) * o[t]! - l[t]!;
    }
  },
});

const shiftToOpen = windowed("ksft", [high, low, close, open], {
  compute(out, { from, to }, h, l, c, o) {
    for (let t = from; t < to; t++) out[t] = (2 * c[t]! - h[t]! - l[t]!) / o[t]!;
  },
});

const shiftToRange = windowed("ksft2", [high, low, close], {
  compute(out, { from, to }, h, l, c) {
    for (let t = from; t < to; t++) out[t] = (2 * c[t]! - h[t]! - l[t]!) / (h[t]! - l[t]!);
  },
});

const inside = windowed("inside", [high, low], {
  delay: 1,
  compute(out, { from, to }, h, l) {
    for (let t = from; t < to; t++) out[t] = +(h[t]! <= h[t - 1]!) & +(l[t]! >= l[t - 1]!);
  },
});

const outside = windowed("outside", [high, low], {
  delay: 1,
  compute(out, { from, to }, h, l) {
    for (let t = from; t < to; t++) out[t] = +(h[t]! > h[t - 1]!) & +(l[t]! < l[t - 1]!);
  },
});

const doji = windowed("doji", [open, high, low, close], {
  compute(out, { from, to }, o, h, l, c) {
    for (let t = from; t < to; t++) out[t] = +(Math.abs(c[t]! - o[t]!) <= 0.1 * (h[t]! - l[t]!));
  },
});

/** A measure of a single bar, as qlib names and defines it. */
function shape(name: string, formula: string, qlib: string, unit: string, series: Series): FeatureEntry {
  return { name: `kbar_${name}`, formula, source: `qlib ${qlib}`, warmup: 0, memory: windowOf(1), unit, series };
}

/** The share of the last 20 bars on which a flag is set. */
function ratio(name: string, condition: string, flag: Series): FeatureEntry {
  return {
    name: `kbar_${name}_ratio_20`,
    formula: `share of the last 20 bars with ${condition}`,
    source: "pandas flag.rolling(20).mean()",
    warmup: 19 + flag.warmup,
    memory: windowOf(20 + flag.warmup),
    unit: "0..1",
    series: mean(flag, 20),
  };
}

export const kbar: readonly FeatureEntry[] = [
  shape("kmid", "(c − o)/o", "KMID", "share of the open", toOpen),
  shape("klen", "(h − l)/o", "KLEN", "share of the open", rangeToOpen),
  shape("kmid2", "(c − o)/(h − l)", "KMID2; TA-Lib BOP", "−1..1", toRange),
  shape("kup", "(h − max(o, c))/o", "KUP", "share of the open", quotient(upperShadow, open)),
  shape("kup2", "(h − max(o, c))/(h − l)", "KUP2", "0..1", quotient(upperShadow, range)),
  shape("klow", "(min(o, c) − l)/o", "KLOW", "share of the open", quotient(lowerShadow, open)),
  shape("klow2", "(min(o, c) − l)/(h − l)", "KLOW2", "0..1", quotient(lowerShadow, range)),
  shape("ksft", "(2·c − h − l)/o", "KSFT", "share of the open", shiftToOpen),
  shape("ksft2", "(2·c − h − l)/(h − l)", "KSFT2", "−1..1", shiftToRange),
  ratio("inside", "h ≤ h[1] and l ≥ l[1]", inside),
  ratio("outside", "h > h[1] and l < l[1]", outside),
  ratio("doji", "|c − o| ≤ 0.1·(h − l)", doji),
];
