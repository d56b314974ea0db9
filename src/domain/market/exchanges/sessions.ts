/** The sessions of an exchange by its hours, rules and facts. */

import { wallToUtc } from "../../zone.ts";
import { dayNumber, weekday } from "../holidays.ts";
import { DAY } from "../interval.ts";
import type { SessionExceptions } from "../session-exceptions.ts";
import { type Exchange, entryOf } from "./exchanges.ts";
import { holidaysOf, shortDaysOf } from "./rules.ts";
import { FACTS } from "./tables.ts";

/** One trading day. All times are epoch seconds UTC. */
export interface Session {
  /** Midnight UTC of the trading date: the `ts` of its daily bar. */
  readonly date: number;
  readonly open: number;
  /** The first moment after the session. */
  readonly close: number;
  /** Whether it ends before the regular time. */
  readonly early: boolean;
  /** The break around noon, where the exchange has one on that day. */
  readonly lunch?: { readonly from: number; readonly to: number };
}

const isoDay = (day: number) => new Date(day * DAY * 1_000).toISOString().slice(0, 10);

/** Seconds after midnight of `HH:MM`; NaN for any other text. */
export function parseTime(text: string): number {
  const [hours = Number.NaN, minutes = Number.NaN] = text.split(":").map(Number);
  return hours * 3600 + minutes * 60;
}

/** Open, close and break of a date, in seconds after midnight on the exchange's clock. */
export function hoursOn(
  exchange: Exchange,
  date: string,
): { open: number; close: number; lunch: [number, number] | null } {
  const all = entryOf(exchange).hours;
  const { hours } = all.findLast(({ from }) => from <= date) ?? all[0]!;
  const times = hours.split(/[-,]/).map(parseTime);
  const lunch: [number, number] | null = times.length === 4 ? [times[1]!, times[2]!] : null;
  return { open: times[0]!, close: times.at(-1)!, lunch };
}

/** Day numbers of `MMDD` texts. */
function factDays(text: string | undefined, year: number): number[] {
  return (text ?? "")
    .split(" ")
    .filter((day) => day !== "")
    .map((day) => dayNumber(year, Number(day.slice(0, 2)), Number(day.slice(2))));
}

/** The sessions of a year by day of the year, `null` where there is none; `overrides` win over rules and facts. */
export function buildSessions(exchange: Exchange, year: number, overrides: SessionExceptions): (Session | null)[] {
  const facts = FACTS[exchange] ?? {};
  const { zone } = entryOf(exchange);
  const holidays = holidaysOf(exchange, year);
  const closed = new Set(factDays(facts.closed?.[year], year));
  const open = new Set(factDays(facts.open?.[year], year));
  const isOpen = (day: number) => {
    const date = isoDay(day);
    if (overrides.closed?.includes(date)) return false;
    if (open.has(day) || overrides.open?.includes(date) || overrides.early?.[date] !== undefined) return true;
    return weekday(day) !== 0 && weekday(day) !== 6 && !holidays.has(day) && !closed.has(day);
  };
  const shortDays = shortDaysOf(exchange, year, isOpen);
  const sessions: (Session | null)[] = [];
  for (let day = dayNumber(year, 1, 1); day < dayNumber(year + 1, 1, 1); day++) {
    if (!isOpen(day)) {
      sessions.push(null);
      continue;
    }
    const date = isoDay(day);
    const usual = hoursOn(exchange, date);
    const isWhole = overrides.open?.includes(date) === true;
    const stated = overrides.early?.[date] ?? (isWhole ? undefined : (facts.early?.[date] ?? shortDays.get(day)));
    const close = stated === undefined ? usual.close : parseTime(stated);
    const at = (seconds: number) => wallToUtc(zone, day * DAY + seconds);
    const lunch = usual.lunch && close > usual.lunch[1] ? { from: at(usual.lunch[0]), to: at(usual.lunch[1]) } : null;
    const early = close < usual.close;
    sessions.push({ date: day * DAY, open: at(usual.open), close: at(close), early, ...(lunch && { lunch }) });
  }
  return sessions;
}
