/** How many closes are missing between two, so that no return over them is taken for that of a day. Pure. */

import { type Calendar, knownDays } from "../market/calendar.ts";
import type { Venue } from "../market/exchanges/exchanges.ts";
import { DAY } from "../market/interval.ts";

/** What a close is the last of. */
export type CloseUnit = "day" | "week" | "month";

/** The number of closes that should lie between those of two dates (midnight UTC, epoch seconds); 0 for neighbours. */
export type MissingCloses = (from: number, to: number) => number;

/**
 * Where no calendar is known, a distance up to this many times the usual may be weekends and holidays; of a longer one
 * the usual distances are counted.
 */
const LONG = 4;

const monthOf = (date: number): number => {
  const day = new Date(date * 1_000);
  return 12 * day.getUTCFullYear() + day.getUTCMonth();
};

/** @param perYear closes of a year, which are the usual distance where no calendar is known */
export function missingCloses(calendar: Calendar, venue: Venue, unit: CloseUnit, perYear: number): MissingCloses {
  if (unit === "month") return (from, to) => Math.max(0, monthOf(to) - monthOf(from) - 1);
  if (unit === "week") return (from, to) => Math.max(0, Math.round((to - from) / (7 * DAY)) - 1);
  const known = knownDays(venue);
  const usual = (365.25 * DAY) / perYear;
  return (from, to) => {
    if (to - from <= DAY) return 0;
    if (from >= known.from && to < known.to) return calendar.sessionsBetween(venue, from + DAY, to).length;
    return to - from <= LONG * usual ? 0 : Math.round((to - from) / usual) - 1;
  };
}
