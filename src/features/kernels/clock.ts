/** What time it is where the market is: the minute of the day, the day, the session. */

import { newYorkOffset } from "../../domain/market/calendar.ts";
import { DAY, isDated, READ_SECONDS } from "../../domain/market/interval.ts";
import { offsetAt } from "../../domain/zone.ts";
import { recursive, type Series, windowed } from "../define.ts";
import { close, high, low, open, ts, typicalPrice, volumeOrNaN } from "./bar.ts";

const NEW_YORK = "America/New_York";
const NEW_YORK_STANDARD = 5 * 3600;

/** Seconds of the exchange's wall clock at which the bar opens, counted as if in UTC. At 1d the trading date itself. */
const localTime = windowed("local_time", [ts], {
  compute(out, { from, to, setup }, ts) {
    if (isDated(setup.interval) || setup.market === "crypto") {
      for (let t = from; t < to; t++) out[t] = ts[t]!;
      return;
    }
    const { zone = NEW_YORK } = setup;
    if (zone !== NEW_YORK) {
      for (let t = from; t < to; t++) out[t] = ts[t]! + offsetAt(zone, ts[t]!);
      return;
    }
    let date = Number.NaN;
    let offset = 0;
    for (let t = from; t < to; t++) {
      const standard = Math.floor((ts[t]! - NEW_YORK_STANDARD) / DAY);
      if (standard !== date) {
        date = standard;
        offset = newYorkOffset(date * DAY);
      }
      out[t] = ts[t]! - offset;
    }
  },
});

/** The exchange-local day, counted from 1970-01-01: one session. */
const localDay = windowed("local_day", [localTime], {
  compute(out, { from, to }, local) {
    for (let t = from; t < to; t++) out[t] = Math.floor(local[t]! / DAY);
  },
});

/** Looks up a column of small whole numbers in a table made once. */
function encoded(name: string, index: Series, table: Float64Array): Series {
  return windowed(name, [index], {
    compute(out, { from, to }, index) {
      for (let t = from; t < to; t++) out[t] = table[index[t]!]!;
    },
  });
}

/** Sine and cosine of position/period for whole positions below `count`. */
function circle(name: string, index: Series, count: number, period: number): readonly [Series, Series] {
  const angles = Float64Array.from({ length: count }, (_, position) => (2 * Math.PI * position) / period);
  return [encoded(`${name}_sin`, index, angles.map(Math.sin)), encoded(`${name}_cos`, index, angles.map(Math.cos))];
}

/** The exchange-local minute of the day at which the bar opens, 0..1439; 0 at 1d. */
const minuteOfDay = windowed("minute", [localTime, localDay], {
  compute(out, { from, to }, local, day) {
    for (let t = from; t < to; t++) out[t] = Math.floor((local[t]! - day[t]! * DAY) / 60);
  },
});

/** Monday 0 … Sunday 6; 1970-01-01 was a Thursday. */
const weekday = windowed("weekday", [localDay], {
  compute(out, { from, to }, day) {
    for (let t = from; t < to; t++) out[t] = (((Math.trunc(day[t]!) + 3) % 7) + 7) % 7;
  },
});

/** Day of the year, 1 January 1. */
const dayOfYear = windowed("day_of_year", [localDay], {
  compute(out, { from, to }, day) {
    let known = Number.NaN;
    let ofYear = 0;
    for (let t = from; t < to; t++) {
      if (day[t] !== known) {
        known = day[t]!;
        const year = new Date(known * DAY * 1000).getUTCFullYear();
        ofYear = known - Date.UTC(year, 0, 1) / 1000 / DAY + 1;
      }
      out[t] = ofYear;
    }
  },
});

export const [minuteSin, minuteCos] = circle("minute", minuteOfDay, 1440, 1440);
export const [weekdaySin, weekdayCos] = circle("weekday", weekday, 7, 7);
export const [yearSin, yearCos] = circle("year", dayOfYear, 367, 365.25);

/** Intervals without a bar just before this one: round((ts − ts[1])/interval) − 1. */
export const barGap = windowed("bar_gap", [ts], {
  delay: 1,
  compute(out, { from, to, setup }, ts) {
    const seconds = READ_SECONDS[setup.interval];
    for (let t = from; t < to; t++) out[t] = Math.round((ts[t]! - ts[t - 1]!) / seconds) - 1;
  },
});

/**
 * ln(o of the session's first bar/c of the previous session's last bar), held through the session; NaN in the first.
 * State: the gap.
 */
export const sessionGap = recursive("session_gap", [localDay, open, close], {
  reach: 1,
  state: 1,
  compute(out, { from, to, first, state }, day, o, c) {
    let gap = from <= first ? Number.NaN : state[0]!;
    for (let t = from; t < to; t++) {
      if (t > first && day[t] !== day[t - 1]) gap = Math.log(o[t]! / c[t - 1]!);
      out[t] = gap;
    }
    state[0] = gap;
  },
});

/** ln(c/o of the session's first bar). State: that open. */
export const sessionReturn = recursive("session_return", [localDay, open, close], {
  reach: 1,
  state: 1,
  compute(out, { from, to, first, state }, day, o, c) {
    let start = state[0]!;
    for (let t = from; t < to; t++) {
      if (t === first || day[t] !== day[t - 1]) start = o[t]!;
      out[t] = Math.log(c[t]! / start);
    }
    state[0] = start;
  },
});

/** (c − L)/(H − L), H and L the highest high and lowest low of the session so far. State: H, L. */
export const sessionRangePosition = recursive("session_range", [localDay, high, low, close], {
  reach: 1,
  state: 2,
  compute(out, { from, to, first, state }, day, h, l, c) {
    let top = state[0]!;
    let bottom = state[1]!;
    for (let t = from; t < to; t++) {
      const starts = t === first || day[t] !== day[t - 1];
      if (starts || h[t]! > top) top = h[t]!;
      if (starts || l[t]! < bottom) bottom = l[t]!;
      out[t] = (c[t]! - bottom) / (top - bottom);
    }
    state.set([top, bottom]);
  },
});

/**
 * ln(c/VWAP), VWAP = Σ tp·v/Σ v of the session so far; NaN before its first trade and after an unknown volume.
 * State: both sums.
 */
export const sessionVwapDistance = recursive("session_vwap", [localDay, typicalPrice, volumeOrNaN, close], {
  reach: 1,
  state: 2,
  compute(out, { from, to, first, state }, day, tp, v, c) {
    let money = state[0]!;
    let traded = state[1]!;
    for (let t = from; t < to; t++) {
      if (t === first || day[t] !== day[t - 1]) {
        money = 0;
        traded = 0;
      }
      money += tp[t]! * v[t]!;
      traded += v[t]!;
      out[t] = Math.log((c[t]! * traded) / money);
    }
    state.set([money, traded]);
  },
});

const MINUTES = 1440;

/**
 * v over its mean in the same minute of the day of the last n earlier sessions that have a bar there; NaN before there
 * are n, an even number, and if one of these volumes is unknown. State, per minute: how many sessions had it, then the last n volumes as a ring.
 */
export function relativeVolumeOfDay(n: number): Series {
  const size = n + 1;
  return recursive(`tod_rvol${n}`, [minuteOfDay, volumeOrNaN], {
    state: ({ interval }) => (isDated(interval) ? size : MINUTES * size),
    compute(out, { from, to, state }, minute, v) {
      for (let t = from; t < to; t++) {
        const at = Math.trunc(minute[t]!) * size;
        const seen = state[at]!;
        if (seen < n) {
          out[t] = Number.NaN;
        } else {
          let even = 0;
          let odd = 0;
          for (let i = at + 1; i < at + size; i += 2) {
            even += state[i]!;
            odd += state[i + 1]!;
          }
          out[t] = (n * v[t]!) / (even + odd);
        }
        state[at + 1 + (seen % n)] = v[t]!;
        state[at] = seen + 1;
      }
    },
  });
}
