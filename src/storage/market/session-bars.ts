/** The bars of sessions as the check for gaps needs them: how many there are and where they lie, never their prices. */

import type { Session } from "../../domain/market/calendar.ts";
import { type Database, yieldToEvents } from "../db.ts";
import { barsIdOf } from "./bars.ts";

/** Sessions counted by one statement, and sessions whose bars are read by one: each takes some milliseconds. */
const COUNTED = 250;
const READ = 50;

/** The bars of a session; `first` and `last` are the starts of its outermost bars, epoch seconds. */
export interface DayCount {
  readonly date: number;
  readonly rows: number;
  readonly first: number;
  readonly last: number;
}

/** The starts of the first and the last stored bar of a series, epoch seconds; `null` if it has none. */
export async function barRange(
  db: Database,
  seriesId: number,
): Promise<{ firstBar: number | null; lastBar: number | null }> {
  const range =
    "SELECT (SELECT min(ts) FROM bars WHERE series_id = ?1), (SELECT max(ts) FROM bars WHERE series_id = ?1)";
  const [row] = await db.rows(range, [await barsIdOf(db, seriesId)]);
  const [firstBar, lastBar] = row as [number | null, number | null];
  return { firstBar, lastBar };
}

/** The starts of the first and of the last `count` bars of a series, epoch seconds, ascending. */
export async function outermostStarts(db: Database, seriesId: number, count: number): Promise<number[]> {
  const ends = `SELECT ts FROM (SELECT ts FROM bars WHERE series_id = ?1 ORDER BY ts LIMIT ?2) UNION
SELECT ts FROM (SELECT ts FROM bars WHERE series_id = ?1 ORDER BY ts DESC LIMIT ?2) ORDER BY ts`;
  const rows = await db.rows(ends, [await barsIdOf(db, seriesId), count]);
  return rows.map(([ts]) => ts as number);
}

const STARTS = "SELECT group_concat(ts) FROM (SELECT ts FROM bars WHERE series_id = ?1 AND ts >= ?2 ORDER BY ts)";

/** The days (UTC) with bars from `from` (epoch seconds) on, ascending: one scan of the primary key. */
export async function dayCounts(db: Database, seriesId: number, from: number): Promise<DayCount[]> {
  // One text: groups are sorted once more by SQLite, and each is a row to transfer.
  const [row] = await db.rows(STARTS, [await barsIdOf(db, seriesId), from]);
  const starts: number[] = JSON.parse(`[${row?.[0] ?? ""}]`);
  const days: { date: number; rows: number; first: number; last: number }[] = [];
  for (const ts of starts) {
    const date = Math.floor(ts / 86_400) * 86_400;
    const day = days.at(-1);
    if (day?.date === date) {
      day.rows += 1;
      day.last = ts;
    } else days.push({ date, rows: 1, first: ts, last: ts });
  }
  return days;
}

// A count over a range of the key is by far the cheapest way to pass over bars: a quarter of a GROUP BY.
const COUNT = `WITH s AS MATERIALIZED (SELECT key, value ->> 0 AS a, value ->> 1 AS o, value ->> 2 AS c,
value ->> 3 AS l, value ->> 4 AS m FROM json_each(?2))
SELECT (SELECT count(*) FROM bars WHERE series_id = ?1 AND ts >= o AND ts < c),
(SELECT ts FROM bars WHERE series_id = ?1 AND ts >= o AND ts < c ORDER BY ts LIMIT 1),
(SELECT ts FROM bars WHERE series_id = ?1 AND ts >= o AND ts < c ORDER BY ts DESC LIMIT 1),
(SELECT count(*) FROM bars WHERE series_id = ?1 AND ts >= a AND ts < o),
(SELECT count(*) FROM bars WHERE series_id = ?1 AND ts >= l AND ts < m) FROM s ORDER BY key`;

/** What is stored of sessions. */
export interface SessionCounts {
  /** The sessions with bars, ascending. */
  readonly days: DayCount[];
  /** How many bars lie outside the hours, by the day: the session's date, or the UTC day between two sessions. */
  readonly outside: Map<number, number>;
}

/** Counts the bars of `sessions` (ascending) and those between them; `from` (epoch seconds) is where to begin. */
export async function countSessions(
  db: Database,
  seriesId: number,
  sessions: readonly Session[],
  from: number,
): Promise<SessionCounts> {
  const barsId = await barsIdOf(db, seriesId);
  const days: DayCount[] = [];
  const outside = new Map<number, number>();
  const addOutside = (date: number, rows: number) => rows > 0 && outside.set(date, (outside.get(date) ?? 0) + rows);
  let reached = from;
  for (let start = 0; start < sessions.length; start += COUNTED) {
    if (start > 0) await yieldToEvents();
    const part = sessions.slice(start, start + COUNTED);
    const hours = part.map(({ open, close, lunch }) => {
      const before = Math.min(reached, open);
      reached = close;
      return [before, open, close, lunch?.from ?? 0, lunch?.to ?? 0];
    });
    const rows = await db.rows(COUNT, [barsId, JSON.stringify(hours)]);
    for (const [at, row] of rows.entries()) {
      const [inside, first, last, before, atLunch] = row as number[];
      const { date } = part[at]!;
      if (inside! > 0) days.push({ date, rows: inside! - atLunch!, first: first!, last: last! });
      addOutside(date, atLunch!);
      if (before! > 0) for (const [day, count] of await daysBetween(db, barsId, hours[at]!)) addOutside(day, count);
    }
  }
  const last = sessions.at(-1);
  if (last !== undefined) {
    const end = Math.max(last.close, last.date + 86_400);
    for (const [day, count] of await daysBetween(db, barsId, [last.close, end])) addOutside(day, count);
  }
  return { days, outside };
}

async function daysBetween(db: Database, barsId: number, [from, to]: readonly number[]): Promise<[number, number][]> {
  const query = `SELECT ts / 86400 * 86400, count(*) FROM bars WHERE series_id = ?1 AND ts >= ?2 AND ts < ?3
GROUP BY ts / 86400`;
  return (await db.rows(query, [barsId, from!, to!])) as unknown as [number, number][];
}

// One text a session: a row for each bar takes three times as long to transfer.
const MINUTES = `WITH s AS MATERIALIZED (SELECT key, value ->> 0 AS o, value ->> 1 AS c FROM json_each(?2))
SELECT (SELECT group_concat((ts - o) / 60) FROM bars WHERE series_id = ?1 AND ts >= o AND ts < c) FROM s ORDER BY key`;

/** The starts of the bars of `sessions` in whole minutes after the open, ascending; by date. */
export async function readMinutes(
  db: Database,
  seriesId: number,
  sessions: readonly Session[],
): Promise<Map<number, readonly number[]>> {
  const barsId = await barsIdOf(db, seriesId);
  const minutes = new Map<number, readonly number[]>();
  for (let start = 0; start < sessions.length; start += READ) {
    if (start > 0) await yieldToEvents();
    const part = sessions.slice(start, start + READ);
    const hours = JSON.stringify(part.map(({ open, close }) => [open, close]));
    const rows = await db.rows(MINUTES, [barsId, hours]);
    for (const [at, [text]] of rows.entries()) minutes.set(part[at]!.date, JSON.parse(`[${text ?? ""}]`));
  }
  return minutes;
}
