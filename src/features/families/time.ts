/** Calendar and session, in the exchange's local time. */

import { type FeatureEntry, type Memory, type Series, type Warmup, windowOf } from "../define.ts";
import {
  barGap,
  minuteCos,
  minuteSin,
  relativeVolumeOfDay,
  sessionGap,
  sessionRangePosition,
  sessionReturn,
  sessionVwapDistance,
  weekdayCos,
  weekdaySin,
  yearCos,
  yearSin,
} from "../kernels/clock.ts";

const SESSION: Memory = { kind: "session" };

function entry(
  name: string,
  formula: string,
  source: string,
  unit: string,
  series: Series,
  memory: Memory = windowOf(1),
  warmup: Warmup = 0,
): FeatureEntry {
  return { name, formula, source, warmup, memory, unit, series };
}

const minute = "m = exchange-local minute of the day at which the bar opens";
const weekday = "w = exchange-local weekday, Monday 0";
const day = "y = exchange-local day of the year, 1 January 1";

export const time: readonly FeatureEntry[] = [
  entry("tod_sin", `sin(2π·m/1440), ${minute}`, "cyclical encoding", "−1..1", minuteSin),
  entry("tod_cos", `cos(2π·m/1440), ${minute}`, "cyclical encoding", "−1..1", minuteCos),
  entry("dow_sin", `sin(2π·w/7), ${weekday}`, "pandas dt.dayofweek", "−1..1", weekdaySin),
  entry("dow_cos", `cos(2π·w/7), ${weekday}`, "pandas dt.dayofweek", "−1..1", weekdayCos),
  entry("doy_sin", `sin(2π·y/365.25), ${day}`, "pandas dt.dayofyear", "−1..1", yearSin),
  entry("doy_cos", `cos(2π·y/365.25), ${day}`, "pandas dt.dayofyear", "−1..1", yearCos),
  entry(
    "session_gap",
    "ln(o of the session’s first bar/c of the previous session’s last bar), held through the session",
    "direct",
    "log return",
    sessionGap,
    SESSION,
    "second session",
  ),
  entry("session_return", "ln(c/o of the session’s first bar)", "direct", "log return", sessionReturn, SESSION),
  entry(
    "session_range_pos",
    "(c − L)/(H − L); H, L = highest h and lowest l of the session so far",
    "pandas groupby(session) cummax, cummin",
    "0..1",
    sessionRangePosition,
    SESSION,
  ),
  entry(
    "session_vwap_dist",
    "ln(c/VWAP), VWAP = Σ tp·v/Σ v of the session so far, tp = (h + l + c)/3",
    "pandas groupby(session) cumsum",
    "log return",
    sessionVwapDistance,
    SESSION,
  ),
  entry(
    "tod_rvol_20",
    "v/mean of v in the same minute of the day of the last 20 earlier sessions that have a bar there",
    "pandas groupby(slot) rolling(20).mean().shift(1)",
    "ratio",
    relativeVolumeOfDay(20),
    SESSION,
    "20 sessions",
  ),
  entry(
    "bar_gap",
    "round((ts − ts[1])/interval) − 1: intervals without a bar just before this one",
    "pandas (ts.diff()/interval).round() − 1",
    "bars",
    barGap,
    windowOf(2),
    1,
  ),
];
