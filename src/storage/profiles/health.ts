/** The facts behind the health of profiles, from small tables without reading bars. */

import type { SeriesVenue } from "../../domain/market/exchanges/exchanges.ts";
import { CONFIRMED_AFTER } from "../../domain/market/holes.ts";
import { REASONS } from "../../domain/market/validate-bars.ts";
import {
  type HealthClock,
  type HealthFacts,
  healthOf,
  NO_FAULTS,
  type SeriesFacts,
} from "../../domain/profiles/health.ts";
import { type Database, yieldToEvents } from "../db.ts";
import { DOUBTS_SQL } from "../market/quality/findings.ts";
import { MISSING_SQL, openGapsSql } from "../market/quality/gaps.ts";

const FACTS = `SELECT s.id, s.symbol, s.provider, s.sessions, s.revised_at, s.suspect_at, ${openGapsSql()},
${openGapsSql("'outside'")},
(SELECT count(*) FROM findings f WHERE f.series_id = s.id AND f.kind IN (${DOUBTS_SQL}))
FROM json_each(?) ids CROSS JOIN series s ON s.id = ids.value`;

/** The facts of series by their ids. */
export async function readSeriesFacts(
  db: Database,
  ids: readonly number[],
): Promise<Map<number, SeriesFacts & SeriesVenue>> {
  const rows = await db.rows(FACTS, [JSON.stringify(ids)]);
  return new Map(
    rows.map(([id, symbol, provider, sessions, revisedAt, suspectAt, gaps, outside, doubts]) => [
      id as number,
      {
        symbol: symbol as string,
        provider: provider as string,
        sessions: sessions as string,
        revisedAt: revisedAt as number | null,
        suspectAt: suspectAt as number | null,
        gaps: gaps as number,
        outside: outside as number,
        doubts: doubts as number,
      },
    ]),
  );
}

const OPEN_GAPS = `answers < ${CONFIRMED_AFTER}`;
/** Each kind of fault of the series with ?1 < id <= ?2. Tables are read in their order: most series have no faults. */
const FAULTS = `SELECT id, revised_at, suspect_at, 0, 0, 0 FROM series
WHERE id > ?1 AND id <= ?2 AND (revised_at IS NOT NULL OR suspect_at IS NOT NULL)
UNION ALL SELECT series_id, NULL, NULL, sum(kind IN (${MISSING_SQL})), sum(kind = 'outside'), 0 FROM gaps
WHERE series_id > ?1 AND series_id <= ?2 AND ${OPEN_GAPS} GROUP BY series_id
UNION ALL SELECT series_id, NULL, NULL, 0, 0, count(*) FROM findings
WHERE series_id > ?1 AND series_id <= ?2 AND kind IN (${DOUBTS_SQL}) GROUP BY series_id`;

/** Series looked at by the first statement and at most, and how long one of them may take (milliseconds). */
const [FIRST_SLICE, MAX_SLICE, SLICE_MS] = [250, 4_000, 4];

/** The facts of all series that are not `NO_FAULTS`, by their ids, read in slices between which the thread is free. */
export async function* readFaults(db: Database): AsyncGenerator<Map<number, SeriesFacts>> {
  const [newest] = await db.rows("SELECT coalesce(max(id), 0) FROM series", []);
  const end = newest![0] as number;
  for (let from = 0, slice = FIRST_SLICE; from < end; ) {
    if (from > 0) await yieldToEvents();
    const start = performance.now();
    const faults = new Map<number, SeriesFacts>();
    const rows = await db.rows(FAULTS, [from, from + slice]);
    from += slice;
    // Series of minutes may have hundreds of gaps, most of days have none. A server's answer does not hold the thread.
    const isLong = db.local && performance.now() - start > SLICE_MS;
    slice = isLong ? Math.max(1, slice >> 1) : Math.min(MAX_SLICE, 2 * slice);
    for (const [id, revisedAt, suspectAt, gaps, outside, doubts] of rows as [number, ...(number | null)[]][]) {
      const known = faults.get(id) ?? NO_FAULTS;
      faults.set(id, {
        revisedAt: known.revisedAt ?? revisedAt!,
        suspectAt: known.suspectAt ?? suspectAt!,
        gaps: known.gaps + gaps!,
        outside: known.outside + outside!,
        doubts: known.doubts + doubts!,
      });
    }
    yield faults;
  }
}

/** A profile whose health is requested. */
interface Examined {
  readonly seriesId: number;
  readonly lastBar: number;
  readonly backfill: { readonly history_complete: boolean };
}

/** @throws Error when the profile's series is not in the database */
export async function findHealth(
  db: Database,
  { seriesId, lastBar, backfill }: Examined,
  clock: HealthClock,
): Promise<Omit<HealthFacts, "duplicates">> {
  const series = (await readSeriesFacts(db, [seriesId])).get(seriesId);
  if (series === undefined) throw new Error(`series ${seriesId} is not in the database`);
  const { symbol, provider, sessions, ...facts } = series;
  const history = { symbol, provider, sessions, lastBar, incomplete: backfill.history_complete === false };
  return { health: healthOf(history, facts, clock), ...facts };
}

/** How many rows of a series are rejected because the source has them twice. */
export async function countDuplicates(db: Database, seriesId: number): Promise<number> {
  const query = "SELECT count(*) FROM rejected_bars WHERE series_id = ? AND reason IN (?, ?)";
  const [row] = await db.rows(query, [seriesId, REASONS.duplicate, REASONS.lowerVolume]);
  return Number(row![0]);
}
