/** Features 189–200: calendar and session. */

import { type Bars, each, type Family } from "./bars.ts";
import { ln, max, mean, min, ratio, sum } from "./notation.ts";

interface LocalTime {
  /** `2024-03-08`. */
  readonly date: string;
  /** Minute of the day. */
  readonly minute: number;
}

/** The exchange's clock at epoch second ts; a daily bar's date is its own and its minute 0. */
function clock({ setup }: Bars): (ts: number) => LocalTime {
  const local = setup.market === "us_equity" && setup.interval !== "1d";
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: local ? "America/New_York" : "UTC",
    hourCycle: "h23",
    ...{ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" },
  });
  return (ts) => {
    const part = Object.fromEntries(format.formatToParts(ts * 1000).map(({ type, value }) => [type, value]));
    return { date: `${part.year}-${part.month}-${part.day}`, minute: Number(part.hour) * 60 + Number(part.minute) };
  };
}

const DAY_MS = 86_400_000;
/** Monday 0. */
const weekday = (date: string): number => (new Date(date).getUTCDay() + 6) % 7;
/** 1 January is 1. */
const dayOfYear = (date: string): number => (Date.parse(date) - Date.parse(`${date.slice(0, 4)}-01-01`)) / DAY_MS + 1;

export const time: Family = (bars) => {
  const { n, ts, o, h, l, c, v, tp, seconds } = bars;
  const at = ts.map(clock(bars));
  const cycle = (position: (t: LocalTime) => number, wave: (angle: number) => number) =>
    at.map((moment) => wave(2 * Math.PI * position(moment)));
  const firstOf = new Map(at.map(({ date }, t) => [date, t] as const).toReversed());
  const first = at.map(({ date }) => firstOf.get(date)!);
  const atMinute = Map.groupBy(at.keys(), (t) => at[t]!.minute);
  const soFar = (x: number[], t: number) => x.slice(first[t]!, t + 1);
  const flow = tp.map((price, t) => price * v[t]!);
  const secondSession = at.findIndex(({ date }) => date !== at[0]?.date);
  const minuteOfDay = ({ minute }: LocalTime) => minute / 1440;
  const dayOfWeek = ({ date }: LocalTime) => weekday(date) / 7;
  const yearday = ({ date }: LocalTime) => dayOfYear(date) / 365.25;
  return {
    tod_sin: cycle(minuteOfDay, Math.sin),
    tod_cos: cycle(minuteOfDay, Math.cos),
    dow_sin: cycle(dayOfWeek, Math.sin),
    dow_cos: cycle(dayOfWeek, Math.cos),
    doy_sin: cycle(yearday, Math.sin),
    doy_cos: cycle(yearday, Math.cos),
    session_gap: each(n, secondSession < 0 ? n : secondSession, (t) => ln(o[first[t]!]! / c[first[t]! - 1]!)),
    session_return: each(n, 0, (t) => ln(c[t]! / o[first[t]!]!)),
    session_range_pos: each(n, 0, (t) => {
      const [high, low] = [max(soFar(h, t)), min(soFar(l, t))];
      return ratio(c[t]! - low, high - low);
    }),
    session_vwap_dist: each(n, 0, (t) => {
      const traded = sum(soFar(v, t));
      return traded === 0 ? Number.NaN : ln(c[t]! / (sum(soFar(flow, t)) / traded));
    }),
    tod_rvol_20: each(n, 0, (t) => {
      const earlier = atMinute.get(at[t]!.minute)!.filter((i) => i < first[t]!);
      return earlier.length < 20 ? Number.NaN : ratio(v[t]!, mean(earlier.slice(-20).map((i) => v[i]!)));
    }),
    bar_gap: each(n, 1, (t) => Math.round((ts[t]! - ts[t - 1]!) / seconds) - 1),
  };
};
