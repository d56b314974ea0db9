import { expect, test } from "bun:test";
import { eq, inArray, sql } from "drizzle-orm";
import { prepared } from "../../../src/storage/connection/prepared.ts";
import { openDatabase } from "../../../src/storage/db.ts";
import { newSeries } from "../../../src/storage/market/bars.ts";
import { series } from "../../../src/storage/schema/market.ts";
import { profiles } from "../../../src/storage/schema/profiles.ts";
import { batches, jobs, runs } from "../../../src/storage/schema/runs.ts";
import { migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";

const KEY = { symbol: "ACME", provider: "demo", feed: "f", interval: "1d", adjustment: "none", sessions: "s" } as const;

test("a prepared query gives the rows that drizzle gives: texts, booleans, JSON, expressions and nulls", async () => {
  using folder = temporaryFolder();
  const db = await openDatabase(await migratedDatabase(folder));
  await db.write([
    newSeries(KEY),
    newSeries({ ...KEY, symbol: "BETA" }),
    { sql: "UPDATE series SET is_pruning = 1, kept_from = 7 WHERE symbol = 'BETA'", args: [] },
    {
      sql: `INSERT INTO batches (series_id, run_id, from_ts, to_ts, status, rows, error, left_out, fetched_at)
VALUES (1, 'r', 0, 10, 'not_in_plan', 0, 'not in plan', '[[2,5]]', 1), (1, 'r', 10, 20, 'ok', 3, NULL, NULL, 1)`,
      args: [],
    },
  ]);
  const own = {
    series: () =>
      db.orm
        .select()
        .from(series)
        .where(eq(series.symbol, sql.placeholder("of")))
        .prepare(),
    windows: () =>
      db.orm
        .select({ from: batches.fromTs, leftOut: batches.leftOut, isLate: sql<number>`${batches.fromTs} >= 10` })
        .from(batches)
        .where(inArray(batches.status, ["ok", "not_in_plan"]))
        .orderBy(batches.fromTs)
        .prepare(),
  };
  const [seriesOf, windows] = [prepared(own.series), prepared(own.windows)];
  for (const of of ["ACME", "BETA", "NONE"]) {
    const all = await own.series().all({ of });
    expect(await seriesOf(db).all({ of })).toEqual(all);
    expect(await seriesOf(db).get({ of })).toEqual(all[0]);
  }
  expect((await seriesOf(db).get({ of: "BETA" }))?.isPruning).toBe(true);
  expect(await windows(db).all()).toEqual(await own.windows().all());
  expect((await windows(db).all()).map(({ leftOut }) => leftOut)).toEqual([[[2, 5]], null]);
  db.close();
});

test("a prepared query of two tables' rows is refused when it is built, not answered wrongly", async () => {
  using folder = temporaryFolder();
  const db = await openDatabase(await migratedDatabase(folder));
  const both = prepared(({ orm }) =>
    orm.select({ job: jobs, run: runs }).from(jobs).innerJoin(runs, eq(runs.id, jobs.runId)).prepare(),
  );
  expect(() => both(db)).toThrow("selects columns, not job.id");
  const joined = prepared(({ orm }) =>
    orm
      .select({ symbol: profiles.symbol, id: series.id })
      .from(profiles)
      .innerJoin(series, eq(series.id, profiles.seriesId))
      .prepare(),
  );
  expect(await joined(db).all()).toEqual([]);
  db.close();
});
