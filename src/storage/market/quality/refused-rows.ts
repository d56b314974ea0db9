/** Rows of a source that were refused, by the time they name. */

import { parseIsoMoment } from "../../../domain/time.ts";
import type { Database } from "../../db.ts";

/** Rows of a provider are named by their time, rows of a file by its line. */
const DATED = "place GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*'";
const BY_TIME = `SELECT place, reason, raw FROM rejected_bars
WHERE series_id = ?1 AND place >= ?2 AND place < ?3 AND ${DATED} ORDER BY place LIMIT ?4`;
const BY_LINE = `SELECT place, reason, raw FROM rejected_bars WHERE series_id = ?1 AND NOT ${DATED} LIMIT ?2`;

/** The first time in a row: `2024-01-31`, with or without a time of day. */
const TIME = /\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?/;

export interface RefusedRow {
  /** Epoch seconds. */
  readonly ts: number;
  readonly reason: string;
}

/**
 * The refused rows whose time is in a range (epoch seconds, half open), at most about `limit`; those whose time cannot be
 * read are left out.
 */
export async function refusedRows(
  db: Database,
  seriesId: number,
  { from, to }: { readonly from: number; readonly to: number },
  limit: number,
): Promise<{ readonly rows: readonly RefusedRow[]; readonly more: boolean }> {
  const iso = (ts: number) => new Date(ts * 1_000).toISOString();
  const [byTime, byLine] = await Promise.all([
    db.rows(BY_TIME, [seriesId, iso(from), iso(to), limit]),
    db.rows(BY_LINE, [seriesId, limit]),
  ]);
  // A place that is no time may begin with the days of the request: the row says its own time, or none.
  const timed = [
    ...byTime.map(([place, reason]) => [place, reason]),
    ...byLine.map(([, reason, raw]) => [raw, reason]),
  ];
  const rows = timed.flatMap(([source, reason]) => {
    const text = TIME.exec(String(source))?.[0];
    const ts = text === undefined ? Number.NaN : parseIsoMoment(text.replace(" ", "T"));
    return ts >= from && ts < to ? [{ ts, reason: String(reason) }] : [];
  });
  return { rows: rows.sort((a, b) => a.ts - b.ts), more: byTime.length >= limit || byLine.length >= limit };
}
