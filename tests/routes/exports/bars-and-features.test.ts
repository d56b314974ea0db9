import { afterAll, beforeAll, describe, expect, setDefaultTimeout, spyOn, test } from "bun:test";
import { isoMillisecond } from "../../../src/domain/time.ts";
import { FEATURES } from "../../../src/features/catalog.ts";
import { exportTable } from "../../../src/pipeline/exports/export-table.ts";
import { readBars } from "../../../src/storage/market/bars.ts";
import { findSeries } from "../../../src/storage/market/series.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { ReusedWorker } from "../../helpers/bundle/threads.ts";
import { readParquet } from "../../helpers/tables.ts";

setDefaultTimeout(60_000);

type Cell = number | null;
interface Table {
  readonly names: readonly string[];
  readonly ts: readonly number[];
  readonly rows: readonly (readonly Cell[])[];
}
type Row = { timestamp: string } & Record<string, Cell>;

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
  await app.waitForRun(await app.start({ symbols: ["AAPL", "BTC-USD"], years: 3, batch_days: 365 }), "complete");
});
afterAll(() => app[Symbol.asyncDispose]());

/** One of the three forms of a table, as its readers see it. */
const READERS = {
  async json(response: Response): Promise<Table> {
    const { data } = (await response.json()) as { data: Row[] };
    const names = Object.keys(data[0] ?? {}).filter((name) => name !== "timestamp");
    const ts = data.map(({ timestamp }) => Date.parse(timestamp) / 1000);
    return { names, ts, rows: data.map((row) => names.map((name) => row[name]!)) };
  },
  async csv(response: Response): Promise<Table> {
    const [head, ...lines] = (await response.text()).trimEnd().split("\n");
    const cells = lines.map((line) => line.split(","));
    return {
      names: head!.split(",").slice(1),
      ts: cells.map(([time]) => Date.parse(time!) / 1000),
      rows: cells.map((row) => row.slice(1).map((text) => (text === "" ? null : Number(text)))),
    };
  },
  async parquet(response: Response): Promise<Table> {
    const objects = await readParquet(await response.arrayBuffer());
    const names = Object.keys(objects[0] ?? {}).filter((name) => name !== "timestamp");
    return {
      names,
      ts: objects.map(({ timestamp }) => (timestamp as Date).getTime() / 1000),
      rows: objects.map((row) => names.map((name) => (row[name] ?? null) as Cell)),
    };
  },
};
const FORMATS = Object.keys(READERS) as (keyof typeof READERS)[];

async function read(path: string, format: keyof typeof READERS = "json"): Promise<Table> {
  const response = await fetch(`${app.url}/api/${path}${path.includes("?") ? "&" : "?"}format=${format}`);
  expect(response.status).toBe(200);
  return READERS[format](response);
}

async function storedBars(symbol: string) {
  const series = await findSeries(app.app.db, symbol, "1d");
  return readBars(app.app.db, series!.id, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
}

/** The whole matrices, which several tests compare with: each is read once. */
const matrices = new Map<string, Promise<Table>>();
const matrixOf = (symbol: string) => matrices.getOrInsertComputed(symbol, () => read(`features/${symbol}`));

const lastRow = ({ names, rows }: Table) => Object.fromEntries(names.map((name, k) => [name, rows.at(-1)![k]]));

describe("the bars", () => {
  test.each(FORMATS)("exported bars are those that are stored, as %s", async (format) => {
    const { names, ts, rows } = await read("bars/AAPL", format);
    const stored = await storedBars("AAPL");
    expect(names).toEqual(["open", "high", "low", "close", "volume"]);
    expect(ts).toEqual([...stored.ts]);
    expect(rows).toEqual(ts.map((_, i) => names.map((name) => stored[name as "open"][i]!)));
  });

  test("exported bars of a range begin with `from` and end before `to`", async () => {
    const { ts } = await read("bars/AAPL");
    const [from, to] = [ts[10]!, ts[20]!];
    const iso = (at: number) => new Date(at * 1000).toISOString();
    expect((await read(`bars/AAPL?from=${iso(from)}&to=${iso(to)}`)).ts).toEqual(ts.slice(10, 20));
    expect((await read(`bars/AAPL?from=${iso(from + 1)}&to=${iso(to + 1)}`)).ts).toEqual(ts.slice(11, 21));
    const date = (at: number) => iso(at).slice(0, 10);
    expect((await read(`bars/AAPL?from=${date(from)}&to=${date(to)}`)).ts).toEqual(ts.slice(10, 20));
  });

  test.each(FORMATS)("exported bars of an empty range are an empty table, as %s", async (format) => {
    expect((await read("bars/AAPL?from=2001-01-01&to=2001-02-01", format)).rows).toEqual([]);
  });

  test("exported bars as JSON name their series; as files they have a name", async () => {
    const { body } = await app.get("/api/bars/BTC-USD");
    expect(body).toMatchObject({ symbol: "BTC-USD", interval: "1d", provider: "demo" });
    const csv = await app.get("/api/bars/BTC-USD?format=csv");
    expect(csv.type).toBe("text/csv; charset=utf-8");
    expect(csv.headers.get("Content-Disposition")).toBe('attachment; filename="BTC-USD-1d-bars.csv"');
  });
});

describe("the feature matrix", () => {
  test("the feature matrix is the same as json, csv and parquet", async () => {
    const json = await matrixOf("AAPL");
    expect(json.names).toEqual(FEATURES.map(({ name }) => name));
    expect(json.ts).toEqual([...(await storedBars("AAPL")).ts]);
    for (const format of ["csv", "parquet"] as const) expect(await read("features/AAPL", format)).toEqual(json);
  });

  test("the feature matrix holds no feature before its warm-up, and never 0 or NaN instead", async () => {
    const { names, rows } = await read("features/AAPL?names=sma_20,rsi_14");
    expect(names).toEqual(["sma_20", "rsi_14"]);
    expect(rows.findIndex(([sma]) => sma !== null)).toBe(19);
    expect(rows.findIndex(([, rsi]) => rsi !== null)).toBe(14);
    expect(rows.slice(19).flat()).not.toContain(null);
  });

  test.each(["AAPL", "BTC-USD"])(
    "the feature matrix of a range equals the same rows of the whole: %s",
    async (symbol) => {
      const whole = await matrixOf(symbol);
      for (const [start, end] of [
        [0, 1],
        [1, 40],
        [300, 420],
        [whole.ts.length - 1, whole.ts.length],
      ] as const) {
        const to = whole.ts[end] ?? whole.ts.at(-1)! + 1;
        const part = await read(`features/${symbol}?from=${isoMillisecond(whole.ts[start]!)}&to=${isoMillisecond(to)}`);
        expect(part.ts).toEqual(whole.ts.slice(start, end));
        expect(part.rows).toEqual(whole.rows.slice(start, end));
      }
    },
  );

  test("the feature matrix has the columns requested, in that order, each once and as in the whole", async () => {
    const whole = await matrixOf("AAPL");
    const names = ["obv", "rsi_14", "atr_14"];
    const part = await read(`features/AAPL?names=${encodeURIComponent("obv, rsi_14,atr_14,obv")}`);
    expect(part.names).toEqual(names);
    const at = names.map((name) => whole.names.indexOf(name));
    expect(part.rows).toEqual(whole.rows.map((row) => at.map((k) => row[k]!)));
  });

  test("the feature matrix ends with the profile, also after an incremental run", async () => {
    const compare = async () => {
      const { features } = (await app.get("/api/profiles/AAPL")).body;
      expect(lastRow(await read("features/AAPL"))).toEqual(features);
    };
    await compare();
    await app.waitForRun(await app.start({ symbols: ["AAPL"], mode: "incremental" }), "complete");
    await compare();
  });
});

describe("what is refused", () => {
  test.each([
    ["features/AAPL?names=sma_20,sma_21", '"sma_21" is not a feature'],
    ["features/AAPL?names=", "wants names of features"],
    ["features/AAPL?names=__proto__", "is not a feature"],
    ["bars/AAPL?format=xml", '"xml" is not one of json, csv, parquet, arrow, ndjson'],
    ["bars/AAPL?from=yesterday", '"yesterday" is not a date or time: wants 2024-01-31 or 2024-01-31T14:30:00Z'],
    ["bars/AAPL?from=05.10.2026", '"05.10.2026" is not a date or time'],
    ["bars/AAPL?from=10/05/2026", '"10/05/2026" is not a date or time'],
    ["bars/AAPL?to=2026-02-30", '"2026-02-30" is not a date or time'],
    ["bars/AAPL?to=2026-10-05T24:00", '"2026-10-05T24:00" is not a date or time'],
    ["bars/AAPL?to=1790000000", '"1790000000" is not a date or time'],
    ["bars/AAPL?interval=2h", '"2h" is not one of'],
    ["bars/%3Cscript%3E", "is not a symbol"],
  ])("an export request is refused: %s", async (path, why) => {
    const { status, type, body } = await app.get(`/api/${path}`);
    expect(status).toBe(422);
    expect(type).toContain("application/problem+json");
    expect(body.errors[0].message).toContain(why);
  });

  test.each(["bars/NOPE", "features/NOPE", "bars/AAPL?interval=5m", "bars/AAPL?provider=csv"])(
    "an export of what is not stored is refused: %s",
    async (path) => {
      const { status, body } = await app.get(`/api/${path}`);
      expect(status).toBe(404);
      expect(body.detail).toContain("start a run for it first");
    },
  );
});

test("several exports at once do not disturb each other", async () => {
  const paths = ["bars/AAPL", "bars/BTC-USD", "features/AAPL?names=obv", "features/BTC-USD?names=obv,ema_12"];
  const alone: Table[] = [];
  for (const path of paths) alone.push(await read(path));
  const together = await Promise.all([...paths, ...paths].map((path, k) => read(path, FORMATS[k % 3])));
  expect(together).toEqual([...alone, ...alone]);
});

test("an export whose reader goes away ends, and the next one is served", async () => {
  await app.waitForRun(await app.start({ symbols: ["LONG"], years: "all", batch_days: 365 }), "complete");
  const { names, ts, rows } = await read("features/LONG?names=sma_5");
  // What the exporter tells its thread: `more` is only asked for while somebody reads.
  const told: { type: string; id: number }[] = [];
  const cancelled = Promise.withResolvers<void>();
  const post = ReusedWorker.prototype.postMessage;
  const spy = spyOn(ReusedWorker.prototype, "postMessage").mockImplementation(function (this: ReusedWorker, ...args) {
    told.push(args[0] as (typeof told)[number]);
    if (told.filter(({ type }) => type === "cancel").length === 3) cancelled.resolve();
    Reflect.apply(post, this, args);
  });
  const leave = async () => {
    const gone = new AbortController();
    const response = await fetch(`${app.url}/api/features/LONG?format=csv`, { signal: gone.signal });
    await response.body!.getReader().read();
    gone.abort();
  };
  await Promise.all([leave(), leave(), leave()]);
  await cancelled.promise;
  const asked = told.length;
  expect(await read("features/LONG?names=sma_5", "csv")).toEqual({ names, ts, rows });
  spy.mockRestore();
  const left = new Set(told.filter(({ type }) => type === "cancel").map(({ id }) => id));
  expect(left.size).toBe(3);
  expect(told.slice(asked).filter(({ id }) => left.has(id))).toEqual([]);
});

test("two exports are at work and sixteen wait; the next gets 503 with Retry-After, and one that leaves makes room", async () => {
  const { tables } = app.app.exporter;
  const reach = async (atWork: number, waiting: number) => {
    while (tables.counts.atWork !== atWork || tables.counts.waiting !== waiting) await Bun.sleep(2);
  };
  const begin = () => {
    const gone = new AbortController();
    // Nobody reads the answer: it is longer than the buffers on the way.
    const answer = fetch(`${app.url}/api/features/LONG?format=csv`, { signal: gone.signal }).catch(() => null);
    return { leave: () => gone.abort(), answer };
  };
  const all = Array.from({ length: 18 }, begin);
  await reach(2, 16);
  const { status, headers, body } = await app.get("/api/bars/AAPL");
  expect([status, headers.get("Retry-After"), body.detail]).toEqual([503, "5", expect.stringContaining("try again")]);
  // Lists of profiles are short and have places of their own.
  expect((await app.get("/api/profiles")).status).toBe(200);
  for (const { leave } of all) leave();
  await reach(0, 0);
  expect((await read("bars/AAPL")).rows.length).toBeGreaterThan(700);
  await Promise.all(all.map(({ answer }) => answer));
});

test.each(["csv", "json", "parquet"] as const)(
  "an export without a reader can be stopped within a piece, as %s",
  async (format) => {
    const { id } = (await findSeries(app.app.db, "LONG", "1d"))!;
    const base = { seriesId: id, source: "1d", venue: "us_equity" } as const;
    let looked = 0;
    const pieces = exportTable(
      app.app.db,
      {
        content: "table",
        series: [{ symbol: "LONG", base, longer: {} }],
        hasSymbol: false,
        hasBars: false,
        features: FEATURES.map(({ name }) => name),
        labels: [],
        interval: "1d",
        from: Number.MIN_SAFE_INTEGER,
        to: Number.MAX_SAFE_INTEGER,
        format,
        dtype: "float64",
        sort: "symbol",
        adjust: "splits",
        coding: null,
        head: {},
        metadata: {},
      },
      () => {
        looked += 1;
        if (looked === 50) throw new Error("stopped");
      },
    );
    await pieces.next();
    expect(pieces.next()).rejects.toThrow("stopped");
    await pieces.next();
    expect(looked).toBe(50);
  },
);
