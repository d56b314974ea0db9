import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { parquetMetadata } from "hyparquet";
import { FEATURES } from "../../../src/features/catalog.ts";
import { createWatchlist } from "../../../src/storage/companies/watchlists.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { FORMATS, type Format, type Row, readTable } from "./read-table.ts";

setDefaultTimeout(60_000);

const SYMBOLS = ["AAPL", "BTC-USD", "MSFT"];
let app: TestApp;
beforeAll(async () => {
  app = await startApp();
  await app.waitForRun(await app.start({ symbols: SYMBOLS, years: 1, batch_days: 365 }), "complete");
  await createWatchlist(app.app.db, "Big names", ["MSFT", "AAPL", "NOPE"]);
});
afterAll(() => app[Symbol.asyncDispose]());

const ask = (query: string, init?: RequestInit) => fetch(`${app.url}/api/panel?${query}`, init);
const read = async (query: string, format: Format = "json") =>
  readTable(await ask(`${query}&format=${format}`), format);
const symbolsIn = (rows: readonly Row[]) => [...new Set(rows.map(({ symbol }) => symbol))];

/** Bars and features of each symbol from their own routes, in the order of the panel. */
async function expected(names: string, from: string): Promise<Row[]> {
  const all: Row[] = [];
  for (const symbol of SYMBOLS) {
    const part = async (path: string) =>
      readTable(await fetch(`${app.url}/api/${path}&from=${from}&format=json`), "json");
    const bars = await part(`bars/${symbol}?interval=1d`);
    const features = await part(`features/${symbol}?names=${names}`);
    bars.forEach((bar, at) => void all.push({ symbol, ...bar, ...features[at] }));
  }
  return all;
}

describe("the rows of a panel", () => {
  const from = new Date(Date.now() - 200 * 86_400_000).toISOString().slice(0, 10);
  const query = `symbols=MSFT,AAPL,BTC-USD&names=rsi_14,sma_20&include=ohlcv&from=${from}`;

  test.each(FORMATS)(
    "a panel has the rows of each symbol's own bars and features, by symbol and time, as %s",
    async (format) => {
      const rows = await read(query, format);
      expect(rows.length).toBeGreaterThan(400);
      expect(rows).toEqual(await expected("rsi_14,sma_20", from));
    },
  );

  test.each(FORMATS)(
    "a panel sorted by time has the same rows, symbols in their order at each time, as %s",
    async (format) => {
      const rows = await read(`${query}&sort=timestamp`, format);
      const sorted = (await read(query)).toSorted(
        (a, b) =>
          String(a.timestamp).localeCompare(String(b.timestamp)) ||
          SYMBOLS.indexOf(`${a.symbol}`) - SYMBOLS.indexOf(`${b.symbol}`),
      );
      expect(rows).toEqual(sorted);
    },
  );

  test("a panel has all features, some or none, with or without bars", async () => {
    const columnsOf = async (query: string) => Object.keys((await read(`symbols=AAPL&${query}`))[0]!).slice(2);
    const all = FEATURES.map(({ name }) => name);
    expect(await columnsOf("")).toEqual(all);
    expect(await columnsOf("names=all&include=ohlcv")).toEqual(["open", "high", "low", "close", "volume", ...all]);
    expect(await columnsOf("names=none&include=ohlcv")).toEqual(["open", "high", "low", "close", "volume"]);
    expect(await columnsOf("names=atr_14")).toEqual(["atr_14"]);
  });

  test("a panel as float32 has the nearest floats, with the digits that they need", async () => {
    const exact = await read(query);
    for (const format of FORMATS) {
      const rows = await read(`${query}&dtype=float32`, format);
      const same = rows.findIndex((row, at) =>
        ["close", "rsi_14", "sma_20"].some((name) => {
          const [value, wanted] = [row[name] as number | null, exact[at]![name] as number | null];
          return wanted === null ? value !== null : Math.fround(value!) !== Math.fround(wanted);
        }),
      );
      expect([format, same, rows.length]).toEqual([format, -1, exact.length]);
    }
    const text = await (await ask(`${query}&dtype=float32&format=csv`)).text();
    for (const cell of text.split("\n")[50]!.split(",").slice(2)) expect(cell.length).toBeLessThanOrEqual(12);
  });
});

describe("the symbols of a panel", () => {
  test("symbols without bars are named in the header and in the answer, the others are there", async () => {
    const response = await ask("symbols=ZZZ,AAPL,NOPE&names=rsi_14");
    expect(response.headers.get("x-barkeep-missing")).toBe("NOPE,ZZZ");
    expect(response.headers.get("x-barkeep-missing-count")).toBe("2");
    const body = (await response.json()) as { data: Row[]; missing: string[] };
    expect(symbolsIn(body.data)).toEqual(["AAPL"]);
    expect(body.missing).toEqual(["NOPE", "ZZZ"]);
    expect((await ask("symbols=AAPL&names=rsi_14")).headers.has("x-barkeep-missing")).toBe(false);
  });

  test("symbols without bars in the range are missing too", async () => {
    const response = await ask("symbols=AAPL&names=rsi_14&from=2001-01-01&to=2001-02-01");
    expect(response.headers.get("x-barkeep-missing")).toBe("AAPL");
    expect(await readTable(response, "json")).toEqual([]);
  });

  test("thousands of missing symbols fit in the header, which says how many follow", async () => {
    const many = Array.from({ length: 2_000 }, (_, k) => `Q${String(k).padStart(4, "0")}`);
    await createWatchlist(app.app.db, "Unknown", many);
    const { headers } = await ask("watchlist=Unknown&names=none&include=ohlcv&format=parquet");
    const listed = headers.get("x-barkeep-missing")!;
    expect(listed.length).toBeLessThan(5_000);
    const shown = listed.split(",").filter((word) => word.startsWith("Q")).length;
    expect(listed).toEndWith(`,... and ${2_000 - shown} more`);
    expect(headers.get("x-barkeep-missing-count")).toBe("2000");
  });

  test("a panel takes the symbols of a watchlist or of a screen", async () => {
    const response = await ask("watchlist=Big%20names&names=rsi_14");
    expect(response.headers.get("x-barkeep-missing")).toBe("NOPE");
    expect(symbolsIn(await readTable(response, "json"))).toEqual(["AAPL", "MSFT"]);
    const { profiles } = (await app.get("/api/profiles?where=rsi_14<50")).body;
    const where = await read(`where=${encodeURIComponent("rsi_14<50")}&names=rsi_14`);
    expect(symbolsIn(where)).toEqual(profiles.map(({ symbol }: { symbol: string }) => symbol));
    expect(symbolsIn(await read(`where=${encodeURIComponent("rsi_14>=0")}&names=rsi_14`))).toEqual(SYMBOLS);
  });
});

describe("the file of a panel", () => {
  test("a Parquet panel says what it holds, and has its symbols as a dictionary", async () => {
    const response = await ask("symbols=AAPL,NOPE,MSFT&names=rsi_14&from=2020-01-01&format=parquet&dtype=float32");
    expect(response.headers.get("Content-Disposition")).toBe('attachment; filename="panel-1d.parquet"');
    expect(response.headers.get("x-barkeep-source-interval")).toBe("1d");
    const metadata = parquetMetadata(await response.arrayBuffer());
    const facts = Object.fromEntries(metadata.key_value_metadata!.map(({ key, value }) => [key, value]));
    expect(facts).toMatchObject({
      "barkeep.symbol": "AAPL,MSFT",
      "barkeep.interval": "1d",
      "barkeep.source_interval": "1d",
      "barkeep.provider": "demo",
      "barkeep.adjust": "splits",
      "barkeep.from": "2020-01-01T00:00:00Z",
      "barkeep.to": "",
      "barkeep.missing": "NOPE",
      "barkeep.known_since": "",
      "barkeep.partial": "",
    });
    expect(Object.keys(facts)).toHaveLength(14);
    const [symbol, , value] = metadata.row_groups[0]!.columns.map(({ meta_data }) => meta_data!);
    expect([symbol!.type, symbol!.encodings]).toEqual(["BYTE_ARRAY", expect.arrayContaining(["RLE_DICTIONARY"])]);
    expect(value!.type).toBe("FLOAT");
  });
});

describe("what is refused", () => {
  test.each([
    ["names=rsi_14", "wants one of symbols, watchlist and where"],
    ["symbols=AAPL&watchlist=x", "wants one of symbols, watchlist and where"],
    ["symbols=", "wants 1 to 5000 symbols"],
    ["symbols=AAPL,%3Cb%3E", '"<b>" is not a symbol'],
    ["symbols=BTC/USDT", "a pair is written BTC-USDT"],
    ["symbols=AAPL&names=rsi_15", '"rsi_15" is not a feature'],
    ["symbols=AAPL&names=fwd_ret_1", "is a label and looks ahead"],
    ["symbols=AAPL&names=none", "the table would have no columns"],
    ["symbols=AAPL&include=vwap", '"vwap" is not ohlcv'],
    ["symbols=AAPL&labels=fwd_ret_4", '"fwd_ret_4" is no label'],
    ["symbols=AAPL&labels=rsi_14", '"rsi_14" is no label'],
    ["symbols=AAPL&sort=close", '"close" is not one of symbol, timestamp'],
    ["symbols=AAPL&dtype=float16", '"float16" is not one of float64, float32'],
    ["where=", "is empty"],
    ["where=rsi_14%3C", "where"],
  ])("a panel is refused: %s", async (query, why) => {
    const response = await ask(query);
    const text = JSON.stringify(await response.json());
    expect([response.status, text]).toEqual([422, expect.stringContaining(JSON.stringify(why).slice(1, -1))]);
  });

  test.each(["bars/AAPL?", "features/AAPL?", "panel?symbols=AAPL&"])(
    "a data route refuses parameters that it does not know, and those given twice: %s",
    async (path) => {
      const unknown = await app.get(`/api/${path}intervall=1h`);
      expect([unknown.status, unknown.body.detail]).toEqual([422, expect.stringContaining('"intervall"')]);
      expect((await app.get(`/api/${path}interval=1d&interval=1d`)).status).toBe(422);
    },
  );

  test("a watchlist that does not exist is 404", async () => {
    const { status, body } = await app.get("/api/panel?watchlist=Nobody");
    expect([status, body.detail]).toEqual([404, 'There is no watchlist named "Nobody"']);
  });
});

describe("on the wire", () => {
  test("HEAD of a panel answers as GET and starts no work", async () => {
    const query = "symbols=AAPL,NOPE&names=rsi_14&format=parquet";
    const [head, get] = [await ask(query, { method: "HEAD" }), await ask(query)];
    const facts = ({ headers, status }: Response) => [
      status,
      ...["Content-Type", "Content-Disposition", "x-barkeep-missing"].map((name) => headers.get(name)),
    ];
    expect(facts(head)).toEqual(facts(get));
    expect(head.headers.get("Content-Length")).toBeNull();
    const { byteLength } = await get.arrayBuffer();
    expect(Number(get.headers.get("Content-Length"))).toBe(byteLength);
    expect(app.app.exporter.tables.counts).toEqual({ atWork: 0, waiting: 0 });
  });

  test.each([
    ["gzip", "gzip"],
    ["br", "br"],
    ["gzip, deflate, br", "br"],
    ["br;q=0.1, gzip;q=0.8", "gzip"],
    ["gzip;q=0", null],
    ["identity", null],
  ])("text is compressed as the reader accepts it: %s", async (accepted, coding) => {
    const query = "symbols=AAPL,MSFT&names=rsi_14,sma_20";
    const plain = await (await ask(`${query}&format=csv`, { headers: { "Accept-Encoding": "identity" } })).text();
    const response = await ask(`${query}&format=csv`, { headers: { "Accept-Encoding": accepted } });
    expect(response.headers.get("Content-Encoding")).toBe(coding);
    expect(response.headers.get("Vary")).toContain("Accept-Encoding");
    expect(await response.text()).toBe(plain);
    const file = await ask(`${query}&format=parquet`, { headers: { "Accept-Encoding": accepted } });
    expect(file.headers.get("Content-Encoding")).toBe(null);
    await file.arrayBuffer();
  });

  test("a reader of a panel that leaves frees its place", async () => {
    const gone = new AbortController();
    const response = await ask("symbols=AAPL,BTC-USD,MSFT&format=csv", { signal: gone.signal });
    await response.body!.getReader().read();
    gone.abort();
    while (app.app.exporter.tables.counts.atWork > 0) await Bun.sleep(1);
    expect((await read("symbols=AAPL&names=rsi_14")).length).toBeGreaterThan(200);
  });
});
