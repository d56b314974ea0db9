/** Reads dates and times as people and programs write them into files. */

import { parseIsoDate } from "../../domain/time.ts";

/** Which of two numbers is the day in dates like `04/06/2026`: decided over the whole file. */
export type DateOrder = "day-first" | "month-first";

/** A moment as it stands in a file. */
export interface CellMoment {
  /** What the clock shows, as epoch seconds of the same clock in UTC. */
  readonly wall: number;
  /** Seconds by which that clock is ahead of UTC; `null` if the text does not say. */
  readonly offset: number | null;
  /** Whether the text names a moment (epoch numbers, UTC) and not a date of somebody's clock. */
  readonly isInstant: boolean;
}

/** What `readMoment` accepts, for messages. */
export const DATE_FORMATS =
  "YYYY-MM-DD, YYYYMMDD, 31.12.2026, 12/31/2026, 31-Dec-2026, each with HH:MM[:SS] and an offset or Z, " +
  "epoch s, ms, µs or ns";

const YEAR_FIRST = /^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?=$|[T\s,])/i;
const YEAR_LAST = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?=$|[T\s,])/i;
const COMPACT = /^(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2})(\d{2})(\d{2})?)?$/;
const DAY_MONTH = /^(\d{1,2})[- ]([a-z]{3,9})[-. ,]+(\d{4})(?=$|[T\s,])/i;
const MONTH_DAY = /^([a-z]{3,9})\.? (\d{1,2}),? +(\d{4})(?=$|[T\s,])/i;
const WEEKDAY = /^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? +/i;
const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([ap]\.?m\.?)?\s*(.*)$/i;
const COMPACT_CLOCK = /^(\d{2})(\d{2})(\d{2})?$/;
const OFFSET = /^(?:GMT|UTC)?([+-])(\d{2})(?::?(\d{2}))?$/i;
const EPOCH = /^(-?\d{9,19})(?:\.(\d+))?$/;
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const NAMED_OFFSETS: Readonly<Record<string, number>> = { Z: 0, UTC: 0, GMT: 0, EST: -18_000, EDT: -14_400 };

/** Midnight of a date as epoch seconds, NaN for one that does not exist. */
const midnight = (year: string | number, month: string | number, day: string | number) =>
  parseIsoDate(`${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`);

/**
 * Epoch seconds of an epoch number in seconds, milliseconds, microseconds or nanoseconds. The unit follows from the
 * size: in each of them, moments from 1973 to 5138 have sizes of their own.
 */
export function epochOf(digits: string, fraction = ""): number {
  const size = Math.abs(Number(digits));
  const unit = size < 1e11 ? 1 : size < 1e14 ? 1e3 : size < 1e17 ? 1e6 : 1e9;
  // Beyond 2^53 the last digits of nanoseconds would be rounded before the division.
  if (unit === 1e9) return Number(BigInt(digits) / 1_000_000n) / 1e3;
  return Number(fraction === "" ? digits : `${digits}.${fraction}`) / unit;
}

/** What a date like `04/06/2026` says of the order: `either` if both are possible; `null` for any other text. */
export function orderOf(text: string): DateOrder | "either" | null {
  const parts = YEAR_LAST.exec(text.replace(WEEKDAY, ""));
  if (!parts) return null;
  const isDay = !Number.isNaN(midnight(parts[4]!, parts[3]!, parts[1]!));
  const isMonth = !Number.isNaN(midnight(parts[4]!, parts[1]!, parts[3]!));
  if (isDay && isMonth) return parts[1] === parts[3] || Number(parts[1]) === Number(parts[3]) ? null : "either";
  if (isDay) return "day-first";
  return isMonth ? "month-first" : null;
}

/** The two days that an `either` may mean, for messages: `4 June or 6 April`. */
export function bothReadings(text: string): string {
  const parts = YEAR_LAST.exec(text.replace(WEEKDAY, ""));
  const write = (day: string, month: string) => `${Number(day)} ${LONG_MONTHS[Number(month) - 1]}`;
  return parts ? `${write(parts[1]!, parts[3]!)} or ${write(parts[3]!, parts[1]!)}` : text;
}

const LONG_MONTHS = [
  ...["January", "February", "March", "April", "May", "June", "July"],
  ...["August", "September", "October", "November", "December"],
];

/** The date at the start of a text, and what follows it. */
function readDate(text: string, order: DateOrder | null): { date: number; rest: string } | null {
  let parts = YEAR_FIRST.exec(text);
  if (parts) return { date: midnight(parts[1]!, parts[3]!, parts[4]!), rest: text.slice(parts[0].length) };
  parts = YEAR_LAST.exec(text);
  if (parts) {
    const [, first = "", , second = "", year = ""] = parts;
    const alone = orderOf(text) ?? "day-first";
    const actual = alone === "either" ? order : alone;
    if (actual === null) return null;
    const date = actual === "day-first" ? midnight(year, second, first) : midnight(year, first, second);
    return { date, rest: text.slice(parts[0].length) };
  }
  const named = DAY_MONTH.exec(text);
  const swapped = named ? null : MONTH_DAY.exec(text);
  const found = named ?? swapped;
  if (!found) return null;
  const month = MONTHS.indexOf((named ? found[2]! : found[1]!).slice(0, 3).toLowerCase()) + 1;
  return { date: midnight(found[3]!, month, named ? found[1]! : found[2]!), rest: text.slice(found[0].length) };
}

/** Seconds of the day and the offset of a time; `null` if it is none. */
function readClock(text: string): { seconds: number; offset: number | null; isUtc: boolean } | null {
  const compact = COMPACT_CLOCK.exec(text);
  const parts = compact ? [compact[0], compact[1], compact[2], compact[3]] : CLOCK.exec(text);
  if (!parts) return null;
  const [, hours = "", minutes = "", seconds = "0", fraction = "", half = "", zone = ""] = parts;
  let hour = Number(hours);
  if (half !== "") {
    if (hour < 1 || hour > 12) return null;
    hour = (hour % 12) + (half[0]!.toLowerCase() === "p" ? 12 : 0);
  }
  if (hour > 23 || Number(minutes) > 59 || Number(seconds) > 59) return null;
  const milliseconds = fraction === "" ? 0 : Number(fraction.slice(0, 3).padEnd(3, "0"));
  const total = hour * 3_600 + Number(minutes) * 60 + Number(seconds) + milliseconds / 1_000;
  if (zone.trim() === "") return { seconds: total, offset: null, isUtc: false };
  const offset = readOffset(zone.trim());
  return offset === null ? null : { seconds: total, offset, isUtc: offset === 0 };
}

function readOffset(zone: string): number | null {
  const named = NAMED_OFFSETS[zone.toUpperCase()];
  if (named !== undefined) return named;
  const parts = OFFSET.exec(zone);
  if (!parts || Number(parts[2]) > 18 || Number(parts[3] ?? 0) > 59) return null;
  const size = Number(parts[2]) * 3_600 + Number(parts[3] ?? 0) * 60;
  return parts[1] === "-" ? -size : size;
}

/**
 * The moment that a cell names; `order` decides dates that could be read both ways. `null` if the text is none, or if
 * it can be read both ways and `order` is not known.
 */
export function readMoment(cell: string, order: DateOrder | null): CellMoment | null {
  const text = cell.trim().replace(WEEKDAY, "");
  const compact = COMPACT.exec(text);
  if (compact) {
    const date = midnight(compact[1]!, compact[2]!, compact[3]!);
    const clock = compact[4] === undefined ? 0 : readClock(`${compact[4]}${compact[5]}${compact[6] ?? ""}`)?.seconds;
    if (clock !== undefined && !Number.isNaN(date)) return { wall: date + clock, offset: null, isInstant: false };
  }
  const epoch = EPOCH.exec(text);
  if (epoch) return { wall: epochOf(epoch[1]!, epoch[2]), offset: 0, isInstant: true };
  const found = readDate(text, order);
  if (found === null || Number.isNaN(found.date)) return null;
  const rest = found.rest.replace(/^[T\s,]+/i, "");
  if (rest === "") return { wall: found.date, offset: null, isInstant: false };
  const clock = readClock(rest);
  return clock && { wall: found.date + clock.seconds, offset: clock.offset, isInstant: clock.isUtc };
}
