/** Parses the usual line of a CSV file straight from its bytes; whatever is unusual is left to a slower reader. */

import { DAY } from "../../domain/market/interval.ts";
import { epochSeconds } from "../timestamp.ts";

const ZERO = 48;
const NINE = 57;
const MINUS = 45;
const PLUS = 43;
const DOT = 46;
const COLON = 58;
const SPACE = 32;
const UPPER_T = 84;
const UPPER_Z = 90;

/** Up to here every integer, and every quotient by a power of ten up to 10^22, is the correctly rounded double. */
const MAX_DIGITS = 15;
const POWERS = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);

/** Number of the day in the proleptic Gregorian calendar, 1970-01-01 being 0 (H. Hinnant, "days from civil"). */
function dayOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
const isLeap = (year: number) => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

function isDate(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  return day <= MONTH_DAYS[month - 1]! || (month === 2 && day === 29 && isLeap(year));
}

/** The integer in `bytes` from `start` to before `end`, or -1 if there is anything but digits. */
function digits(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte < ZERO || byte > NINE) return -1;
    value = value * 10 + byte - ZERO;
  }
  return value;
}

/** A decimal number without an exponent, exactly as `Number` reads it; NaN for any other text. */
export function parseDecimal(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  const sign = bytes[at] === MINUS ? -1 : 1;
  if (bytes[at] === MINUS || bytes[at] === PLUS) at++;
  const first = at;
  let value = 0;
  let point = -1;
  for (; at < end; at++) {
    const byte = bytes[at]!;
    if (byte >= ZERO && byte <= NINE) value = value * 10 + byte - ZERO;
    else if (byte === DOT && point < 0) point = at;
    else return Number.NaN;
  }
  const count = end - first - (point < 0 ? 0 : 1);
  if (count < 1 || count > MAX_DIGITS) return Number.NaN;
  return point < 0 ? sign * value : (sign * value) / POWERS[end - point - 1]!;
}

/**
 * Epoch seconds of `YYYY-MM-DD`, `YYYYMMDD`, `YYYY-MM-DD HH:MM[:SS][Z]` (also with `T`), or epoch seconds or
 * milliseconds of 10 and 13 digits; NaN for any other text, which need not be wrong.
 */
export function parseMoment(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length === 13 || (length === 10 && bytes[start + 4] !== MINUS)) {
    const epoch = digits(bytes, start, end);
    return epoch < 0 ? Number.NaN : epochSeconds(epoch);
  }
  const gap = length === 8 ? 0 : 1;
  if (length < 8 || (gap === 1 && (length < 10 || bytes[start + 4] !== MINUS || bytes[start + 7] !== MINUS)))
    return Number.NaN;
  const year = digits(bytes, start, start + 4);
  const month = digits(bytes, start + 4 + gap, start + 6 + gap);
  const day = digits(bytes, start + 6 + 2 * gap, start + 8 + 2 * gap);
  if (year < 0 || !isDate(year, month, day)) return Number.NaN;
  const date = dayOf(year, month, day) * DAY;
  return length <= 10 ? date : date + secondOfDay(bytes, start + 10, bytes[end - 1] === UPPER_Z ? end - 1 : end);
}

/** Seconds in ` HH:MM` or ` HH:MM:SS`, NaN for any other text. */
function secondOfDay(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const separator = bytes[start];
  if ((separator !== SPACE && separator !== UPPER_T) || (length !== 6 && length !== 9)) return Number.NaN;
  const hour = digits(bytes, start + 1, start + 3);
  const minute = digits(bytes, start + 4, start + 6);
  const second = length === 9 ? digits(bytes, start + 7, start + 9) : 0;
  if (bytes[start + 3] !== COLON || (length === 9 && bytes[start + 6] !== COLON)) return Number.NaN;
  const isTime = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60;
  return isTime ? hour * 3_600 + minute * 60 + second : Number.NaN;
}

export class RowParser {
  /** For each column the place of its value in a row, or -1. */
  readonly #places: Int8Array;

  /**
   * @param delimiter the byte between two columns
   * @param columns the column of each value; the first one is a moment, the others are decimals
   * @param width the columns of a usual line, or 0 if it may have any number
   */
  constructor(
    private readonly delimiter: number,
    private readonly columns: readonly number[],
    private readonly width = 0,
  ) {
    this.#places = new Int8Array(Math.max(...columns) + 1).fill(-1);
    for (const [place, column] of columns.entries()) this.#places[column] = place;
  }

  /** Reads the line in `bytes` from `start` to before `end` into `row`; false if it is not a usual one. */
  parse(bytes: Uint8Array, start: number, end: number, row: Float64Array): boolean {
    let read = 0;
    let column = 0;
    let at = start;
    for (; at <= end && column < this.#places.length; column++) {
      let stop = at;
      while (stop < end && bytes[stop] !== this.delimiter) stop++;
      const place = this.#places[column]!;
      if (place >= 0) {
        const value = place === 0 ? parseMoment(bytes, at, stop) : parseDecimal(bytes, at, stop);
        if (Number.isNaN(value)) return false;
        row[place] = value;
        read++;
      }
      at = stop + 1;
    }
    if (this.width > 0 && at <= end) {
      column++;
      for (; at < end; at++) if (bytes[at] === this.delimiter) column++;
    }
    return read === this.columns.length && (this.width === 0 || column <= this.width);
  }
}
