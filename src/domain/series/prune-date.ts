/** The day before which bars are deleted, as it is typed. */

import { parseIsoDate } from "../time.ts";

/** The earliest day that can be meant: a mistyped year is none. */
const EARLIEST = Date.UTC(1900, 0, 1) / 1_000;

/**
 * The day before which bars are deleted, as midnight UTC in epoch seconds: a date such as `2020-01-31`, or an age such as
 * `5y` or `18mo`, counted in whole years or months back from today. `null` for any other text, and for days to come.
 */
export function parsePruneDate(text: string, now: number): number | null {
  const age = /^(\d{1,4})\s*(y|mo)$/.exec(text.trim().toLowerCase());
  const day = age === null ? parseIsoDate(text.trim()) : daysAgo(Number(age[1]) * (age[2] === "y" ? 12 : 1), now);
  return Number.isNaN(day) || day < EARLIEST || day > now ? null : day;
}

/** The day some months before that of `now`; of a day that the month does not have, its last one. */
function daysAgo(months: number, now: number): number {
  const today = new Date(now * 1_000);
  const month = today.getUTCFullYear() * 12 + today.getUTCMonth() - months;
  const [year, index] = [Math.floor(month / 12), month - Math.floor(month / 12) * 12];
  const last = new Date(Date.UTC(year, index + 1, 0)).getUTCDate();
  return Date.UTC(year, index, Math.min(last, today.getUTCDate())) / 1_000;
}
