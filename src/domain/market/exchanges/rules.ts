/** Holidays and short days of the exchanges, by rule; what no rule gives is in tables.ts. */

import { dayNumber, easter, lastWeekday, nthWeekday, weekday } from "../holidays.ts";
import type { Exchange } from "./exchanges.ts";

/**
 * A rule is `[years:]day`. Years are `2014-2021`, `2008-` or `-2001`. A day is `05-01`; `12-25+` moved off a weekend to
 * the next weekday that no other rule has; `E-2` days from Easter Sunday; `5/1/1` the first Monday of May; `5/-1/1` the
 * last; `5/24<1` the last Monday up to May 24th.
 */
type Rule = string;

const CHRISTMAS = ["12-25+", "12-26+"];
const EASTER = ["E-2", "E+1"];
const EURONEXT = ["01-01", ...EASTER, "05-01", "12-25", "12-26"];

const HOLIDAYS: Partial<Record<Exchange, readonly Rule[]>> = {
  XLON: ["01-01+", ...EASTER, "5/1/1", "5/-1/1", "8/-1/1", ...CHRISTMAS],
  XETR: ["01-01", ...EASTER, "05-01", "12-24", "12-25", "12-26", "12-31"],
  XPAR: EURONEXT,
  XAMS: EURONEXT,
  XBRU: EURONEXT,
  XTSE: ["01-01+", "2008-:2/3/1", "E-2", "5/24<1", "07-01+", "8/1/1", "9/1/1", "10/2/1", ...CHRISTMAS],
  XSWX: ["01-01", "01-02", ...EASTER, "05-01", "E+39", "E+50", "08-01", "12-24", "12-25", "12-26", "12-31"],
  XASX: ["01-01+", "01-26+", ...EASTER, "04-25", "6/2/1", ...CHRISTMAS],
};

/** A short day: the last session up to a date, or that date alone (`=`), with the closing time. */
interface ShortDay {
  readonly rule: string;
  readonly close: string;
}

const short = (close: string, ...rules: string[]): ShortDay[] => rules.map((rule) => ({ rule, close }));

const SHORT_DAYS: Partial<Record<Exchange, readonly ShortDay[]>> = {
  XLON: short("12:30", "12-24", "12-31"),
  XETR: short("14:00", "2010-:12-30"),
  XPAR: short("14:05", "=12-24", "=12-31"),
  XAMS: short("14:05", "=12-24", "=12-31"),
  XBRU: short("14:05", "=12-24", "=12-31"),
  XTSE: short("13:00", "2010-:=12-24"),
  XHKG: [...short("12:30", "-2010:=12-24", "-2010:=12-31"), ...short("12:00", "2011-:=12-24", "2011-:=12-31")],
  // In 2022 the two days were whole ones.
  XASX: short("14:10", "2010-2021:12-24", "2010-2021:12-31", "2023-:12-24", "2023-:12-31"),
};

/** The rule without its years, or `null` if it does not hold in `year`. */
function ruleIn(rule: string, year: number): string | null {
  const parts = /^(\d{4})?(-)?(\d{4})?:(.+)$/.exec(rule);
  if (!parts) return rule;
  const first = Number(parts[1] ?? 0);
  const last = parts[2] === undefined ? first : Number(parts[3] ?? 9_999);
  return year >= first && year <= last ? parts[4]! : null;
}

/** The day number that a rule without years names in a year. */
function dayOf(rule: string, year: number): number {
  const [, easterDays] = /^E([+-]\d+)$/.exec(rule) ?? [];
  if (easterDays !== undefined) return easter(year) + Number(easterDays);
  const nth = /^(\d+)\/(-?\d)\/(\d)$/.exec(rule)?.slice(1).map(Number);
  if (nth) {
    const [month = 1, count = 1, day = 1] = nth;
    return count > 0 ? nthWeekday(year, month, count, day) : lastWeekday(year, month, day);
  }
  const before = /^(\d+)\/(\d+)<(\d)$/.exec(rule)?.slice(1).map(Number);
  if (before) {
    const [month = 1, day = 1, wanted = 1] = before;
    const last = dayNumber(year, month, day);
    return last - ((weekday(last) - wanted + 7) % 7);
  }
  const [month = 1, day = 1] = rule.split("-").map(Number);
  return dayNumber(year, month, day);
}

const isWeekend = (day: number) => weekday(day) === 0 || weekday(day) === 6;

/** The holidays of an exchange in a year by its rules, as day numbers; some may lie on weekends. */
export function holidaysOf(exchange: Exchange, year: number): Set<number> {
  const days = new Set<number>();
  const moved: number[] = [];
  for (const each of HOLIDAYS[exchange] ?? []) {
    const rule = ruleIn(each, year);
    if (rule === null) continue;
    const day = dayOf(rule.replace(/\+$/, ""), year);
    if (rule.endsWith("+") && !rule.startsWith("E") && isWeekend(day)) moved.push(day);
    else days.add(day);
  }
  for (const from of moved) {
    let day = from;
    while (isWeekend(day) || days.has(day)) day++;
    days.add(day);
  }
  return days;
}

/** The short days of a year with their closing times `HH:MM`; `isOpen` tells the days with a session. */
export function shortDaysOf(exchange: Exchange, year: number, isOpen: (day: number) => boolean): Map<number, string> {
  const days = new Map<number, string>();
  for (const { rule: each, close } of SHORT_DAYS[exchange] ?? []) {
    const rule = ruleIn(each, year);
    if (rule === null) continue;
    let day = dayOf(rule.replace("=", ""), year);
    if (!rule.startsWith("=")) while (!isOpen(day)) day--;
    if (isOpen(day)) days.set(day, close);
  }
  return days;
}
