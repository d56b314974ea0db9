/** Facts of series by month, and counts of faults by provider: from small tables, never from bars. */

import { areSessionsKnown } from "../../domain/market/exchanges/exchanges.ts";
import { CONFIRMED_AFTER, GAP_RULES } from "../../domain/market/holes.ts";
import { DAY, type Interval } from "../../domain/market/interval.ts";
import { type HealthClock, staleLimit } from "../../domain/profiles/health.ts";
import { type MonthFacts, monthOf, monthStart, type ProviderScore } from "../../domain/profiles/quality-map.ts";
import { uncovered } from "../../domain/runs/batch-plan.ts";
import { type Database, yieldToEvents } from "../db.ts";
import { DOUBTS_SQL } from "../market/quality/findings.ts";
import { MISSING_SQL, openGapsSql } from "../market/quality/gaps.ts";
import { answeredWindows } from "../runs/batches.ts";

const SERIES = `SELECT s.id, s.symbol, s.interval, s.provider, s.sessions, s.suspect_at, s.gap_rules
FROM json_each(?1) j CROSS JOIN series s ON s.id = j.value`;
const GAPS = `SELECT g.series_id, g.date, g.kind = 'outside' FROM json_each(?1) j
CROSS JOIN gaps g ON g.series_id = j.value AND g.date >= ?2 AND g.date < ?3 WHERE g.answers < ${CONFIRMED_AFTER}
UNION ALL SELECT f.series_id, f.date, 1 FROM json_each(?1) j
CROSS JOIN findings f ON f.series_id = j.value AND f.date >= ?2 AND f.date < ?3
WHERE f.kind IN (${DOUBTS_SQL})`;
const UNANSWERED = `SELECT b.series_id, b.from_ts, b.to_ts, b.left_out FROM json_each(?1) j
CROSS JOIN batches b ON b.series_id = j.value WHERE b.status IN ('failed', 'not_in_plan') AND b.to_ts > ?2 AND b.from_ts < ?3`;
// A month is looked up, not counted: a split revises every bar.
const REVISED = `SELECT j.value, m.value ->> 0 FROM json_each(?1) j CROSS JOIN json_each(?2) m
WHERE EXISTS (SELECT 1 FROM bar_revisions r WHERE r.series_id = j.value)
AND EXISTS (SELECT 1 FROM bar_revisions r WHERE r.series_id = j.value AND r.ts >= m.value ->> 1 AND r.ts < m.value ->> 2
AND r.kind <> 'rebuild')`;

/** The profile of a series. */
interface Shown {
  readonly seriesId: number;
  readonly firstBar: number;
  readonly lastBar: number;
}

/** The facts of the series of some profiles, by their ids, for `months` (ascending). */
export async function readMonthFacts(
  db: Database,
  profiles: readonly Shown[],
  months: readonly number[],
  clock: HealthClock,
): Promise<Map<number, MonthFacts>> {
  const ids = JSON.stringify(profiles.map(({ seriesId }) => seriesId));
  const [from, to] = [monthStart(months[0]!), monthStart(months.at(-1)! + 1)];
  const spans = months.map((month) => [month, monthStart(month), monthStart(month + 1)]);
  const [series, gaps, unanswered, revised] = await Promise.all([
    db.rows(SERIES, [ids]),
    db.rows(GAPS, [ids, from, to]),
    db.rows(UNANSWERED, [ids, from, to]),
    db.rows(REVISED, [ids, JSON.stringify(spans)]),
  ]);
  const facts = new Map<number, MonthFacts & Record<"holes" | "outside" | "notInPlan" | "revised", Set<number>>>();
  const byId = new Map(profiles.map((profile) => [profile.seriesId, profile]));
  for (const [id, symbol, interval, provider, sessions, suspectAt, gapRules] of series) {
    const key = { symbol: symbol as string, provider: provider as string, sessions: sessions as string };
    const { firstBar, lastBar } = byId.get(id as number)!;
    facts.set(id as number, {
      firstBar,
      lastBar,
      hasCalendar: areSessionsKnown(key, interval as Interval),
      isChecked: gapRules === GAP_RULES || interval === "1d",
      staleBefore: staleLimit(key, clock),
      suspectMonth:
        ((suspectAt as number | null) ?? 0) > clock.recentSince ? monthOf((suspectAt as number) / 1_000) : null,
      holes: new Set(),
      outside: new Set(),
      notInPlan: new Set(),
      revised: new Set(),
    });
  }
  for (const [id, date, isOutside] of gaps as number[][]) {
    facts.get(id!)?.[isOutside === 1 ? "outside" : "holes"].add(monthOf(date!));
  }
  for (const [id, month] of revised as number[][]) facts.get(id!)?.revised.add(month!);
  const add = (months: Set<number>, span: { from: number; to: number }) => {
    for (let month = monthOf(Math.max(from, span.from)); month <= monthOf(Math.min(to, span.to) - 1); month++)
      months.add(month);
  };
  const answered = new Map<number, Awaited<ReturnType<typeof answeredWindows>>>();
  for (const [id, start, end, leftOut] of unanswered as [number, number, number, string | null][]) {
    const known = facts.get(id);
    if (known === undefined) continue;
    if (leftOut !== null) {
      for (const [cutFrom, cutTo] of JSON.parse(leftOut) as [number, number][]) {
        if (cutTo > from && cutFrom < to) add(known.notInPlan, { from: cutFrom, to: cutTo });
      }
    } else {
      // Another window may have been answered since that covers it.
      const windows = answered.get(id) ?? (await answeredWindows(db, id));
      answered.set(id, windows);
      for (const span of uncovered({ from: start, to: end }, windows)) {
        if (span.to > from && span.from < to) add(known.holes, span);
      }
    }
  }
  return facts;
}

/** Series of which the scores are read by one statement: a few milliseconds. */
const SLICE = 250;
const NEXT = `SELECT s.id, s.symbol, s.provider, s.sessions,
${openGapsSql()},
(SELECT count(*) FROM gaps g WHERE g.series_id = s.id AND g.kind IN (${MISSING_SQL}) AND g.answers >= ${CONFIRMED_AFTER}),
(SELECT count(*) FROM bar_revisions r WHERE r.series_id = s.id AND r.kind <> 'rebuild'),
(SELECT count(*) FROM rejected_bars r WHERE r.series_id = s.id),
(SELECT max(p.last_bar) FROM profiles p WHERE p.symbol = s.symbol AND p.interval = s.interval AND p.series_id = s.id)
FROM series s WHERE s.id > ?1 AND +s.staging_for = 0 ORDER BY s.id LIMIT ${SLICE}`;

/** The scores of all providers by name, read in slices between which the thread is free. */
export async function readScores(db: Database, clock: HealthClock): Promise<ProviderScore[]> {
  const scores = new Map<string, { -readonly [Key in keyof ProviderScore]: ProviderScore[Key] }>();
  for (let last = 0; ; ) {
    const rows = await db.rows(NEXT, [last]);
    for (const [id, symbol, provider, sessions, ...counts] of rows) {
      last = id as number;
      const key = { symbol: symbol as string, provider: provider as string, sessions: sessions as string };
      const [holes, confirmed, revisions, refused, lastBar] = counts as [number, number, number, number, number | null];
      const none = { series: 0, holes: 0, confirmed: 0, revisions: 0, refused: 0, late: 0, lateDays: 0 };
      const score = scores.get(key.provider) ?? { provider: key.provider, ...none };
      scores.set(key.provider, score);
      const days = lastBar === null ? 0 : Math.max(0, Math.ceil((staleLimit(key, clock) - lastBar) / DAY));
      score.series += 1;
      score.holes += holes;
      score.confirmed += confirmed;
      score.revisions += revisions;
      score.refused += refused;
      score.late += days > 0 ? 1 : 0;
      score.lateDays += days;
    }
    if (rows.length < SLICE) break;
    await yieldToEvents();
  }
  return [...scores.values()].sort((a, b) => (a.provider < b.provider ? -1 : 1));
}
