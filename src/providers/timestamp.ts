/** Parses timestamps in the formats that users and vendors write. */

import { parseIsoDate, parseIsoMoment } from "../domain/time.ts";

const COMPACT_DATE = /^(\d{4})(\d{2})(\d{2})$/;
const EPOCH = /^-?\d{9,13}(?:\.\d+)?$/;
/** A larger number is in milliseconds: as seconds it would lie after the year 5000. */
const LARGEST_SECONDS = 1e11;

/** Epoch seconds of a number that is in seconds or milliseconds. */
export const epochSeconds = (value: number): number => (Math.abs(value) > LARGEST_SECONDS ? value / 1000 : value);

/**
 * Epoch seconds of a date (`YYYY-MM-DD`, `YYYYMMDD`), an ISO date-time (UTC without an offset) or an epoch number in
 * seconds or milliseconds; NaN for any other text.
 */
export function parseTimestamp(text: string): number {
  const compact = COMPACT_DATE.exec(text);
  if (compact) return parseIsoDate(`${compact[1]}-${compact[2]}-${compact[3]}`);
  return EPOCH.test(text) ? epochSeconds(Number(text)) : parseIsoMoment(text);
}
