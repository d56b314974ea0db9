/** Which stored series are meant: those that were named, or those that match a filter. */

import { ACTIVE_STATES } from "../../domain/runs/states.ts";
import type { SeriesSelection } from "../../domain/series/selection.ts";
import type { Statement } from "../db.ts";

/** SQL that holds for the series `s` that are selected; parameters are anonymous. */
export function selectedSql(selection: SeriesSelection): Statement {
  if ("ids" in selection) {
    return {
      sql: "+s.staging_for = 0 AND s.id IN (SELECT value FROM json_each(?))",
      args: [JSON.stringify(selection.ids)],
    };
  }
  const { q = "", interval, provider, profile } = selection.filter;
  const parts: Statement[] = [
    { sql: "+s.staging_for = 0", args: [] },
    ...(q === "" ? [] : [{ sql: "instr(s.symbol, ?) > 0", args: [q.toUpperCase()] }]),
    ...(interval === undefined ? [] : [{ sql: "s.interval = ?", args: [interval] }]),
    ...(provider === undefined ? [] : [{ sql: "s.provider = ?", args: [provider] }]),
    ...(profile === undefined ? [] : [{ sql: `${profile === "with" ? "" : "NOT "}${HAS_PROFILE}`, args: [] }]),
  ];
  return { sql: parts.map(({ sql }) => sql).join(" AND "), args: parts.flatMap(({ args }) => args) };
}

const HAS_PROFILE = "EXISTS (SELECT 1 FROM profiles p WHERE p.series_id = s.id)";

/** SQL for those of the selected series that have bars before a moment (epoch seconds). */
export function withBarsBefore(selection: SeriesSelection, before: number): Statement {
  const { sql, args } = selectedSql(selection);
  const hasBars = "EXISTS (SELECT 1 FROM bars b WHERE b.series_id = coalesce(s.bars_id, s.id) AND b.ts < ?)";
  return { sql: `${sql} AND ${hasBars}`, args: [...args, before] };
}

/** SQL for whether a job of the series `s` waits, runs or is paused. */
export const IS_BUSY = `EXISTS (SELECT 1 FROM jobs j WHERE j.symbol = s.symbol AND j.interval = s.interval
AND j.state IN (${ACTIVE_STATES.map((state) => `'${state}'`).join(", ")}))`;
