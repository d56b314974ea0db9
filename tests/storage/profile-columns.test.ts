/** Which profiles match, from memory: exact, up to date whoever writes, and without reading what is not shown. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import type { HealthClock } from "../../src/domain/profiles/health.ts";
import { storeCompanies } from "../../src/storage/companies/companies.ts";
import { type Database, openDatabase } from "../../src/storage/db.ts";
import { ProfileColumns } from "../../src/storage/profiles/profile-columns.ts";
import { deleteProfile, profileStatements } from "../../src/storage/profiles/profiles.ts";
import type { ProfileQuery } from "../../src/storage/profiles/select-profiles.ts";
import { type Folder, migratedDatabase, temporaryFolder } from "../helpers/folder.ts";

const CLOCK: HealthClock = { recentSince: 1_000, staleBefore: { us_equity: 500, crypto: 500 } };
const NAMES = ["rsi_14", "sma_5", "atr_14"];
/** More than two slices. */
const MANY = 2_345;

let folder: Folder;
let db: Database;
/** What was read since the last call. */
let statements: string[];
beforeEach(async () => {
  folder = temporaryFolder();
  db = await openDatabase(await migratedDatabase(folder));
  statements = [];
});
afterEach(() => {
  db.close();
  folder[Symbol.dispose]();
});

/** The database, with its reads recorded. */
const recorded = (): Database => ({
  ...db,
  rows(sql, args) {
    statements.push(sql);
    return db.rows(sql, args);
  },
});

const symbolOf = (n: number) => `S${String(n).padStart(4, "0")}`;

const featuresOf = (n: number) => ({ rsi_14: n % 7 === 0 ? null : n % 100, sma_5: 0.1 * n, atr_14: n });

interface Given {
  readonly features?: Record<string, number | null>;
  readonly interval?: "1d" | "1h";
  readonly lastBar?: number;
  readonly complete?: boolean;
}

/** What writes profile `n`, as the end of its job does. */
function profile(n: number, { features = featuresOf(n), interval = "1d", lastBar = 900, complete = true }: Given = {}) {
  return [
    {
      sql: `INSERT OR IGNORE INTO series (id, symbol, provider, feed, interval, adjustment, sessions)
        VALUES (?, ?, 'demo', 'x', '1d', 'none', 'regular')`,
      args: [n + 1, symbolOf(n)],
    },
    ...profileStatements({
      symbol: symbolOf(n),
      interval,
      provider: "demo",
      seriesId: n + 1,
      firstBar: 0,
      lastBar,
      lastClose: 1,
      features,
      catalogVersion: "1",
      backfill: {
        history_complete: complete,
        history_rows: n,
        api_calls_used: 1,
        fetch_duration_seconds: 1,
        feature_count: 3,
        batch_size_days: 30,
      },
      updatedAt: n,
    }),
  ];
}

const fill = (count: number) => db.write(Array.from({ length: count }, (_, n) => profile(n)).flat());

const found = async (columns: ProfileColumns, query: ProfileQuery) =>
  (await columns.select(query, CLOCK)).entries.map(({ symbol }) => symbol);

const all = (matches: (n: number) => boolean) => [...Array(MANY).keys()].filter(matches).map(symbolOf);

const below = (feature: string, number: number) =>
  ({ kind: "compare", left: { feature }, sign: "<", right: { number } }) as const;

test("conditions, parts of symbols, keys and sorts find the same in many profiles as by hand", async () => {
  await fill(MANY);
  const columns = new ProfileColumns(db);
  expect(await found(columns, {})).toEqual(all(() => true));
  expect(await found(columns, { where: below("rsi_14", 10) })).toEqual(all((n) => n % 7 !== 0 && n % 100 < 10));
  expect(await found(columns, { where: { kind: "not", inner: below("rsi_14", 90) } })).toEqual(
    all((n) => n % 7 !== 0 && n % 100 >= 90),
  );
  expect(await found(columns, { search: "s00", where: below("atr_14", 30) })).toEqual(all((n) => n < 30));
  expect(await found(columns, { keys: ["S0007/1d", "S0003/1d", "S0003/1h", "X/1d"] })).toEqual(["S0003", "S0007"]);
  expect(await found(columns, { interval: "1h" })).toEqual([]);
  const sorted = await found(columns, { sort: { operand: { feature: "rsi_14" }, descending: true } });
  const key = (n: number) => (n % 7 === 0 ? -1 : n % 100);
  expect(sorted).toEqual([...Array(MANY).keys()].toSorted((a, b) => key(b) - key(a) || a - b).map(symbolOf));
  expect((await found(columns, { sort: { column: "symbol", descending: true } })).slice(0, 2)).toEqual(
    [MANY - 1, MANY - 2].map(symbolOf),
  );
  expect((await found(columns, { sort: { column: "bars", descending: true } }))[0]).toBe(symbolOf(MANY - 1));
});

test("a rank is among the profiles of the interval, and its column can be shown and sorted by", async () => {
  await db.write([...profile(1), ...profile(2), ...profile(3), ...profile(4)]);
  await db.write([1, 2].flatMap((n) => profile(n, { interval: "1h", features: { atr_14: 10 * n } })));
  const columns = new ProfileColumns(db);
  const rank = { rankOf: "atr_14" };
  const top = { kind: "compare", left: rank, sign: ">", right: { number: 0.7 } } as const;
  const { entries, columns: shown } = await columns.select(
    { where: top, columns: [rank], sort: { operand: rank, descending: false } },
    CLOCK,
  );
  expect(entries.map(({ symbol, interval, at }) => [symbol, interval, shown[0]![at]])).toEqual([
    ["S0003", "1d", 0.75],
    ["S0002", "1h", 1],
    ["S0004", "1d", 1],
  ]);
});

test("every answer has what was written, changed and deleted before it, by whatever connection", async () => {
  await fill(5);
  const columns = new ProfileColumns(db);
  const low = { where: below("rsi_14", 3) };
  expect(await found(columns, low)).toEqual(["S0001", "S0002"]);
  const other = await openDatabase(folder.database());
  await other.write(profile(4, { features: { rsi_14: 0 } }));
  expect(await found(columns, low)).toEqual(["S0001", "S0002", "S0004"]);
  await other.write([...profile(1, { features: { sma_5: 1 } }), ...profile(9, { features: { rsi_14: 1 } })]);
  expect(await found(columns, low)).toEqual(["S0002", "S0004", "S0009"]);
  await deleteProfile(other, "S0009", "1d");
  expect(await found(columns, low)).toEqual(["S0002", "S0004"]);
  await other.write([...profile(9, { features: { rsi_14: 2 } }), { sql: "DELETE FROM series WHERE id = 3", args: [] }]);
  expect(await found(columns, low)).toEqual(["S0004", "S0009"]);
  await other.write([{ sql: "UPDATE profiles SET symbol = 'ZZZ' WHERE symbol = 'S0009'", args: [] }]);
  expect(await found(columns, low)).toEqual(["S0004", "ZZZ"]);
  other.close();
  expect(await found(new ProfileColumns(db), low)).toEqual(["S0004", "ZZZ"]);
});

test("queries that run at once, with features that are new to the columns, get the same answers", async () => {
  await fill(MANY);
  const columns = new ProfileColumns(db);
  const queries = NAMES.flatMap((feature) => [{ where: below(feature, 20) }, { where: below(feature, 40) }]);
  const writes = [5, 6, 7].map((n) => db.write(profile(n, { features: { rsi_14: 99, sma_5: 99, atr_14: 99 } })));
  const [together] = await Promise.all([Promise.all(queries.map((query) => found(columns, query))), ...writes]);
  for (const [at, query] of queries.entries()) {
    expect(await found(columns, query)).toEqual(await found(new ProfileColumns(db), query));
    expect(together[at]!.length).toBeGreaterThan(0);
  }
});

test("lists read no values of features that they do not show, and those that they show once", async () => {
  await fill(MANY);
  const columns = new ProfileColumns(recorded());
  const reads = () => statements.splice(0).filter((sql) => sql.includes("feature_values"));
  await columns.select({ search: "S1", sort: { column: "updated", descending: true } }, CLOCK);
  await columns.select({ healths: ["ok", "gaps"] }, CLOCK);
  await columns.all();
  expect(reads()).toEqual([]);
  await columns.select({ where: below("rsi_14", 10) }, CLOCK);
  // All rows in slices, and then what is newer: nothing.
  expect(reads().length).toBe(Math.ceil(MANY / 500) + 1);
  await columns.select({ where: below("rsi_14", 20) }, CLOCK);
  expect(reads().length).toBe(1);
});

test("other work of the thread runs between the slices of a long read", async () => {
  await fill(MANY);
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 0);
  const count = () => {
    turns += 1;
    if (turns < 1_000) setImmediate(count);
  };
  setImmediate(count);
  await new ProfileColumns(db).select({ where: below("rsi_14", 10) }, CLOCK);
  clearInterval(timer);
  expect(turns).toBeGreaterThanOrEqual(2);
  turns = 1_000;
});

test("after a read that failed the next answer is complete", async () => {
  await fill(MANY);
  let reads = 0;
  const failing: Database = {
    ...db,
    async rows(sql, args) {
      if (sql.includes("feature_values") && ++reads === 2) throw new Error("disk I/O error");
      return db.rows(sql, args);
    },
  };
  const columns = new ProfileColumns(failing);
  await columns.select({}, CLOCK);
  await expect(columns.select({ where: below("rsi_14", 10) }, CLOCK)).rejects.toThrow("disk I/O error");
  expect(await found(columns, { where: below("rsi_14", 10) })).toEqual(all((n) => n % 7 !== 0 && n % 100 < 10));
});

test("the health of a profile follows its series, and can be filtered and sorted by", async () => {
  await db.write([
    ...[0, 1, 2, 3, 4].flatMap((n) => profile(n, { lastBar: n === 1 ? 400 : 900, complete: n !== 2 })),
    { sql: "UPDATE series SET suspect_at = 2000 WHERE id = 4", args: [] },
    { sql: "UPDATE series SET revised_at = 2000 WHERE id = 5", args: [] },
  ]);
  const columns = new ProfileColumns(db);
  const { entries } = await columns.select({}, CLOCK);
  expect(await columns.healthsOf(entries, CLOCK)).toEqual(["ok", "stale", "gaps", "suspicious", "revised"]);
  expect(await found(columns, { healths: ["stale", "gaps"] })).toEqual(["S0001", "S0002"]);
  expect(await found(columns, { sort: { column: "health", descending: true } })).toEqual([3, 2, 1, 4, 0].map(symbolOf));
});

test("the health of a profile follows every write to what it depends on, by whatever connection", async () => {
  await db.write([0, 1, 2].flatMap((n) => profile(n)));
  const columns = new ProfileColumns(db);
  const other = await openDatabase(folder.database());
  const healths = async () => columns.healthsOf(await columns.all(), CLOCK);
  const after = async (...sql: string[]) => {
    await other.write(sql.map((text) => ({ sql: text, args: [] })));
    return healths();
  };
  const gap = (id: number, kind: string) =>
    `INSERT INTO gaps (series_id, date, kind, rows) VALUES (${id}, 86400, '${kind}', 0)`;
  expect(await healths()).toEqual(["ok", "ok", "ok"]);
  expect(await after(gap(1, "missing"), gap(2, "outside"))).toEqual(["gaps", "suspicious", "ok"]);
  expect(await after("UPDATE gaps SET answers = 3 WHERE series_id = 1")).toEqual(["ok", "suspicious", "ok"]);
  expect(await after("UPDATE gaps SET kind = 'hole' WHERE series_id = 2")).toEqual(["ok", "gaps", "ok"]);
  // A conflict clause of a statement holds for the triggers that it fires.
  expect(await after(`${gap(1, "hole").replace("INSERT", "INSERT OR REPLACE")}`)).toEqual(["gaps", "gaps", "ok"]);
  expect(await after("DELETE FROM gaps", "UPDATE series SET revised_at = 2000 WHERE id = 3")).toEqual([
    "ok",
    "ok",
    "revised",
  ]);
  const jump = "INSERT INTO findings (series_id, kind, date, seen_at) VALUES (1, 'scale_change', 86400, 1)";
  expect(await after(jump, "UPDATE series SET suspect_at = 2000 WHERE id = 2")).toEqual([
    "suspicious",
    "suspicious",
    "revised",
  ]);
  expect(await after("DELETE FROM findings", "UPDATE series SET suspect_at = NULL, revised_at = NULL")).toEqual([
    "ok",
    "ok",
    "ok",
  ]);
  // A series that takes the id of a deleted one has none of its facts.
  expect(await after("UPDATE series SET suspect_at = 2000 WHERE id = 3")).toEqual(["ok", "ok", "suspicious"]);
  await other.write([{ sql: "DELETE FROM series WHERE id = 3", args: [] }]);
  await other.write(profile(2));
  expect(await healths()).toEqual(["ok", "ok", "ok"]);
  other.close();
});

test("the facts behind healths are read once, and then those of series that have changed", async () => {
  await fill(MANY);
  const gaps =
    "INSERT INTO gaps (series_id, date, kind, rows) SELECT id, 86400, 'missing', 0 FROM series WHERE id % 2 = 0";
  await db.write([{ sql: gaps, args: [] }]);
  const columns = new ProfileColumns(recorded());
  const withGaps = { healths: ["gaps"] } as const;
  expect(await found(columns, withGaps)).toEqual(all((n) => n % 2 === 1));
  const reads = () => statements.splice(0).filter((sql) => sql.includes("gaps"));
  reads();
  expect(await found(columns, withGaps)).toEqual(all((n) => n % 2 === 1));
  expect(reads()).toEqual([]);
  await db.write([{ sql: "DELETE FROM gaps WHERE series_id > 4", args: [] }]);
  expect(await found(columns, withGaps)).toEqual(["S0001", "S0003"]);
  expect(reads().length).toBe(Math.ceil(MANY / 2 / 500));
});

test("facts of companies are conditions, follow every write of a company, and are read once for many questions", async () => {
  await fill(20);
  const company = (n: number, sector: string, more = {}) => ({
    symbol: symbolOf(n),
    name: "",
    exchange: "",
    facts: { sector, ...more },
  });
  await storeCompanies(db, [company(1, "Energy"), company(2, "Real Estate"), company(3, "Energy")], "import");
  const columns = new ProfileColumns(recorded());
  const isIn = (text: string) => ({ kind: "fact", fact: "sector", sign: "=", text }) as const;
  expect(await found(columns, { where: isIn("energy") })).toEqual(["S0001", "S0003"]);
  statements = [];
  expect(await found(columns, { where: { kind: "not", inner: isIn("energy") } })).toEqual(["S0002"]);
  expect(statements.filter((sql) => sql.includes("sector"))).toEqual([]);
  await storeCompanies(db, [company(3, "Utilities"), company(4, "Energy", { delisted_on: "2020-01-02" })], "import");
  await db.write(profile(40));
  expect(await found(columns, { where: isIn("energy") })).toEqual(["S0001", "S0004"]);
  await storeCompanies(db, [company(40, "Energy")], "import");
  expect(await found(columns, { where: isIn("energy") })).toEqual(["S0001", "S0004", "S0040"]);
  const gone = { kind: "fact", fact: "listing", sign: "=", text: "delisted" } as const;
  expect(await found(columns, { where: gone })).toEqual(["S0004"]);
  const top = { kind: "top", feature: "atr_14", count: 3 } as const;
  expect(await found(columns, { where: top })).toEqual(["S0018", "S0019", "S0040"]);
});
