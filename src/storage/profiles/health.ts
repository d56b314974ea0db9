/** The health of profiles, computed from small tables without reading bars. */

import { eq, type SQL, sql } from "drizzle-orm";
import { REASONS } from "../../domain/market/validate-bars.ts";
import { HEALTHS, type Health, type HealthClock, type HealthFacts } from "../../domain/profiles/health.ts";
import type { Database } from "../db.ts";
import { CONFIRMED_AFTER } from "../market/gaps.ts";
import { gaps, rejectedBars, series } from "../schema/market.ts";
import { profiles } from "../schema/profiles.ts";

const rank = (health: Health) => sql.raw(String(HEALTHS.indexOf(health)));

const openGaps = (...kinds: readonly string[]) =>
  sql`(select count(*) from ${gaps} where ${gaps.seriesId} = ${series.id} and ${gaps.answers} < ${CONFIRMED_AFTER}
and ${gaps.kind} in (${sql.raw(kinds.map((kind) => `'${kind}'`).join(", "))}))`;

/** SQL for the index of a profile's health in `HEALTHS`, for queries that join profiles with their series. */
export const healthRank = ({ newsSince, staleBefore }: HealthClock): SQL<number> => sql`case
when coalesce(${series.suspectAt}, 0) > ${newsSince} or ${openGaps("outside")} > 0 then ${rank("suspicious")}
when ${openGaps("missing", "truncated")} > 0 or json_extract(${profiles.backfill}, '$.history_complete') = 0
then ${rank("gaps")}
when ${profiles.lastBar} < case ${series.sessions} when 'continuous' then ${staleBefore.crypto}
else ${staleBefore.us_equity} end then ${rank("stale")}
when coalesce(${series.revisedAt}, 0) > ${newsSince} then ${rank("revised")} else ${rank("ok")} end`;

/** @throws Error when the series has no profile */
export async function findHealth(db: Database, seriesId: number, clock: HealthClock): Promise<HealthFacts> {
  const [row] = await db.orm
    .select({
      rank: healthRank(clock),
      gaps: sql<number>`${openGaps("missing", "truncated")}`,
      outside: sql<number>`${openGaps("outside")}`,
      duplicates: sql<number>`(select count(*) from ${rejectedBars} where ${rejectedBars.seriesId} = ${series.id}
and ${rejectedBars.reason} in (${REASONS.twice}, ${REASONS.rival}))`,
      revisedAt: series.revisedAt,
      suspectAt: series.suspectAt,
    })
    .from(profiles)
    .innerJoin(series, eq(series.id, profiles.seriesId))
    .where(eq(profiles.seriesId, seriesId));
  if (row === undefined) throw new Error(`series ${seriesId} has no profile`);
  const { rank: place, ...facts } = row;
  return { health: HEALTHS[place] ?? "ok", ...facts };
}
