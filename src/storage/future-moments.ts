/**
 * Stored moments that lie in the future, because the clock was set back since: each would make something wait for a time
 * that is long in coming. Mails and schedules are checked by their own loops.
 */

import { SESSION_MS } from "./access/sessions.ts";
import type { Database } from "./db.ts";

/** Differences of clocks that are no reason to change anything, milliseconds. */
const TOLERANCE_MS = 60_000;
/** The longest hold that a vendor can mean, seconds. */
const LONGEST_HOLD_S = 31 * 86_400;

interface Moment {
  /** What was found, after its number. */
  readonly what: string;
  /** Which rows; `?1` is the latest plausible moment, `?2` now, both in epoch milliseconds. */
  readonly table: string;
  readonly where: string;
  /** How they are put right: an assignment, or `null` to delete them. */
  readonly set: string | null;
  /** A statement that comes first in the same transaction. */
  readonly first?: string;
}

/** They were sent at an unknown time before now: counted in the first minute of today, the day is not below what was sent. */
const USAGE_OF_TODAY = `INSERT INTO api_usage (provider, minute, requests, units)
  SELECT provider, CAST(?2 AS INTEGER) / 86400000 * 86400, sum(requests), sum(units)
    FROM api_usage WHERE minute * 1000 > ?1 GROUP BY provider
  ON CONFLICT (provider, minute) DO UPDATE SET requests = requests + excluded.requests, units = units + excluded.units`;

const MOMENTS: readonly Moment[] = [
  {
    what: "login sessions that were last used in the future: used now",
    table: "sessions",
    where: "max(last_used_at, created_at) > ?1",
    set: "last_used_at = min(last_used_at, ?2), created_at = min(created_at, ?2)",
  },
  {
    what: "login sessions that would have lasted too long: shortened",
    table: "sessions",
    where: `expires_at > ?1 + ${SESSION_MS}`,
    set: `expires_at = ?2 + ${SESSION_MS}`,
  },
  {
    what: "API tokens that were last used in the future: used now",
    table: "tokens",
    where: "last_used_at > ?1",
    set: "last_used_at = ?2",
  },
  {
    what: "limits of a plan that were seen in the future: requested again",
    table: "plan_facts",
    where: "seen_at > ?1",
    set: null,
  },
  {
    what: "lists of companies that were fetched in the future: fetched again when needed",
    table: "company_lists",
    where: "fetched_at > ?1",
    set: "fetched_at = 0",
  },
  {
    what: "series that were revised, or had an implausible answer, in the future: now",
    table: "series",
    where: "max(coalesce(revised_at, 0), coalesce(suspect_at, 0)) > ?1",
    set: "revised_at = min(revised_at, ?2), suspect_at = min(suspect_at, ?2)",
  },
  {
    what: "series whose old bars were deleted in the future: now",
    table: "series",
    where: "pruned_at > ?1 AND is_pruning = 0",
    set: "pruned_at = ?2",
  },
  {
    what: "channels that would have got only what happens in the future: what happens from now on",
    table: "channels",
    where: "since > ?1",
    set: "since = ?2",
  },
  {
    what: "minutes of requests that were counted in the future: counted today",
    table: "api_usage",
    where: "minute * 1000 > ?1",
    set: null,
    first: USAGE_OF_TODAY,
  },
  {
    what: "pauses of providers that end too far in the future: ended",
    table: "quotas",
    where: `period = 'hold' AND started_at * 1000 > ?1 + ${LONGEST_HOLD_S * 1000}`,
    set: null,
  },
];

/**
 * Puts moments right that lie in the future of `now` (epoch milliseconds).
 * @returns what was found, a line each
 */
export async function correctFutureMoments(db: Database, now: number): Promise<string[]> {
  const args = [now + TOLERANCE_MS, now];
  // One request to a remote server, since every start waits for it.
  const counts = MOMENTS.map(({ table, where }) => `(SELECT count(*) FROM ${table} WHERE ${where})`);
  const [row] = await db.rows(`SELECT ${counts.join(", ")}, ?2`, args);
  const lines: string[] = [];
  for (const [at, { what, table, where, set, first }] of MOMENTS.entries()) {
    const found = Number(row![at]);
    if (found === 0) continue;
    const change = set === null ? `DELETE FROM ${table}` : `UPDATE ${table} SET ${set}`;
    await db.write([
      ...(first === undefined ? [] : [{ sql: first, args }]),
      { sql: `${change} WHERE (${where}) AND ?2 > 0`, args },
    ]);
    lines.push(`The clock was set back: ${found} ${what}`);
  }
  return lines;
}
