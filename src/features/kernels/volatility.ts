/** Terms of the range-based volatility estimators, and the year they are scaled to. */

import { type FeatureSetup, type Series, windowed } from "../define.ts";
import { close, high, low, open } from "./bar.ts";

/** Bars per year: 252 New York sessions of 390 minutes, or every minute of 365 days. */
const BARS_PER_YEAR = {
  us_equity: {
    "1m": 98_280,
    "5m": 19_656,
    "15m": 6_552,
    "30m": 3_276,
    "1h": 1_638,
    "4h": 409.5,
    "1d": 252,
    "1w": 52,
    "1mo": 12,
  },
  crypto: {
    "1m": 525_600,
    "5m": 105_120,
    "15m": 35_040,
    "30m": 17_520,
    "1h": 8_760,
    "4h": 2_190,
    "1d": 365,
    "1w": 52,
    "1mo": 12,
  },
} as const;

export function barsPerYear({ market, interval }: FeatureSetup): number {
  return BARS_PER_YEAR[market][interval];
}

/** √A·x: a deviation per bar as one per year. */
export function annualDeviation(x: Series): Series {
  return windowed("annual_deviation", [x], {
    compute(out, { from, to, setup }, x) {
      const scale = Math.sqrt(barsPerYear(setup));
      for (let t = from; t < to; t++) out[t] = x[t]! * scale;
    },
  });
}

/** √(A·scale·x): a variance per bar as a deviation per year. */
export function annualRoot(x: Series, scale = 1): Series {
  return windowed(`annual_root${scale}`, [x], {
    compute(out, { from, to, setup }, x) {
      const factor = barsPerYear(setup) * scale;
      for (let t = from; t < to; t++) out[t] = Math.sqrt(x[t]! * factor);
    },
  });
}

/** ln(h/l)² (Parkinson 1980). */
export const squaredLogRange = windowed("ln_hl_squared", [high, low], {
  compute(out, { from, to }, h, l) {
    for (let t = from; t < to; t++) {
      const range = Math.log(h[t]! / l[t]!);
      out[t] = range * range;
    }
  },
});

/** b = ln(c/o): the part of r made within the bar. */
export const logBody = windowed("b", [close, open], {
  compute(out, { from, to }, c, o) {
    for (let t = from; t < to; t++) out[t] = Math.log(c[t]! / o[t]!);
  },
});

/** ½·ln(h/l)² − (2·ln 2 − 1)·b² (Garman & Klass 1980). */
export const garmanKlassTerm = windowed("garman_klass", [squaredLogRange, logBody], {
  compute(out, { from, to }, range, body) {
    for (let t = from; t < to; t++) out[t] = 0.5 * range[t]! - (2 * Math.LN2 - 1) * body[t]! * body[t]!;
  },
});

/** q = u·(u − b) + d·(d − b), u = ln(h/o), d = ln(l/o) (Rogers & Satchell 1991). */
export const rogersSatchellTerm = windowed("rogers_satchell", [open, high, low, logBody], {
  compute(out, { from, to }, o, h, l, b) {
    for (let t = from; t < to; t++) {
      const up = Math.log(h[t]! / o[t]!);
      const down = Math.log(l[t]! / o[t]!);
      out[t] = up * (up - b[t]!) + down * (down - b[t]!);
    }
  },
});
