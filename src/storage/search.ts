/** Prefix search for the command palette, by range scans of indexes: profiles, and symbols in the newest runs. */

import type { Interval } from "../domain/market/interval.ts";
import type { Database } from "./db.ts";
import type { RunRow } from "./runs/runs.ts";

/** Sorts after every symbol that starts with the letters before it. */
const END = "\u{10ffff}";

/** Profiles whose symbol starts with `prefix` or is one of `symbols`, sorted. */
export async function profilesOf(
  db: Database,
  prefix: string,
  symbols: readonly string[],
  limit: number,
): Promise<{ symbol: string; interval: Interval }[]> {
  const rows = await db.rows(
    `select symbol, interval from profiles
      where (symbol >= ? and symbol < ?) or symbol in (select value from json_each(?)) order by symbol, interval limit ?`,
    [prefix, prefix + END, JSON.stringify(symbols), limit],
  );
  return rows.map(([symbol, interval]) => ({ symbol: symbol as string, interval: interval as Interval }));
}

/** The symbols that start with `prefix` in any of `runs`, in the order of the runs. */
export async function findRunSymbols(
  db: Database,
  runs: readonly RunRow[],
  prefix: string,
  limit: number,
): Promise<{ runId: string; symbol: string }[]> {
  const rows = await db.rows(
    `select r.value, j.symbol from json_each(?) r join jobs j on j.run_id = r.value
      where j.symbol >= ? and j.symbol < ? order by r.key, j.symbol limit ?`,
    [JSON.stringify(runs.map(({ id }) => id)), prefix, prefix + END, limit],
  );
  return rows.map(([runId, symbol]) => ({ runId: runId as string, symbol: symbol as string }));
}
