/** How SQLite reads what pages ask for, in a database that has no statistics yet. */

import { expect, spyOn, test } from "bun:test";
import { StatementCache } from "../../../src/storage/connection/file/statement-cache.ts";
import { type Database, openDatabase } from "../../../src/storage/db.ts";
import { keysOfSeries, lakeSeries } from "../../../src/storage/market/lake-changes.ts";
import { findingsOfRun } from "../../../src/storage/market/quality/findings.ts";
import {
  beginningsOf,
  countDerivable,
  findSeries,
  providersOf,
  seriesAt,
  seriesWithBars,
  storedSeries,
  unjudgedSeries,
} from "../../../src/storage/market/series.ts";
import { cutsOfRun, windowsOfSymbols } from "../../../src/storage/runs/batches.ts";
import { busySymbols, openRuns } from "../../../src/storage/runs/runs.ts";
import { migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";

const run = { id: "r", provider: "demo", interval: "1d" } as const;

/** Everything that looks for the series of symbols. */
const READS: readonly ((db: Database) => Promise<unknown>)[] = [
  (db) => findSeries(db, "A", "1d"),
  (db) => findSeries(db, "A", "1d", "demo"),
  (db) => beginningsOf(db, { provider: "demo", interval: "1d", symbols: ["A"] }),
  (db) => storedSeries(db, ["A"], "1d", "demo"),
  (db) => providersOf(db, "A", "1d"),
  (db) => seriesWithBars(db, ["A"]),
  (db) => seriesAt(db, ["A"], 1),
  (db) => countDerivable(db, ["A"], "1h", "demo"),
  (db) => unjudgedSeries(db),
  (db) => lakeSeries(db, ["A", "demo", "1d"]),
  (db) => keysOfSeries(db),
  (db) => windowsOfSymbols(db, run, ["A"]),
  (db) => cutsOfRun(db, run, ["A"]),
  (db) => findingsOfRun(db, "r", 5),
];

test("no read of series goes through the index of staging series, which holds all of them", async () => {
  using folder = temporaryFolder();
  const db = await openDatabase(await migratedDatabase(folder));
  const key = "1, 'A', 'demo', 'x', '1d', 'none', 'regular'";
  await db.write(
    [
      `INSERT INTO series (id, symbol, provider, feed, interval, adjustment, sessions) VALUES (${key})`,
      `INSERT INTO runs (id, mode, interval, provider, years, batch_days, max_workers, range_from, range_to, as_of, state,
       created_at) VALUES ('r', 'full', '1d', 'demo', '2', 30, 2, 0, 1, 1, 'complete', 1)`,
      "INSERT INTO jobs (run_id, symbol, interval, state, status, micro_stage, finished_at) VALUES ('r', 'A', '1d', 'complete', '', '', 1)",
    ].map((sql) => ({ sql, args: [] })),
  );
  using execute = spyOn(StatementCache.prototype, "execute");
  for (const read of READS) await read(db);
  const statements = execute.mock.calls.filter(([sql]) => /\bseries\b/.test(sql));
  execute.mockRestore();
  expect(statements.length).toBeGreaterThanOrEqual(READS.length);
  for (const [sql, args] of statements) {
    const plan = (await db.rows(`EXPLAIN QUERY PLAN ${sql}`, args)).map((row) => String(row[3]));
    expect([sql, plan.join("; ")]).toEqual([sql, expect.not.stringContaining("series_staging")]);
  }
  db.close();
});

test("active jobs are found among any number of ended ones without reading those", async () => {
  using folder = temporaryFolder();
  const db = await openDatabase(await migratedDatabase(folder));
  using execute = spyOn(StatementCache.prototype, "execute");
  await busySymbols(db, "1d");
  await openRuns(db);
  const statements = execute.mock.calls.filter(([sql]) => /\bjobs\b/i.test(sql));
  execute.mockRestore();
  expect(statements.length).toBe(2);
  for (const [sql, args] of statements) {
    const plan = (await db.rows(`EXPLAIN QUERY PLAN ${sql}`, args)).map((row) => String(row[3]));
    expect([sql, plan.filter((step) => /\bjobs\b/.test(step))]).toEqual([
      sql,
      [expect.stringContaining("INDEX jobs_active_symbol")],
    ]);
  }
  db.close();
});

test("the findings of a run are listed by symbol up to a limit", async () => {
  using folder = temporaryFolder();
  const db = await openDatabase(await migratedDatabase(folder));
  const statements = [
    `INSERT INTO runs (id, mode, interval, provider, years, batch_days, max_workers, range_from, range_to, as_of, state,
     created_at) VALUES ('r', 'full', '1d', 'demo', '2', 30, 2, 0, 1, 1, 'complete', 1)`,
    `WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1100)
     INSERT INTO series (id, symbol, provider, feed, interval, adjustment, sessions)
     SELECT n, printf('S%04d', 2000 - n), 'demo', 'x', '1d', 'none', 'regular' FROM n`,
    `INSERT INTO jobs (run_id, symbol, interval, state, status, micro_stage, finished_at)
     SELECT 'r', symbol, '1d', 'complete', '', '', 1 FROM series`,
    `INSERT INTO findings (series_id, kind, date, ratio, seen_at) SELECT id, 'scale_change', 86400, 2, 1 FROM series
     WHERE id % 100 = 0`,
  ];
  await db.write(statements.map((sql) => ({ sql, args: [] })));
  const symbols = Array.from({ length: 11 }, (_, n) => `S${900 + 100 * n}`.replace(/^S9/, "S09"));
  expect((await findingsOfRun(db, "r", 20)).map(({ symbol }) => symbol)).toEqual(symbols);
  expect((await findingsOfRun(db, "r", 7)).map(({ symbol }) => symbol)).toEqual(symbols.slice(0, 7));
  db.close();
});
