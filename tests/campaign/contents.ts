/** What the crash test and the campaign share: what a database must hold in the end, however often it was disturbed. */

import type { Database } from "../../src/storage/db.ts";
import type { ServerProcess } from "../helpers/server.ts";
import { readEvents } from "../helpers/sse.ts";

export const unfinishedJobs = async (db: Database): Promise<number> =>
  Number((await db.rows("SELECT count(*) FROM jobs WHERE state IN ('queued', 'running', 'paused')", []))[0]![0]);

/** Everything of a run, or of all, that must not depend on how often the server was killed. */
export async function contents(db: Database, run?: string) {
  const args = run === undefined ? [] : [run];
  const ofSymbol = "JOIN series s ON s.id = series_id";
  const symbols = run === undefined ? "" : "WHERE s.symbol IN (SELECT symbol FROM jobs WHERE run_id = ?1)";
  return {
    bars: await db.rows(
      `SELECT s.symbol, ts, open, high, low, close, volume FROM series s JOIN bars ON s.id = series_id ${symbols}
       ORDER BY s.symbol, ts`,
      args,
    ),
    ledger: await db.rows(
      `SELECT s.symbol, from_ts, to_ts, run_id, status, rows, rejected, first_ts, last_ts, attempts, error
       FROM batches ${ofSymbol} ${symbols} ORDER BY s.symbol, from_ts`,
      args,
    ),
    profiles: await db.rows(
      `SELECT s.symbol, s.interval, s.provider, first_bar, last_bar, last_close, feature_values, catalog_version,
         json_remove(backfill, '$.fetch_duration_seconds', '$.api_calls_used'), f.state
       FROM profiles s JOIN feature_states f ON f.symbol = s.symbol AND f.interval = s.interval ${symbols}
       ORDER BY s.symbol`,
      args,
    ),
    jobs: await db.rows(
      `SELECT run_id, symbol, state, status, progress, data_points, deaths, error FROM jobs
       ${run === undefined ? "" : "WHERE run_id = ?1"} ORDER BY symbol`,
      args,
    ),
    apiCalls: await db.rows(
      `SELECT symbol, api_calls FROM jobs ${run === undefined ? "" : "WHERE run_id = ?1"} ORDER BY symbol`,
      args,
    ),
    runs: await db.rows(`SELECT id, state FROM runs ${run === undefined ? "" : "WHERE id = ?1"} ORDER BY id`, args),
  };
}

/** Lets the server work to the end of these runs, and stops it; its exit code. */
export async function finishRuns(server: ServerProcess, runs: readonly string[]): Promise<number> {
  const client = await server.listening;
  const open = new Set(runs);
  {
    await using events = await readEvents(`${client.url}/api/events`);
    for (const id of open) {
      const { body } = await client.get(`/api/runs/${id}`);
      if (body.run.status !== "running") open.delete(id);
    }
    while (open.size > 0) {
      const { event, data } = await events.next();
      if (event === "run" && data.status !== "running") open.delete(data.id);
    }
  }
  return server.stop();
}

/** Small, known generator (mulberry32), so that a failure can be repeated from the seed it prints. */
export function randomFrom(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
