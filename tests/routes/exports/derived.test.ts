/** Intervals that are not stored, features of longer bars, and labels, through the API. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { parquetMetadata } from "hyparquet";
import { CALENDAR } from "../../../src/domain/market/calendar.ts";
import type { ReadInterval } from "../../../src/domain/market/interval.ts";
import { barEndAt, deriveBars } from "../../../src/domain/market/resample.ts";
import { marketOf } from "../../../src/domain/market/symbol.ts";
import { FEATURES } from "../../../src/features/catalog.ts";
import { featureBlocks } from "../../../src/features/engine.ts";
import { readBars } from "../../../src/storage/market/bars.ts";
import { findSeries } from "../../../src/storage/market/series.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { type Row, readTable } from "./read-table.ts";

setDefaultTimeout(60_000);

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
  await app.waitForRun(await app.start({ symbols: ["AAPL", "BTC-USD"], interval: "15m", years: 1 }), "complete");
  await app.waitForRun(await app.start({ symbols: ["AAPL"], interval: "1d", years: 2, batch_days: 365 }), "complete");
});
afterAll(() => app[Symbol.asyncDispose]());

const ask = (path: string) => fetch(`${app.url}/api/${path}`);
const read = async (path: string) => readTable(await ask(path), "json");
const isoOf = (ts: number) => `${new Date(ts * 1000).toISOString().slice(0, -5)}Z`;
const startOf = ({ timestamp }: Row) => Date.parse(`${timestamp}`) / 1000;

async function stored(symbol: string) {
  const { id } = (await findSeries(app.app.db, symbol, "15m"))!;
  return readBars(app.app.db, id, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
}
const derived = async (symbol: string, interval: ReadInterval) =>
  deriveBars(CALENDAR, marketOf(symbol), interval, await stored(symbol), "15m");

describe("intervals that are not stored", () => {
  test.each([
    ["AAPL", "30m", "15m"],
    ["AAPL", "1h", "15m"],
    ["AAPL", "4h", "15m"],
    ["AAPL", "1w", "15m"],
    ["BTC-USD", "1d", "15m"],
    ["BTC-USD", "1mo", "15m"],
  ] as const)("%s at %s is built from %s, and says so", async (symbol, interval, source) => {
    const response = await ask(`bars/${symbol}?interval=${interval}`);
    expect(response.headers.get("x-barkeep-source-interval")).toBe(source);
    const rows = await readTable(response, "json");
    const { ts, open, high, low, close, volume } = await derived(symbol, interval);
    expect(rows).toEqual(
      Array.from(ts, (time, k) => ({
        timestamp: isoOf(time),
        open: open[k]!,
        high: high[k]!,
        low: low[k]!,
        close: close[k]!,
        volume: volume[k]!,
      })),
    );
  });

  test("an interval that is stored is read as it is, also where a finer one is stored", async () => {
    const { headers } = await ask("bars/AAPL?interval=1d");
    expect(headers.get("x-barkeep-source-interval")).toBe("1d");
  });

  test("derived bars of a range are those of the whole, and none begins before it", async () => {
    const whole = await read("bars/AAPL?interval=1h");
    const [from, to] = [startOf(whole[101]!) - 60, startOf(whole[140]!) + 60];
    expect(await read(`bars/AAPL?interval=1h&from=${isoOf(from)}&to=${isoOf(to)}`)).toEqual(whole.slice(101, 141));
    const month = await read("bars/BTC-USD?interval=1mo");
    expect(await read(`bars/BTC-USD?interval=1mo&from=${month[2]!.timestamp}&to=${month[5]!.timestamp}`)).toEqual(
      month.slice(2, 5),
    );
  });

  test("features of a derived interval are computed from the derived bars", async () => {
    const names = ["rsi_14", "sma_20", "rvol_20", "ema_12"];
    for (const interval of ["1h", "1w"] as const) {
      const features = names.map((name) => FEATURES.find((each) => each.name === name)!);
      const setup = { interval, market: "us_equity" } as const;
      const [block] = [...featureBlocks([await derived("AAPL", interval)], setup, features, { blockSize: 1e6 })];
      const rows = await read(`features/AAPL?interval=${interval}&names=${names.join(",")}`);
      expect(rows.map((row) => names.map((name) => row[name]))).toEqual(
        Array.from(block!.ts, (_, k) => block!.columns.map((column) => (Number.isNaN(column[k]) ? null : column[k]!))),
      );
    }
  });

  test("a panel of derived bars names its source in the file", async () => {
    const response = await ask("panel?symbols=AAPL,BTC-USD&interval=1d&names=rsi_14&format=parquet");
    expect(response.headers.get("x-barkeep-source-interval")).toBe("15m,1d");
    const { key_value_metadata } = parquetMetadata(await response.arrayBuffer());
    expect(key_value_metadata).toContainEqual({ key: "barkeep.source_interval", value: "15m,1d" });
  });

  test("bars at both ends of a history that may be partial are named in the header, the answer and the file", async () => {
    const whole = await stored("BTC-USD");
    const months = await read("bars/BTC-USD?interval=1mo");
    const [first, last] = [whole.ts[0]!, whole.ts.at(-1)! + 900];
    const named = [
      ...(first > startOf(months[0]!) ? [`BTC-USD/${months[0]!.timestamp}`] : []),
      ...(new Date(last * 1000).getUTCMonth() === new Date(startOf(months.at(-1)!) * 1000).getUTCMonth()
        ? [`BTC-USD/${months.at(-1)!.timestamp}`]
        : []),
    ];
    expect(named).not.toEqual([]);
    const response = await ask("bars/BTC-USD?interval=1mo");
    expect(response.headers.get("x-barkeep-partial")).toBe(named.join(","));
    expect(((await response.json()) as { partial: string[] }).partial).toEqual(named);
    const file = await ask("panel?symbols=BTC-USD&interval=1mo&names=rsi_14&format=parquet");
    const { key_value_metadata } = parquetMetadata(await file.arrayBuffer());
    expect(key_value_metadata).toContainEqual({ key: "barkeep.partial", value: named.join(",") });
    // Months between the two are whole, and a stored interval has no such bars.
    const between = `bars/BTC-USD?interval=1mo&from=${months[2]!.timestamp}&to=${months[5]!.timestamp}`;
    for (const path of [between, "bars/BTC-USD?interval=15m"])
      expect((await ask(path)).headers.has("x-barkeep-partial")).toBe(false);
  });

  test("an interval that nothing stored divides is 404", async () => {
    for (const path of ["bars/AAPL?interval=5m", "features/BTC-USD?interval=1m"])
      expect((await ask(path)).status).toBe(404);
    const panel = await ask("panel?symbols=AAPL&interval=1m");
    expect(panel.headers.get("x-barkeep-missing")).toBe("AAPL");
  });

  test("a symbol whose only bars belong to a longer bar before the range is missing, not silently absent", async () => {
    const hours = await read("bars/AAPL?interval=1h");
    const from = startOf(hours[5]!) + 900;
    const range = `from=${isoOf(from)}&to=${isoOf(from + 1_800)}`;
    const response = await ask(`panel?symbols=AAPL&interval=1h&names=none&include=ohlcv&${range}`);
    expect([response.headers.get("x-barkeep-missing"), await readTable(response, "json")]).toEqual(["AAPL", []]);
  });
});

describe("features of longer bars", () => {
  const names = "rsi_14@1h,sma_5@1d,ema_12@4h";

  test("each row has the features of the last longer bar that has ended by its own end", async () => {
    const rows = await read(`features/AAPL?interval=15m&names=${names},rsi_14`);
    const longer = new Map<string, { end: number; value: number | null }[]>();
    for (const [feature, interval] of [
      ["rsi_14", "1h"],
      ["sma_5", "1d"],
      ["ema_12", "4h"],
    ] as const) {
      const bars = await read(`features/AAPL?interval=${interval}&names=${feature}`);
      longer.set(
        `${feature}@${interval}`,
        bars.map((bar) => ({
          end: barEndAt(CALENDAR, "us_equity", interval, startOf(bar)),
          value: bar[feature] as number | null,
        })),
      );
    }
    expect(rows.length).toBeGreaterThan(5_000);
    for (const [name, bars] of longer) {
      const wrong = rows.findIndex((row) => {
        const end = startOf(row) + 900;
        return row[name] !== (bars.findLast((bar) => bar.end <= end)?.value ?? null);
      });
      expect([name, wrong]).toEqual([name, -1]);
    }
    const own = await read("features/AAPL?interval=15m&names=rsi_14");
    expect(rows.map((row) => row.rsi_14)).toEqual(own.map((row) => row.rsi_14));
  });

  test("joined features never look ahead: what happens after a row's bar changes none of its values", async () => {
    await using other = await startApp();
    await other.waitForRun(await other.start({ symbols: ["AAPL"], interval: "15m", years: 1 }), "complete");
    const query = "features/AAPL?interval=15m&names=rsi_14@1h,sma_5@1d,ema_12@4h,sma_5@1w";
    const readOther = async () => readTable(await fetch(`${other.url}/api/${query}`), "json");
    const before = await readOther();
    for (const at of [3_000, 3_003, 3_026]) {
      const cut = startOf(before[at]!);
      const { db } = other.app;
      await db.write([
        {
          sql: "UPDATE bars SET high = high * 3, low = low * 2, open = open * 2, close = close * 2.5 WHERE ts > ?",
          args: [cut],
        },
      ]);
      const after = await readOther();
      expect(after.slice(0, at + 1)).toEqual(before.slice(0, at + 1));
      expect(after.slice(at + 1)).not.toEqual(before.slice(at + 1));
      await db.write([
        {
          sql: "UPDATE bars SET high = high / 3, low = low / 2, open = open / 2, close = close / 2.5 WHERE ts > ?",
          args: [cut],
        },
      ]);
    }
  });

  test("joined features of a range equal those of the whole, in a panel too", async () => {
    const whole = await read(`features/AAPL?interval=15m&names=${names}`);
    const from = whole[2_000]!.timestamp;
    expect(await read(`features/AAPL?interval=15m&names=${names}&from=${from}`)).toEqual(whole.slice(2_000));
    const panel = await read(`panel?symbols=BTC-USD,AAPL&interval=15m&names=${names}&from=${from}`);
    const part = panel.filter(({ symbol }) => symbol === "AAPL").map(({ symbol: _, ...row }) => row);
    expect(part).toEqual(whole.slice(2_000));
  });

  test.each([
    ["interval=1h&names=rsi_14@15m", "wants an interval that is a multiple of 1h"],
    ["interval=1h&names=rsi_14@1h", "wants an interval that is a multiple of 1h"],
    ["interval=1w&names=rsi_14@1mo", "wants an interval that is a multiple of 1w"],
    ["interval=15m&names=rsi_14@2h", '"rsi_14@2h" is not a feature'],
    ["interval=15m&names=rsi_14@1h@1d", "is not a feature"],
  ])("features of longer bars are refused: %s", async (query, why) => {
    const { status, body } = await app.get(`/api/features/AAPL?${query}`);
    expect([status, body.errors[0].message]).toEqual([422, expect.stringContaining(why)]);
  });
});

describe("labels of a panel", () => {
  test("labels look beyond the range where bars are stored, and are null where the history ends", async () => {
    const bars = await read("bars/AAPL?interval=1d");
    const closes = bars.map(({ close }) => close as number);
    const query = "panel?symbols=AAPL&names=none&labels=fwd_ret_5,fwd_ret_60,tb_20_20_20";
    const whole = await read(query);
    const wanted = (h: number) => closes.map((close, t) => (t + h < closes.length ? closes[t + h]! / close - 1 : null));
    expect(whole.map(({ fwd_ret_5 }) => fwd_ret_5 as number | null)).toEqual(wanted(5));
    expect(whole.map(({ fwd_ret_60 }) => fwd_ret_60 as number | null)).toEqual(wanted(60));
    expect(whole.filter(({ tb_20_20_20 }) => tb_20_20_20 !== null).length).toBe(whole.length - 14 - 20);
    const part = await read(`${query}&from=${whole[100]!.timestamp}&to=${whole[140]!.timestamp}`);
    expect(part).toEqual(whole.slice(100, 140));
  });
});
