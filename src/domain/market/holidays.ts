/**
 * The regular holidays and short days of the New York exchange, by rule. They hold from 1990 on; the one-off
 * exceptions are in session-exceptions.ts. A date is a day number: whole days since 1970-01-01.
 */

/** The day number of a calendar date; `month` is 1..12, and a day past the month's end is one of the next month. */
export function dayNumber(year: number, month: number, day: number): number {
  return Date.UTC(year, month - 1, day) / 86_400_000;
}

/** 0 = Sunday … 6 = Saturday. 1970-01-01 was a Thursday. */
export function weekday(day: number): number {
  return (((day + 4) % 7) + 7) % 7;
}

const SUNDAY = 0;
const MONDAY = 1;
const THURSDAY = 4;
const FRIDAY = 5;
const SATURDAY = 6;

/** The `nth` (from 1) given weekday of a month. */
export function nthWeekday(year: number, month: number, nth: number, wanted: number): number {
  const first = dayNumber(year, month, 1);
  return first + ((wanted - weekday(first) + 7) % 7) + 7 * (nth - 1);
}

/** The last given weekday of a month. */
export function lastWeekday(year: number, month: number, wanted: number): number {
  const last = dayNumber(year, month + 1, 1) - 1;
  return last - ((weekday(last) - wanted + 7) % 7);
}

/** Easter Sunday of the Gregorian calendar (the anonymous algorithm of Nature, 1876; Meeus, Astronomical Algorithms, ch. 8). */
export function easter(year: number): number {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const d = Math.floor(b / 4);
  const e = b % 4;
  const g = Math.floor((b - Math.floor((b + 8) / 25) + 1) / 3);
  const h = (19 * a + b - d - g + 15) % 30;
  const i = Math.floor(c / 4);
  const k = c % 4;
  const l = (32 + 2 * e + 2 * i - h - k) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const month = Math.floor((h + l - 7 * m + 114) / 31);
  return dayNumber(year, month, ((h + l - 7 * m + 114) % 31) + 1);
}

/** A fixed date moved off the weekend: Saturday to Friday, Sunday to Monday. */
function observed(day: number): number {
  if (weekday(day) === SATURDAY) return day - 1;
  return weekday(day) === SUNDAY ? day + 1 : day;
}

/** The weekdays of `year` without a session, as day numbers. */
export function newYorkHolidays(year: number): number[] {
  const newYear = dayNumber(year, 1, 1);
  const days = [
    // A New Year's Day on a Saturday is not moved to the Friday before, which is the last day of the old year.
    weekday(newYear) === SUNDAY ? newYear + 1 : newYear,
    nthWeekday(year, 2, 3, MONDAY), // Presidents' Day
    easter(year) - 2, // Good Friday
    lastWeekday(year, 5, MONDAY), // Memorial Day
    observed(dayNumber(year, 7, 4)), // Independence Day
    nthWeekday(year, 9, 1, MONDAY), // Labor Day
    nthWeekday(year, 11, 4, THURSDAY), // Thanksgiving
    observed(dayNumber(year, 12, 25)), // Christmas
  ];
  if (year >= 1998) days.push(nthWeekday(year, 1, 3, MONDAY)); // Martin Luther King Day
  if (year >= 2022) days.push(observed(dayNumber(year, 6, 19))); // Juneteenth
  return days;
}

/** The sessions of `year` that end at 13:00, as day numbers. */
export function newYorkShortDays(year: number): number[] {
  const days = [nthWeekday(year, 11, 4, THURSDAY) + 1];
  const christmasEve = dayNumber(year, 12, 24);
  if (weekday(christmasEve) >= MONDAY && weekday(christmasEve) <= THURSDAY) days.push(christmasEve);
  if (year >= 1995) {
    const eve = dayNumber(year, 7, 3);
    const wednesday = 3;
    const eveIsShort = [MONDAY, 2, THURSDAY].includes(weekday(eve)) || (weekday(eve) === wednesday && year >= 2013);
    if (eveIsShort) days.push(eve);
    if (weekday(eve + 2) === FRIDAY && year <= 2012) days.push(eve + 2);
  }
  return days;
}
