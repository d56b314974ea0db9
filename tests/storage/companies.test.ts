import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Company } from "../../src/domain/companies.ts";
import { readFilterValues, searchCompanies, storeCompanies } from "../../src/storage/companies/companies.ts";
import { addToWatchlist, createWatchlist } from "../../src/storage/companies/watchlists.ts";
import { type Database, openDatabase } from "../../src/storage/db.ts";
import { migratedDatabase, temporaryFolder } from "../helpers/folder.ts";
import { anyText } from "../helpers/inputs/texts.ts";

const company = (symbol: string, name = "", exchange = ""): Company => ({ symbol, name, exchange });

async function freshDatabase() {
  const folder = temporaryFolder();
  const db = await openDatabase(await migratedDatabase(folder));
  return {
    db,
    [Symbol.dispose]() {
      db.close();
      folder[Symbol.dispose]();
    },
  };
}

let shared: Awaited<ReturnType<typeof freshDatabase>>;
let db: Database;
beforeAll(async () => {
  shared = await freshDatabase();
  db = shared.db;
  await storeCompanies(
    db,
    [
      company("AAPL", "Apple Inc.", "NASDAQ"),
      company("APP", "AppLovin Corporation"),
      company("APLE", "Apple Hospitality REIT"),
      company("BRK.B", "Berkshire Hathaway Inc. Class B"),
      company("BRK.A", "Berkshire Hathaway Inc. Class A"),
      company("NESN@SW", "Nestlé S.A."),
      company("X", ""),
      company("ZAP", "Big apple farms"),
    ],
    "test",
  );
});
afterAll(() => shared[Symbol.dispose]());

const find = async (search: string, watchlist?: number) =>
  (await searchCompanies(db, { search, watchlist, limit: 100 })).companies.map(({ symbol }) => symbol);

describe("a search", () => {
  test("a company search finds the symbol itself first, then symbols with that prefix, then names with such words", async () => {
    expect(await find("app")).toEqual(["APP", "AAPL", "APLE", "ZAP"]);
    expect(await find("aapl")).toEqual(["AAPL"]);
    expect(await find("brk.")).toEqual(["BRK.A", "BRK.B"]);
  });

  test("a company search finds prefixes of words in any order, whatever their accents", async () => {
    expect(await find("hath berk")).toEqual(["BRK.A", "BRK.B"]);
    expect(await find("nestle")).toEqual(["NESN@SW"]);
    expect(await find("NESTLÉ")).toEqual(["NESN@SW"]);
  });

  test("a company search finds everything with nothing typed, and nothing with nonsense", async () => {
    expect(await find("  ")).toHaveLength(8);
    expect(await find("qqqq")).toEqual([]);
  });

  test("a company search takes any text literally", async () => {
    for (const text of [
      '"',
      "'; drop table companies; --",
      "a* OR b",
      "NEAR(",
      "-",
      "%",
      "name:apple",
      "\u0000",
      "💥",
    ]) {
      expect(Array.isArray(await find(text))).toBe(true);
    }
    await fc.assert(
      fc.asyncProperty(anyText({ maxLength: 30 }), async (text) => {
        expect(Array.isArray(await find(text))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test("a company search uses the indexes and never scans all companies", async () => {
    using own = await freshDatabase();
    const plan = async (sql: string, args: unknown[]) =>
      (await own.db.rows(`explain query plan ${sql}`, args)).map((row) => String(row[3])).join("\n");
    const asked: { sql: string; args: readonly unknown[] }[] = [];
    const spy: Database = {
      ...db,
      rows: (sql, args) => {
        asked.push({ sql, args });
        return db.rows(sql, args);
      },
    };
    await searchCompanies(spy, { search: "appl", limit: 50 });
    expect(asked).toHaveLength(2);
    for (const { sql, args } of asked) {
      const text = await plan(sql, [...args]);
      expect(text).not.toMatch(/SCAN c\b/);
      expect(text).toMatch(/SEARCH c USING (INDEX|INTEGER PRIMARY KEY)/);
    }
  });
});

test("pages of companies are disjoint, in order and complete, whatever their size", async () => {
  for (const search of ["app", "b", "", "inc"]) {
    const whole = await find(search);
    for (const limit of [1, 2, 3, 7]) {
      const paged: string[] = [];
      let after: string | undefined;
      do {
        const page = await searchCompanies(db, { search, limit, after });
        expect(page.companies.length).toBeLessThanOrEqual(limit);
        paged.push(...page.companies.map(({ symbol }) => symbol));
        after = page.next ?? undefined;
      } while (after !== undefined);
      expect(paged).toEqual(whole);
    }
  }
});

test("a search in a watchlist finds only its symbols, also those that nobody listed", async () => {
  const id = await createWatchlist(db, "Mine", ["AAPL", "ZAP"]);
  await addToWatchlist(db, id, ["NEWCO", "AAPL", "NEWCO@US"]);
  expect(await find("", id)).toEqual(["AAPL", "NEWCO", "ZAP"]);
  expect(await find("apple", id)).toEqual(["AAPL", "ZAP"]);
  expect(createWatchlist(db, "mine", [])).rejects.toThrow("already a watchlist named mine");
});

test("storing companies again updates names, and an empty name never replaces a known one", async () => {
  using own = await freshDatabase();
  const names = async () =>
    (await searchCompanies(own.db, { search: "", limit: 10 })).companies.map(({ symbol, name }) => `${symbol} ${name}`);
  await storeCompanies(own.db, [company("FB", "Facebook"), company("IBM", "International Business Machines")], "old");
  await storeCompanies(own.db, [company("FB", "Meta Platforms"), company("IBM")], "new");
  expect(await names()).toEqual(["FB Meta Platforms", "IBM International Business Machines"]);
  const found = async (search: string) => (await searchCompanies(own.db, { search, limit: 10 })).companies.length;
  expect([await found("facebook"), await found("meta"), await found("machines")]).toEqual([0, 1, 1]);
});

test("every company can be found by its symbol and by each word of its name", async () => {
  const word = fc.stringMatching(/^[a-z]{1,8}$/);
  const symbols = fc.uniqueArray(fc.stringMatching(/^[A-Z]{1,5}$/), { minLength: 1, maxLength: 20 });
  const lists = symbols.chain((list) =>
    fc.tuple(
      ...list.map((symbol) => fc.array(word, { maxLength: 3 }).map((words) => company(symbol, words.join(" ")))),
    ),
  );
  using own = await freshDatabase();
  await fc.assert(
    fc.asyncProperty(lists, async (list) => {
      await own.db.write([{ sql: "delete from companies", args: [] }]);
      await storeCompanies(own.db, list, "test");
      for (const { symbol, name } of list) {
        for (const search of [symbol, ...name.split(" ").filter(Boolean)]) {
          const { companies } = await searchCompanies(own.db, { search, limit: 100 });
          expect(companies.map((found) => found.symbol)).toContain(symbol);
        }
      }
    }),
    { numRuns: 25 },
  );
});

describe("facts", () => {
  test("facts keep their source and date, are never replaced by nothing, and can be searched by", async () => {
    using own = await freshDatabase();
    const { db } = own;
    const of = (symbol: string, facts: Company["facts"]): Company => ({ symbol, name: "", exchange: "NYSE", facts });
    const before = Date.now();
    await storeCompanies(
      db,
      [of("AAA", { sector: "Energy", currency: "USD" }), of("BBB", { sector: "Utilities" })],
      "eodhd",
    );
    await storeCompanies(db, [of("AAA", { industry: "Coal" }), { symbol: "CCC", name: "", exchange: "" }], "import");
    const found = async (filter: object, search = "") =>
      (await searchCompanies(db, { search, filter, limit: 100 })).companies.map(({ symbol }) => symbol);
    expect(await found({ sector: "Energy" })).toEqual(["AAA"]);
    expect(await found({ sector: "Utilities", exchange: "NYSE" })).toEqual(["BBB"]);
    expect(await found({ sector: "Utilities" }, "A")).toEqual([]);
    expect(await found({ exchange: "NYSE" })).toEqual(["AAA", "BBB"]);
    const [aaa, , ccc] = (await searchCompanies(db, { search: "", limit: 10 })).companies;
    expect(aaa!.facts).toEqual({ sector: "Energy", currency: "USD", industry: "Coal" });
    expect(aaa!.origins.sector).toEqual(["eodhd", expect.any(Number)]);
    expect(aaa!.origins.industry![0]).toBe("import");
    expect(aaa!.origins.industry![1]).toBeGreaterThanOrEqual(before);
    expect([ccc!.facts, ccc!.origins]).toEqual([{}, {}]);
    const values = await readFilterValues(db);
    expect([values.sector, values.exchange, values.country]).toEqual([["Energy", "Utilities"], ["NYSE"], []]);
  });

  test("a list without facts names companies and leaves the facts of known ones as they are, with their origins", async () => {
    using own = await freshDatabase();
    const read = async () => (await searchCompanies(own.db, { search: "", limit: 10 })).companies;
    const facts = { sector: "Energy", isin: "US0000000001", delisted_on: "2012-05-01" };
    await storeCompanies(own.db, [{ symbol: "AAA", name: "Old", exchange: "NYSE", facts }], "eodhd");
    const [before] = await read();
    const list = ["AAA", "BBB"].map((symbol) => ({ symbol, name: `${symbol} Inc`, exchange: "" }));
    await storeCompanies(own.db, list, "import");
    const [aaa, bbb] = await read();
    expect(aaa!.updatedAt).toBeGreaterThan(before!.updatedAt);
    expect(aaa!).toEqual({ ...before!, name: "AAA Inc", source: "import", updatedAt: aaa!.updatedAt });
    expect(bbb!).toMatchObject({ name: "BBB Inc", exchange: "", facts: {}, origins: {}, source: "import" });
  });

  test("a ticker that is listed is not delisted by an earlier owner of it, whatever comes first", async () => {
    const listed: Company = { symbol: "NEW", name: "New", exchange: "", facts: { delisted_on: "" } };
    const gone: Company = { symbol: "NEW", name: "Old", exchange: "", facts: { delisted_on: "2012-05-01" } };
    for (const order of [
      [listed, gone],
      [gone, listed],
    ]) {
      using own = await freshDatabase();
      for (const each of order) await storeCompanies(own.db, [each], "massive");
      const search = async (listing: string) =>
        (await searchCompanies(own.db, { search: "", filter: { listing }, limit: 5 })).companies.length;
      expect([await search("listed"), await search("delisted")]).toEqual([1, 0]);
    }
    using own = await freshDatabase();
    const later = { ...gone, facts: { delisted_on: "2999-01-01" } };
    for (const each of [listed, later]) await storeCompanies(own.db, [each], "massive");
    const { companies } = await searchCompanies(own.db, { search: "", filter: { listing: "delisted" }, limit: 5 });
    expect(companies[0]!.facts).toEqual({ delisted_on: "2999-01-01" });
  });
});
