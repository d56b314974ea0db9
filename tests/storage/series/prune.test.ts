/** Deleting the bars of series before a date: what goes, what stays, and what an interruption leaves. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { runAs } from "../../../src/auth.ts";
import { DAY } from "../../../src/domain/market/interval.ts";
import { auditStatement, listAudit } from "../../../src/storage/access/audit.ts";
import { type Database, openDatabase } from "../../../src/storage/db.ts";
import { insertBars, seriesId } from "../../../src/storage/market/bars.ts";
import { readSeries } from "../../../src/storage/market/series.ts";
import { profileStatements } from "../../../src/storage/profiles/profiles.ts";
import { insertRun } from "../../../src/storage/runs/runs.ts";
import { beginPruning, prunedProfiles, pruneSeries, unprunedSeries } from "../../../src/storage/series/prune.ts";
import { migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";
import { rampBars } from "../../helpers/inputs/bars.ts";

/** Midnight UTC of 2023-12-31 and the moment before which bars are deleted: ramps of bars lie around it. */
const START = Date.UTC(2023, 11, 31) / 1_000;
const CUT = START + DAY;

interface Store extends Disposable {
  readonly db: Database;
  /** A series of minutes from `START` on, with its bars; its id. */
  add(symbol: string, bars: number): Promise<number>;
  count(table: string, where?: string): Promise<number>;
}

async function openStore(): Promise<Store> {
  const folder = temporaryFolder();
  const db = await openDatabase(await migratedDatabase(folder));
  const key = { provider: "demo", feed: "demo", interval: "1m", adjustment: "none", sessions: "regular" } as const;
  return {
    db,
    async add(symbol, bars) {
      const id = await seriesId(db, { ...key, symbol });
      await db.write([...insertBars(id, rampBars(bars, START)), { sql: "DELETE FROM lake_changes", args: [] }]);
      return id;
    },
    async count(table, where = "true") {
      return Number((await db.rows(`SELECT count(*) FROM ${table} WHERE ${where}`, []))[0]![0]);
    },
    [Symbol.dispose]() {
      db.close();
      folder[Symbol.dispose]();
    },
  };
}

const profileOf = (symbol: string, id: number, bars: number) =>
  profileStatements({
    ...{ symbol, interval: "1m", provider: "demo", seriesId: id, catalogVersion: "1", lastClose: 1, updatedAt: 1 },
    ...{ firstBar: START, lastBar: START + 60 * (bars - 1), features: { sma_5: 1 } },
    backfill: {
      ...{ history_complete: true, history_rows: bars, api_calls_used: 1, fetch_duration_seconds: 1 },
      ...{ feature_count: 200, batch_size_days: 30 },
    },
  });

const begin = ({ db }: Store, ids: readonly number[], before = CUT, now = 1) =>
  beginPruning(db, { selection: { ids }, before, expect: ids.length }, now);

/** All steps, with a call of `between` after each. */
async function pruneAll(db: Database, id: number, between = async () => {}): Promise<void> {
  while (!(await pruneSeries(db, id))) await between();
}

test("pruning deletes all that is stored of earlier bars, and leaves what is of later ones or of no known time", async () => {
  using store = await openStore();
  const { db } = store;
  const id = await store.add("ACME", 4_000);
  const other = await store.add("OTHER", 4_000);
  const [early, late] = [CUT - 60, CUT];
  await db.write(
    [
      ...[early, late].flatMap((ts) => [
        `INSERT INTO bar_revisions VALUES (${id}, ${ts}, 5, 'r', 'correction', 1, 2, 0.5, 1.5, NULL)`,
        `INSERT INTO provisional_bars VALUES (${id}, ${ts}, 5, 1, 2, 0.5, 1.5, NULL)`,
        `INSERT INTO bar_sources VALUES (${id}, ${ts}, 'other', 'r')`,
        `INSERT INTO jump_bars VALUES (${id}, ${ts}, 1, 2, 0.5, 1.5, NULL, 'r', 5)`,
        `INSERT INTO gaps (series_id, date, kind, rows) VALUES (${id}, ${ts}, 'missing', 0)`,
        `INSERT INTO findings (series_id, kind, date, ratio, seen_at) VALUES (${id}, 'scale_change', ${ts}, 2, 5)`,
        `INSERT INTO arrivals VALUES (${id}, ${ts}, ${ts + 60}, 5, 0)`,
        `INSERT INTO rejected_bars VALUES (${id}, '${new Date(ts * 1_000).toISOString()}', 'bad', '{}', 'r', 5)`,
      ]),
      `INSERT INTO rejected_bars VALUES (${id}, 'ACME.csv:17', 'bad', '{}', 'r', 5)`,
      `INSERT INTO batches (series_id, run_id, from_ts, to_ts, status, rows, fetched_at, error) VALUES
(${id}, 'r', ${CUT - DAY}, ${CUT}, 'ok', 1, 5, NULL), (${id}, 'r', ${CUT - 60}, ${CUT + DAY}, 'ok', 1, 5, NULL),
(${id}, 'r', ${CUT - 120}, ${CUT + DAY}, 'failed', 0, 5, 'HTTP 503')`,
      `INSERT INTO batches (series_id, run_id, from_ts, to_ts, status, rows, fetched_at, error, left_out) VALUES
(${id}, 'r', ${CUT - 180}, ${CUT + 180}, 'not_in_plan', 0, 5, 'free: one day', '[[${CUT - 180},${CUT - 120}],[${CUT - 60},${CUT + 60}]]')`,
      `INSERT INTO corporate_actions (provider, symbol, kind, date, value, seen_at) VALUES ('demo', 'ACME', 'split', ${early}, 2, 5)`,
    ].map((sql) => ({ sql, args: [] })),
  );
  await db.write(profileOf("ACME", id, 4_000));

  expect(await begin(store, [id])).toEqual({ kind: "begun", series: 1 });
  expect(await readSeries(db, id)).toMatchObject({ keptFrom: CUT, prunedAt: 1, isPruning: true, changedFrom: 0 });
  expect(await unprunedSeries(db)).toEqual([id]);
  await pruneAll(db, id);

  expect(await unprunedSeries(db)).toEqual([]);
  expect(await db.rows("SELECT series_id, count(*), min(ts) FROM bars GROUP BY 1 ORDER BY 1", [])).toEqual([
    [id, 4_000 - 1_440, CUT],
    [other, 4_000, START],
  ]);
  for (const table of ["bar_revisions", "provisional_bars", "bar_sources", "jump_bars"])
    expect(await db.rows(`SELECT ts FROM ${table}`, [])).toEqual([[late]]);
  for (const table of ["gaps", "findings"]) expect(await db.rows(`SELECT date FROM ${table}`, [])).toEqual([[late]]);
  expect(await db.rows("SELECT from_ts FROM arrivals", [])).toEqual([[late]]);
  expect(await db.rows("SELECT place FROM rejected_bars ORDER BY 1", [])).toEqual([
    ["2024-01-01T00:00:00.000Z"],
    ["ACME.csv:17"],
  ]);
  expect(await db.rows("SELECT status, from_ts, left_out FROM batches ORDER BY status", [])).toEqual([
    ["failed", CUT, null],
    ["not_in_plan", CUT, `[[${CUT},${CUT + 60}]]`],
    ["ok", CUT - 60, null],
  ]);
  expect(await store.count("corporate_actions")).toBe(1);
  expect(await db.rows("SELECT bars_id, year FROM lake_changes", [])).toEqual([[id, 2023]]);

  const [profile] = await db.rows("SELECT first_bar, backfill FROM profiles", []);
  expect(profile![0]).toBe(CUT);
  expect(JSON.parse(profile![1] as string)).toMatchObject({
    ...{ history_rows: 4_000 - 1_440, gaps: 1, kept_from: "2024-01-01T00:00:00Z", features_outdated: true },
  });
  expect(await prunedProfiles(db)).toEqual([{ symbol: "ACME", interval: "1m", provider: "demo", firstBar: CUT }]);
});

test("a series that loses all of its bars loses its profile too", async () => {
  using store = await openStore();
  const id = await store.add("GONE", 100);
  await store.db.write(profileOf("GONE", id, 100));
  await begin(store, [id]);
  await pruneAll(store.db, id);
  expect([await store.count("bars"), await store.count("profiles")]).toEqual([0, 0]);
  expect((await store.db.rows("SELECT series_id FROM shown_series ORDER BY since DESC", []))[0]).toEqual([null]);
  expect(await readSeries(store.db, id)).toMatchObject({ keptFrom: CUT, isPruning: false });
});

test("nothing is deleted of any series while one of them has a job that waits, runs or is paused", async () => {
  using store = await openStore();
  const ids = [await store.add("AAA", 100), await store.add("BBB", 100)];
  const run = { id: "r", mode: "full", interval: "1m", provider: "demo", years: "1" } as const;
  const range = { batchDays: 30, maxWorkers: 1, rangeFrom: 0, rangeTo: DAY, asOf: DAY, createdAt: 1 };
  await insertRun(store.db, { ...run, ...range }, ["BBB"]);
  expect(await begin(store, ids)).toEqual({ kind: "busy", busy: 1, symbols: ["BBB"] });
  expect(await unprunedSeries(store.db)).toEqual([]);
  await store.db.write([{ sql: "UPDATE jobs SET state = 'cancelled'", args: [] }]);
  expect(await begin(store, ids)).toEqual({ kind: "begun", series: 2 });
});

test("a request for other series than were confirmed changes nothing and leaves no trace in the audit", async () => {
  using store = await openStore();
  const { db } = store;
  await store.add("AAA", 100);
  await store.add("BBB", 100);
  const request = (expected: number) =>
    runAs({ name: "owner", scope: "admin" }, "no space left", () =>
      beginPruning(
        db,
        { selection: { filter: { q: "a" } }, before: CUT, expect: expected },
        7,
        auditStatement({ action: "storage.prune", subject: "AAA", after: { before: "2024-01-01" } }),
      ),
    );
  expect(await request(2)).toEqual({ kind: "changed", series: 1 });
  expect(await listAudit(db, {}, 10)).toEqual([]);
  expect(await request(1)).toEqual({ kind: "begun", series: 1 });
  expect(await listAudit(db, {}, 10)).toMatchObject([
    {
      actor: "owner",
      action: "storage.prune",
      subject: "AAA",
      reason: "no space left",
      after: { before: "2024-01-01" },
    },
  ]);
});

test("deletion in steps can be stopped after any of them, has no hole in between, and is finished by another attempt", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 21_999 }), async (steps, kept) => {
      using store = await openStore();
      const { db } = store;
      const id = await store.add("ACME", 22_000);
      const before = START + 60 * kept;
      await begin(store, [id], before);
      let left = steps;
      const stop = async () => {
        left -= 1;
        if (left === 0) throw new Error("stopped");
      };
      await pruneAll(db, id, stop).catch((error) => expect(String(error)).toContain("stopped"));
      const edges = "SELECT (max(ts) - min(ts)) / 60 + 1, count(*), max(ts) FROM bars";
      const [[span, rows, last]] = (await db.rows(edges, [])) as [[number, number, number]];
      expect([span, last]).toEqual([rows, START + 60 * 21_999]);
      await pruneAll(db, id);
      expect(await db.rows("SELECT min(ts), count(*) FROM bars", [])).toEqual([[before, 22_000 - kept]]);
      expect((await readSeries(db, id)).isPruning).toBe(false);
    }),
    { numRuns: 3 },
  );
});

test("a deletion that was overtaken by a job deletes nothing that the job has fetched since", async () => {
  using store = await openStore();
  const { db } = store;
  const id = await store.add("ACME", 22_000);
  await begin(store, [id], START + 60 * 15_000);
  let isOvertaken = false;
  await pruneAll(db, id, async () => {
    if (isOvertaken) return;
    isOvertaken = true;
    await pruneAll(db, id);
    await db.write(insertBars(id, rampBars(100, START)));
  });
  expect(await store.count("bars", `ts < ${START + 6_000}`)).toBe(100);
});

test("bars that an unfinished rebuild has fetched are deleted with those that it was to replace", async () => {
  using store = await openStore();
  const { db } = store;
  const id = await store.add("ACME", 2_000);
  const insert = `INSERT INTO series (id, symbol, provider, feed, interval, adjustment, sessions, staging_for)
VALUES (90, 'ACME', 'demo', 'demo', '1m', 'none', 'regular', ${id})`;
  await db.write([{ sql: insert, args: [] }, ...insertBars(90, rampBars(2_000, START))]);
  await begin(store, [id]);
  await pruneAll(db, id);
  expect(await db.rows("SELECT series_id, min(ts) FROM bars GROUP BY 1 ORDER BY 1", [])).toEqual([
    [id, CUT],
    [90, CUT],
  ]);
});
