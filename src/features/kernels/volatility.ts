/** Terms of the range-based volatility estimators, and the year they are scaled to. */

import { tradingYear } from "../../domain/market/exchanges/exchanges.ts";
import { READ_SECONDS } from "../../domain/market/interval.ts";
import { type FeatureSetup, type Series, windowed } from "../define.ts";
import { close, high, low, open } from "./bar.ts";

/** Bars of a year at an interval: 52 weeks, 12 months, else by the days and hours of the venue. */
export function barsPerYear({ market, interval, year }: FeatureSetup): number {
  if (interval === "1w") return 52;
  if (interval === "1mo") return 12;
  const { days, minutes } = year ?? tradingYear(market);
  return interval === "1d" ? days : (days * minutes * 60) / READ_SECONDS[interval];
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
