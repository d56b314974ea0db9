/** Databases of earlier releases, with rows in every table, are brought to the newest schema. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, cpSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { getTableColumns, getTableName, is } from "drizzle-orm";
import { migrate } from "drizzle-orm/libsql/migrator";
import { type SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import { searchCompanies } from "../../src/storage/companies/companies.ts";
import { type Database, type Row as DatabaseRow, openDatabase } from "../../src/storage/db.ts";
import { readBars } from "../../src/storage/market/bars.ts";
import { findSeries } from "../../src/storage/market/series.ts";
import journal from "../../src/storage/migrations/meta/_journal.json";
import { ProfileColumns } from "../../src/storage/profiles/profile-columns.ts";
import { findFeatureState, findProfile } from "../../src/storage/profiles/profiles.ts";
import { listRuns } from "../../src/storage/runs/run-list.ts";
import { jobsOfRun } from "../../src/storage/runs/runs.ts";
import { readSchedules } from "../../src/storage/schedules.ts";
import { moveOldRows, upgradeDatabase } from "../../src/storage/upgrade.ts";
import { startHrana } from "../fakes/hrana.ts";
import { temporaryFolder } from "../helpers/folder.ts";
import type { Row } from "../helpers/upgrade/first-rows.ts";
import { MIGRATIONS } from "./upgrade-rows.ts";

type Contents = Record<string, Row[]>;

const TAGS = journal.entries.map(({ tag }) => tag);
const OLDEST = TAGS[0]!;
const FOLDER = fileURLToPath(new URL("../../src/storage/migrations", import.meta.url));

const journals = temporaryFolder();
cpSync(FOLDER, journals.path, { recursive: true });
/** A file of each earlier schema, with the rows that were inserted on the way; the first has none. */
const files = temporaryFolder();
const fileAt = (schemas: number) => join(files.path, `${schemas}.db`);
afterAll(() => {
  for (const folder of [journals, files]) folder[Symbol.dispose]();
});

/** Brings a database with the first `from` schemas to that of `newest`, and inserts the rows of each as soon as it is there. */
async function fill(db: Database, newest: string, from = 0): Promise<void> {
  for (let count = from + 1; count <= TAGS.indexOf(newest) + 1; count++) {
    const cut = { ...journal, entries: journal.entries.slice(0, count) };
    writeFileSync(join(journals.path, "meta/_journal.json"), JSON.stringify(cut));
    await migrate(db.orm, { migrationsFolder: journals.path });
    await moveOldRows(db);
    await db.write(MIGRATIONS[TAGS[count - 1]!]!.rows.map((sql) => ({ sql, args: [] })));
  }
}

/** A file filled to `tag`, in a folder of its own; each schema is made from the one before it, once. */
async function fileHost(tag: string) {
  const schemas = TAGS.indexOf(tag) + 1;
  for (let count = 1; count <= schemas; count++) {
    if (existsSync(fileAt(count))) continue;
    if (count > 1) copyFileSync(fileAt(count - 1), fileAt(count));
    const db = await openDatabase(`file:${fileAt(count)}`);
    await fill(db, TAGS[count - 1]!, count - 1);
    await db.script("PRAGMA wal_checkpoint(TRUNCATE)");
    db.close();
  }
  const folder = temporaryFolder();
  copyFileSync(fileAt(schemas), new URL(folder.database()));
  return { url: folder.database(), close: () => folder[Symbol.dispose]() };
}

/** A server filled to `tag`. */
async function serverHost(tag: string) {
  const host = startHrana();
  const db = await openDatabase(host.url);
  await fill(db, tag);
  db.close();
  return host;
}

/** Every row of every table, but those that SQLite, its full-text index and drizzle keep for themselves. */
async function contentsOf(db: Database): Promise<Contents> {
  const tables = await db.rows(
    `SELECT name FROM pragma_table_list
      WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '__drizzle_*' ORDER BY name`,
    [],
  );
  const contents: Contents = {};
  for (const [table] of tables as [string][]) {
    const columns = await db.rows("SELECT name FROM pragma_table_info(?)", [table]);
    const rows = await db.rows(`SELECT * FROM "${table}"`, []);
    const plain = (value: unknown) => (value instanceof ArrayBuffer ? Buffer.from(value) : value);
    contents[table] = sorted(
      rows.map((row) => Object.fromEntries(columns.map(([name], at) => [name, plain(row[at])]))),
    );
  }
  return contents;
}

/** Rows in an order that depends on their values only. */
function sorted(rows: readonly Row[]): Row[] {
  const key = (row: Row) => JSON.stringify(Object.entries(row).toSorted());
  return rows.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

const largest = (rows: readonly Row[], column: string) => Math.max(0, ...rows.map((row) => Number(row[column] ?? 0)));

/** Bars that are there were seen at an unknown time, at the latest when their series was last written. */
function arrivalsOf({ series = [], bars = [], batches = [], bar_revisions = [], runs = [] }: Contents): Contents {
  const ofSeries = (rows: readonly Row[], { id }: Row) => rows.filter(({ series_id }) => series_id === id);
  const barsOf = (row: Row) => ofSeries(bars, { id: row.bars_id ?? row.id });
  const filled = series.filter((row) => barsOf(row).length > 0);
  return {
    series: series.map((row) => {
      if (!filled.includes(row)) return row;
      const fetched = largest(ofSeries(batches, row), "fetched_at");
      const known = Math.max(fetched, largest(ofSeries(bar_revisions, row), "seen_at"), Number(row.retired_at ?? 0));
      const lastRun = Math.max(...runs.map((run) => Number(run.finished_at ?? run.created_at)));
      return { ...row, arrivals_since: known || lastRun };
    }),
    arrivals: filled.map((row) => {
      const times = barsOf(row).map(({ ts }) => Number(ts));
      const span = { from_ts: Math.min(...times), to_ts: Math.max(...times) + 1 };
      return { series_id: row.id, ...span, seen_at: 0, is_window: 1 };
    }),
  };
}

/** What a migration makes of the rows of several tables together. */
const DERIVED: Readonly<Record<string, (contents: Contents) => Contents>> = { "0023_as_known_at": arrivalsOf };

/** What the migrations after `tag` make of the rows of a database at `tag`. */
function upgraded(contents: Contents, tag: string): Contents {
  const result = { ...contents };
  for (const later of TAGS.slice(TAGS.indexOf(tag) + 1)) {
    const { changes = {}, inserts = {} } = MIGRATIONS[later]!;
    for (const [table, change] of Object.entries(changes)) result[table] = (result[table] ?? []).map(change);
    for (const [table, rows] of Object.entries(DERIVED[later]?.(result) ?? {})) result[table] = [...rows];
    for (const [table, rows] of Object.entries(inserts)) result[table] = [...(result[table] ?? []), ...rows];
  }
  return Object.fromEntries(Object.entries(result).map(([table, rows]) => [table, sorted(rows)]));
}

/** The tables, indexes and triggers of a database. */
const schemaOf = (db: Database) =>
  db.rows("SELECT type, name, sql FROM sqlite_master WHERE name NOT GLOB '__drizzle_*' ORDER BY type, name", []);

/** The tables as the server declares them, in all files of src/storage/schema. */
async function declaredTables(): Promise<SQLiteTable[]> {
  const folder = fileURLToPath(new URL("../../src/storage/schema", import.meta.url));
  const modules: object[] = await Promise.all(readdirSync(folder).map((file) => import(join(folder, file))));
  return modules.flatMap((module) => Object.values(module)).filter((value) => is(value, SQLiteTable));
}

/** What a database has that was never at an earlier schema. */
let newSchema: DatabaseRow[];

beforeAll(async () => {
  using folder = temporaryFolder();
  const db = await openDatabase(folder.database());
  await upgradeDatabase(db);
  newSchema = await schemaOf(db);
  db.close();
});

test("every migration of the journal says what becomes of earlier rows", () => {
  expect(Object.keys(MIGRATIONS)).toEqual(TAGS);
});

test("a new database has what drizzle cannot declare: tables without row ids, the full-text index, triggers", () => {
  const names = (pattern: RegExp) => newSchema.filter(([, , sql]) => pattern.test(String(sql))).map(([, name]) => name);
  expect(names(/^CREATE TABLE [`"].* WITHOUT ROWID$/s)).toEqual([
    "arrivals",
    "bar_revisions",
    "bars",
    "provisional_bars",
    "shown_series",
  ]);
  expect(names(/^CREATE VIRTUAL TABLE/)).toEqual(["company_names"]);
  expect(names(/^CREATE TRIGGER/)).toEqual([
    "bar_revisions_append_only",
    "companies_forgotten",
    "companies_named",
    "companies_renamed",
    "findings_found",
    "findings_gone",
    "gaps_changed",
    "gaps_closed",
    "gaps_found",
    "profiles_changed",
    "series_doubted",
    "series_gone",
  ]);
});

for (const tag of TAGS) describe(`file at ${tag}`, () => upgradeFrom(tag, fileHost));
describe(`server at ${OLDEST}`, () => upgradeFrom(OLDEST, serverHost));

test("profiles are moved in batches: an interrupted upgrade continues where it was, reports its progress, and loses nothing", async () => {
  const host = await fileHost("0012_stage_times");
  const db = await openDatabase(host.url);
  const count = 600;
  await db.write(
    Array.from({ length: count }, (_, n) => [
      {
        sql: `INSERT INTO profiles SELECT ?, interval, series_id, provider, first_bar, last_bar, last_close,
          json_object('rsi_14', ?, 'adx_14', null, 'sma_5', 0.1 + ?), catalog_version, backfill, updated_at
          FROM profiles WHERE symbol = 'AAPL' AND interval = '1d'`,
        args: [`S${n}`, n, n],
      },
      { sql: "INSERT INTO feature_states VALUES (?, '1d', ?, x'00', 1)", args: [`S${n}`, Buffer.from(`state ${n}`)] },
    ]).flat(),
  );
  const lines: string[] = [];
  const report = (line: string) => void lines.push(line);
  for (const batches of [2, 4]) {
    let writes = 0;
    const failing: Database = {
      ...db,
      async write(statements) {
        if (++writes === batches) throw new Error("killed");
        await db.write(statements);
      },
    };
    await expect(upgradeDatabase(failing, report)).rejects.toThrow("killed");
  }
  await upgradeDatabase(db, report);
  expect(lines.at(-1)).toMatch(/^Upgrading the database: \d+ of \d+ feature states moved$/);
  expect(lines).toContain("Upgrading the database: 352 of 352 profiles moved");
  expect(await schemaOf(db)).toEqual(newSchema);
  for (const n of [0, 249, 250, 599]) {
    const { features } = (await findProfile(db, `S${n}`, "1d"))!;
    expect(features).toEqual({ rsi_14: n, adx_14: null, sma_5: 0.1 + n });
    expect(String((await findFeatureState(db, `S${n}`, "1d"))!.state)).toBe(`state ${n}`);
  }
  expect(await db.rows("SELECT count(*) FROM profiles UNION ALL SELECT count(*) FROM feature_states", [])).toEqual([
    [count + 2],
    [count + 1],
  ]);
  db.close();
  host.close();
});

/** The suite for one earlier schema, on a database that `start` makes and fills. */
function upgradeFrom(tag: string, start: (tag: string) => Promise<{ url: string; close(): unknown }>): void {
  let host: Awaited<ReturnType<typeof start>>;
  let db: Database;
  let before: Contents;
  let after: Contents;

  beforeAll(async () => {
    host = await start(tag);
    db = await openDatabase(host.url);
    before = await contentsOf(db);
    await upgradeDatabase(db);
    after = await contentsOf(db);
  });
  afterAll(async () => {
    db.close();
    await host.close();
  });

  test(`a database at ${tag} with rows in every table keeps them in the newest schema`, () => {
    expect(Object.keys(before).filter((table) => before[table]!.length === 0)).toEqual([]);
    const empty = Object.fromEntries(Object.keys(after).map((table) => [table, []]));
    expect(after).toEqual({ ...empty, ...upgraded(before, tag) });
  });

  test(`a database upgraded from ${tag} has the schema of a new one and no damage`, async () => {
    expect(await schemaOf(db)).toEqual(newSchema);
    expect(await db.rows("PRAGMA integrity_check", [])).toEqual([["ok"]]);
    expect(await db.rows("PRAGMA foreign_key_check", [])).toEqual([]);
    expect(await db.rows("PRAGMA foreign_keys", [])).toEqual([[1]]);
  });

  test(`the tables declared for the server read every row of a database upgraded from ${tag}`, async () => {
    const tables = await declaredTables();
    expect(tables.map(getTableName).toSorted()).toEqual(Object.keys(after));
    for (const table of tables) {
      const columns = Object.entries(getTableColumns(table));
      const stored = (value: unknown, column: SQLiteColumn) => (value === null ? null : column.mapToDriverValue(value));
      const rows = (await db.orm.select().from(table)).map((row) =>
        Object.fromEntries(columns.map(([key, column]) => [column.name, stored(row[key], column)])),
      );
      expect(sorted(rows), getTableName(table)).toEqual(after[getTableName(table)]!);
    }
  });

  test(`lists show the rows of a database upgraded from ${tag}`, async () => {
    const valuesOf = (table: string, column: string) => after[table]!.map((row) => String(row[column]));
    const runs = (await listRuns(db, {}, { limit: 100 })).rows;
    expect(runs.map(({ id }) => id).toSorted()).toEqual(valuesOf("runs", "id").toSorted());
    const jobs = (await Promise.all(runs.map(({ id }) => jobsOfRun(db, id)))).flat();
    expect(jobs.map(({ id }) => String(id)).toSorted()).toEqual(valuesOf("jobs", "id").toSorted());
    const clock = { recentSince: 0, staleBefore: { us_equity: 0, crypto: 0 } };
    const columns = [{ feature: "rsi_14" }, { feature: "adx_14" }];
    const profiles = await new ProfileColumns(db).select({ columns }, clock);
    expect(profiles.entries.map(({ symbol, interval }) => `${symbol} ${interval}`)).toEqual(["AAPL 1d", "AAPL 1h"]);
    const values = profiles.columns.map((column) => profiles.entries.map(({ at }) => column[at]));
    expect(values).toEqual([
      [55.5, Number.NaN],
      [Number.NaN, Number.NaN],
    ]);
    const { features, backfill, catalogVersion } = (await findProfile(db, "AAPL", "1d"))!;
    expect([features, backfill, catalogVersion]).toEqual([
      { rsi_14: 55.5, adx_14: null },
      { history_complete: true, history_rows: 2, api_calls_used: 5 } as typeof backfill,
      "v1",
    ]);
    const series = await findSeries(db, "AAPL", "1d");
    expect([...(await readBars(db, series!.id, 0, 2e9)).close]).toEqual([100.75, 101.9]);
    for (const { symbol, name } of after.companies!) {
      const search = String(name || symbol).replace(/^.* /, "");
      const { companies } = await searchCompanies(db, { search, limit: 100 });
      expect(companies, search).toMatchObject([{ symbol, name }]);
    }
    const schedules = await readSchedules(db);
    expect(schedules.map(({ name }) => name).toSorted()).toEqual(valuesOf("schedules", "name").toSorted());
  });
}
