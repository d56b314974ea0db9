/** Deletions in the background: the lake follows, a killed server goes on, and the file shrinks. */

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DAY } from "../../../src/domain/market/interval.ts";
import { isoDate } from "../../../src/domain/time.ts";
import { type Database, openDatabase } from "../../../src/storage/db.ts";
import { insertBars, seriesId } from "../../../src/storage/market/bars.ts";
import { readSeries } from "../../../src/storage/market/series.ts";
import { startApp } from "../../helpers/app.ts";
import { migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";
import { rampBars } from "../../helpers/inputs/bars.ts";
import { spawnServer } from "../../helpers/server.ts";

const START = Date.UTC(2020, 0, 1) / 1_000;
const MINUTES = 40_000;
const BEFORE = "2020-01-22";
const CUT = Date.parse(BEFORE) / 1_000;

/** A series of minutes without a profile, as an earlier server has left it. */
async function addMinutes(db: Database): Promise<number> {
  const key = { symbol: "OLD-USD", provider: "demo", feed: "demo", interval: "1m", adjustment: "none" } as const;
  const id = await seriesId(db, { ...key, sessions: "continuous" });
  await db.write(insertBars(id, rampBars(MINUTES, START)));
  return id;
}

const countBars = async (db: Database) => Number((await db.rows("SELECT count(*) FROM bars", []))[0]![0]);

test("a server that is killed while it deletes old bars leaves no hole, and the next one deletes the rest", async () => {
  using folder = temporaryFolder();
  const dbUrl = await migratedDatabase(folder);
  const db = await openDatabase(dbUrl);
  const id = await addMinutes(db);
  // The third step fails, again and again: what is stored then does not depend on the moment of the kill.
  const stop = `CREATE TRIGGER stop BEFORE DELETE ON bars WHEN old.ts = ${START + 60 * 25_000}
BEGIN SELECT raise(ABORT, 'not today'); END`;
  await db.write([{ sql: stop, args: [] }]);
  const env = { BARKEEP_DB_URL: dbUrl, BARKEEP_WORKERS: "1" };
  const first = spawnServer(env, folder.path);
  try {
    const client = await first.listening;
    const answer = await client.post("/api/storage/prune", { before: BEFORE, filter: {}, dry_run: false });
    expect(answer.status).toBe(202);
    while ((await client.get("/storage")).text.includes("not today") === false) await Bun.sleep(20);
    expect((await client.get("/api/storage")).body.series).toMatchObject([{ bars: MINUTES - 20_000, pruning: true }]);
  } finally {
    await first.kill();
  }
  expect(await readSeries(db, id)).toMatchObject({ isPruning: true, keptFrom: CUT });
  expect(await db.rows("SELECT min(ts), count(*) FROM bars", [])).toEqual([[START + 60 * 20_000, MINUTES - 20_000]]);
  await db.write([{ sql: "DROP TRIGGER stop", args: [] }]);
  db.close();

  await using app = await startApp({ dbUrl, env: { BARKEEP_WORKERS: "1" } });
  await app.app.stored.pruning.idle();
  expect(await readSeries(app.app.db, id)).toMatchObject({ isPruning: false, keptFrom: CUT });
  const kept = MINUTES - (CUT - START) / 60;
  expect(await app.app.db.rows("SELECT min(ts), count(*) FROM bars", [])).toEqual([[CUT, kept]]);
}, 60_000);

test("space that old bars leave goes back to the disk when no job runs", async () => {
  using folder = temporaryFolder();
  const dbUrl = await migratedDatabase(folder);
  await using app = await startApp({ dbUrl, env: { BARKEEP_WORKERS: "1" } });
  const { db, stored } = app.app;
  await addMinutes(db);
  const pages = async () => Number((await db.rows("PRAGMA page_count", []))[0]![0]);
  const full = await pages();
  expect((await app.post("/api/storage/prune", { before: BEFORE, filter: {}, dry_run: false })).status).toBe(202);
  await stored.pruning.idle();
  while ((await pages()) > 0.8 * full) await Bun.sleep(20);
  expect(await countBars(db)).toBe(MINUTES - (CUT - START) / 60);
});

test("the lake loses the years that were deleted, and its files have what is kept", async () => {
  using folder = temporaryFolder();
  const lake = join(folder.path, "lake");
  const env = { BARKEEP_WORKERS: "1", BARKEEP_LAKE: lake };
  await using app = await startApp({ env, dbUrl: await migratedDatabase(folder) });
  await app.waitForRun(await app.start({ symbols: ["AAA", "BBB"], years: 3 }), "complete");
  await app.app.lake.idle();
  const now = new Date();
  const before = isoDate(Date.UTC(now.getUTCFullYear() - 1, now.getUTCMonth(), 10) / 1_000);
  const filesOf = (symbol: string) => {
    const { files } = JSON.parse(readFileSync(join(lake, "_manifest.json"), "utf8")) as {
      files: { path: string; rows: number; min_timestamp: string; bytes: number }[];
    };
    return files.filter(({ path }) => path.startsWith("bars/") && path.includes(`symbol=${symbol}/`));
  };
  const untouched = filesOf("BBB");
  const listed = (await app.get("/api/storage?q=AAA")).body;
  expect(listed.series[0].lake_bytes).toBe(filesOf("AAA").reduce((sum, { bytes }) => sum + bytes, 0));
  expect(listed.lake.bytes).toBeGreaterThan(listed.lake_bytes);
  const dry = (await app.post("/api/storage/prune", { before, filter: { q: "AAA" } })).body;
  expect(dry.lake_bytes).toBeWithin(1, listed.series[0].lake_bytes);

  await app.post("/api/storage/prune", { before, filter: { q: "AAA" }, dry_run: false });
  await app.app.stored.pruning.idle();
  const { runs } = (await app.get("/api/runs?mode=reprocess")).body;
  await app.waitForRun(runs[0].id, "complete");
  await app.app.lake.idle();
  expect(await app.app.lake.pending()).toBe(0);
  const left = filesOf("AAA");
  const [[rows]] = (await app.app.db.rows(
    "SELECT count(*) FROM bars WHERE series_id = (SELECT id FROM series WHERE symbol = 'AAA')",
    [],
  )) as [[number]];
  expect(left.reduce((sum, file) => sum + file.rows, 0)).toBe(rows);
  expect(Math.min(...left.map((file) => Date.parse(file.min_timestamp)))).toBeGreaterThanOrEqual(Date.parse(before));
  expect(Math.min(...left.map((file) => Date.parse(file.min_timestamp)))).toBeLessThan(
    Date.parse(before) + 10 * DAY * 1_000,
  );
  expect(filesOf("BBB")).toEqual(untouched);
});
