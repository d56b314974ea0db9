/** The facts behind the health of profiles, from small tables without reading bars. */

import { REASONS } from "../../domain/market/validate-bars.ts";
import { type HealthClock, type HealthFacts, healthOf, type SeriesFacts } from "../../domain/profiles/health.ts";
import type { Database } from "../db.ts";
import { DOUBTS_SQL } from "../market/quality/findings.ts";
import { openGapsSql } from "../market/quality/gaps.ts";

const FACTS = `SELECT s.id, s.symbol, s.provider, s.sessions, s.revised_at, s.suspect_at, ${openGapsSql()},
${openGapsSql("'outside'")},
(SELECT count(*) FROM findings f WHERE f.series_id = s.id AND f.kind IN (${DOUBTS_SQL}))
FROM json_each(?) ids CROSS JOIN series s ON s.id = ids.value`;

/** The facts of series by their ids. */
export async function readSeriesFacts(db: Database, ids: readonly number[]): Promise<Map<number, SeriesFacts>> {
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
  const history = { lastBar, incomplete: backfill.history_complete === false };
  const { symbol, provider, sessions, ...facts } = series;
  return { health: healthOf(history, series, clock), ...facts };
}

/** How many rows of a series are rejected because the source has them twice. */
export async function countDuplicates(db: Database, seriesId: number): Promise<number> {
  const query = "SELECT count(*) FROM rejected_bars WHERE series_id = ? AND reason IN (?, ?)";
  const [row] = await db.rows(query, [seriesId, REASONS.duplicate, REASONS.lowerVolume]);
  return Number(row![0]);
}
