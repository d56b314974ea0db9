/** Changes to the answers of the fake vendors: forms that say the same, and answers that say something else. */

import { DAY, type Interval } from "../../../src/domain/market/interval.ts";
import { marketOf } from "../../../src/domain/market/symbol.ts";
import { fakeAlpaca } from "./alpaca.ts";
import { fakeBinance } from "./binance.ts";
import { fakeEodhd } from "./eodhd.ts";
import { fakeMassive } from "./massive.ts";
import { fakeTiingo } from "./tiingo.ts";
import { fakeTwelveData } from "./twelvedata.ts";
import type { FakeVendor } from "./vendor.ts";
import { fakeYahoo } from "./yahoo.ts";

// biome-ignore lint/suspicious/noExplicitAny: answers have the shape of their vendor
type Body = any;
/** A row under its vendor's names. */
type WireRow = Record<string, unknown>;

/** How the rows of a vendor's answer are found and changed. */
export interface Wire {
  readonly name: string;
  start(): FakeVendor;
  readonly symbols: readonly string[];
  readonly intervals: readonly Interval[];
  /** The names of time, open, high, low, close, volume. */
  readonly fields: readonly string[];
  /** Whether a request is one for bars. */
  isBars(url: URL): boolean;
  rows(body: Body): WireRow[];
  /** The answer with other rows. */
  withRows(body: Body, rows: WireRow[]): Body;
  /** Epoch seconds of a time as it is written, and back. */
  parse(time: unknown): number;
  write(ts: number, like: unknown): unknown;
  /** The answer that says it is of another symbol, interval, exchange or adjustment. */
  readonly claims: Readonly<Record<string, (body: Body) => Body>>;
  /** The answer with a link to the next page, where there are pages. */
  readonly withNext?: (body: Body, url: URL) => Body;
}

const COMPACT = ["t", "o", "h", "l", "c", "v"];
const NAMES = ["open", "high", "low", "close", "volume"];
const dateOf = (ts: number) => new Date(ts * 1_000).toISOString().slice(0, 10);

export const WIRES: readonly Wire[] = [
  {
    name: "eodhd",
    start: fakeEodhd,
    symbols: ["AAPL", "BRK.B", "BTC-USD"],
    intervals: ["1d", "15m", "1h"],
    fields: ["time", ...NAMES],
    isBars: ({ pathname }) => /^\/api\/(?:eod|intraday)\//.test(pathname),
    rows: (body) => body.map(({ date, timestamp, ...row }: Body) => ({ time: date ?? timestamp, ...row })),
    withRows: (_body, rows) =>
      rows.map(({ time, ...row }) =>
        /^\d+-/.test(String(time)) ? { date: time, ...row } : { timestamp: time, ...row },
      ),
    parse: (time) => (typeof time === "number" ? time : Date.parse(`${time}T00:00:00Z`) / 1_000),
    write: (ts, like) => (typeof like === "number" ? ts : dateOf(ts)),
    claims: {},
  },
  {
    name: "alpaca",
    start: fakeAlpaca,
    symbols: ["AAPL", "BRK.B", "BTC-USD"],
    intervals: ["1d", "15m", "1h"],
    fields: COMPACT,
    isBars: ({ pathname, searchParams }) => pathname.endsWith("/bars") && searchParams.get("limit") !== "1",
    rows: (body) => Object.values(body.bars).flat() as WireRow[],
    withRows: (body, rows) => ({ ...body, bars: { [Object.keys(body.bars)[0]!]: rows } }),
    parse: (time) => Date.parse(String(time)) / 1_000,
    write: (ts) => new Date(ts * 1_000).toISOString().replace(".000", ""),
    claims: { symbol: (body) => ({ ...body, bars: { ZZZZ: Object.values(body.bars).flat() } }) },
    withNext: (body) => ({ ...body, next_page_token: "MA==" }),
  },
  {
    name: "massive",
    start: fakeMassive,
    symbols: ["AAPL", "BRK.B", "BTC-USD"],
    intervals: ["1d", "15m", "1h"],
    fields: COMPACT,
    isBars: ({ pathname }) => pathname.startsWith("/v2/aggs/ticker/"),
    rows: (body) => body.results ?? [],
    withRows: (body, rows) => ({ ...body, results: rows, resultsCount: rows.length, queryCount: rows.length }),
    parse: (time) => Number(time) / 1_000,
    write: (ts) => ts * 1_000,
    claims: {
      symbol: (body) => ({ ...body, ticker: "ZZZZ" }),
      adjustment: (body) => ({ ...body, adjusted: true }),
    },
    withNext: (body, url) => ({ ...body, next_url: url.href }),
  },
  {
    name: "binance",
    start: fakeBinance,
    symbols: ["BTC-USDT", "ETH-USDT"],
    intervals: ["1d", "15m", "1h"],
    fields: ["0", "1", "2", "3", "4", "5"],
    isBars: ({ pathname, searchParams }) => pathname === "/api/v3/klines" && searchParams.get("endTime") !== null,
    rows: (body) => body.map((row: unknown[]) => ({ ...row })),
    withRows: (_body, rows) => rows.map((row) => Array.from({ length: 12 }, (_, at) => row[at])),
    parse: (time) => Number(time) / 1_000,
    write: (ts) => ts * 1_000,
    claims: {},
  },
  {
    name: "twelvedata",
    start: fakeTwelveData,
    symbols: ["AAPL", "BTC-USD"],
    intervals: ["1d", "15m", "1h"],
    fields: ["datetime", ...NAMES],
    isBars: ({ pathname }) => pathname === "/time_series",
    rows: (body) => body.values ?? [],
    withRows: (body, rows) => ({ ...body, values: rows }),
    parse: (time) => Date.parse(String(time).replace(/^(\S+) (\S+)$/, "$1T$2Z")) / 1_000,
    write: (ts, like) =>
      String(like).length > 10 ? new Date(ts * 1_000).toISOString().slice(0, 19).replace("T", " ") : dateOf(ts),
    claims: {
      symbol: (body) => ({ ...body, meta: { ...body.meta, symbol: "ZZZZ" } }),
      interval: (body) => ({ ...body, meta: { ...body.meta, interval: "1week" } }),
      exchange: (body) => ({ ...body, meta: { ...body.meta, exchange: "LSE", exchange_timezone: "Europe/London" } }),
    },
  },
  {
    name: "tiingo",
    start: fakeTiingo,
    symbols: ["AAPL", "BRK.B"],
    intervals: ["1d"],
    fields: ["date", ...NAMES],
    isBars: ({ pathname }) => pathname.endsWith("/prices"),
    rows: (body) => body,
    withRows: (_body, rows) => rows,
    parse: (time) => Date.parse(String(time)) / 1_000,
    write: (ts) => new Date(ts * 1_000).toISOString(),
    claims: {},
  },
  {
    name: "yahoo",
    start: () => Object.assign(fakeYahoo(), { snapshot: false }),
    symbols: ["AAPL", "BRK.B", "BTC-USD"],
    intervals: ["1d", "15m", "1h"],
    fields: ["ts", ...NAMES],
    isBars: ({ pathname }) => pathname.startsWith("/v8/finance/chart/"),
    rows({ chart }) {
      const { timestamp, indicators } = chart.result[0];
      const [columns] = indicators.quote;
      return (timestamp ?? []).map((ts: number, at: number) => ({
        ts,
        ...Object.fromEntries(NAMES.map((name) => [name, columns[name][at]])),
      }));
    },
    withRows({ chart }, rows) {
      const columns = Object.fromEntries(NAMES.map((name) => [name, rows.map((row) => row[name])]));
      const result = {
        ...chart.result[0],
        timestamp: rows.map((row) => row.ts),
        indicators: { quote: [rows.some((row) => "open" in row) ? columns : {}] },
      };
      return { chart: { ...chart, result: [result] } };
    },
    parse: Number,
    write: (ts) => ts,
    claims: {
      symbol: (body) => withMeta(body, { symbol: "ZZZZ" }),
      interval: (body) => withMeta(body, { dataGranularity: "1mo" }),
    },
  },
];

function withMeta({ chart }: Body, more: object): Body {
  const [result] = chart.result;
  return { chart: { ...chart, result: [{ ...result, meta: { ...result.meta, ...more } }] } };
}

interface Asked {
  readonly url: URL;
  readonly symbol: string;
  readonly interval: Interval;
  /** Any number, for what is chosen. */
  readonly pick: number;
}

/** A changed answer; `null` if it cannot be changed so. */
export type Distortion = (wire: Wire, body: Body, asked: Asked) => Body | null;

/** A change of the rows of an answer that has some. */
const rowsOf =
  (change: (rows: WireRow[], wire: Wire, asked: Asked) => WireRow[] | null): Distortion =>
  (wire, body, asked) => {
    const rows = wire.rows(body);
    const changed = rows.length === 0 ? null : change(rows, wire, asked);
    return changed && wire.withRows(body, changed);
  };

const numbersAs = (write: (value: unknown) => unknown, last = 6): Distortion =>
  rowsOf((rows, wire) => {
    const names = new Set(wire.fields.slice(1, last));
    const written = (name: string, value: unknown) => (names.has(name) && value != null ? write(value) : value);
    return rows.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [name, written(name, value)])),
    );
  });

/** One price of one row is another one. */
const priceAs = (value: unknown): Distortion =>
  rowsOf((rows, { fields }, { pick }) => {
    const at = pick % rows.length;
    return rows.with(at, { ...rows[at], [fields[1 + (pick % 4)]!]: value });
  });

function shifted({ fields, parse, write }: Wire, row: WireRow, seconds: number): WireRow {
  const time = fields[0]!;
  return row[time] === undefined ? row : { ...row, [time]: write(parse(row[time]) + seconds, row[time]) };
}

const timesAs = (write: (time: number) => unknown): Distortion =>
  rowsOf((rows, { fields }) => {
    const time = fields[0]!;
    return typeof rows[0]![time] === "number"
      ? rows.map((row) => ({ ...row, [time]: write(Number(row[time])) }))
      : null;
  });

const claims =
  (name: string, isOf: (symbol: string) => boolean = () => true): Distortion =>
  (wire, body, { symbol }) =>
    isOf(symbol) ? (wire.claims[name]?.(body) ?? null) : null;
const isShare = (symbol: string) => marketOf(symbol) === "us_equity";

const YEAR = 364 * DAY;

/** Answers that say the same as before, and something besides that is no bar of the window. */
export const SAME: Readonly<Record<string, Distortion>> = {
  "numbers as text": numbersAs(String),
  "text as numbers": numbersAs(Number),
  "prices with noughts behind": numbersAs((value) => `${value}${String(value).includes(".") ? "00" : ".00"}`, 5),
  "rows in disorder": rowsOf((rows, _wire, { pick }) => {
    const key = (row: WireRow) => Bun.hash.crc32(JSON.stringify(row) + pick);
    return rows.toSorted((a, b) => key(a) - key(b));
  }),
  "rows the other way round": rowsOf((rows) => rows.toReversed()),
  "a row twice": rowsOf((rows, _wire, { pick }) => rows.toSpliced(pick % rows.length, 0, rows[pick % rows.length]!)),
  "all rows twice": rowsOf((rows) => [...rows, ...rows]),
  "more fields": rowsOf((rows) => rows.map((row) => (0 in row ? row : { ...row, vwap: 1, currency: "USD" }))),
  "a row before the window": rowsOf((rows, wire) => [shifted(wire, rows[0]!, -YEAR), ...rows]),
  "an older row last": rowsOf((rows, wire) => [...rows, shifted(wire, rows[0]!, -28 * DAY)]),
  "a row of the future": rowsOf((rows, wire) => [...rows, shifted(wire, rows.at(-1)!, 10 * YEAR)]),
  "no bar among the rows": rowsOf((rows, _wire, { pick }) => rows.toSpliced(pick % rows.length, 0, {})),
};

/** Answers that are of something else, or in which something is not said. */
export const OTHER: Readonly<Record<string, Distortion>> = {
  "another symbol": claims("symbol"),
  "another interval": claims("interval"),
  "another exchange": claims("exchange", isShare),
  "another adjustment": claims("adjustment", isShare),
  "rows of an hour": rowsOf((rows, { fields, parse }, { interval }) =>
    interval === "1d" || rows.length < 200 ? null : rows.filter((row) => parse(row[fields[0]!]) % 3_600 === 0),
  ),
  "a price missing": priceAs(null),
  "a price of nought": priceAs(0),
  "a price in words": priceAs("n/a"),
  "milliseconds for seconds": timesAs((time) => time * 1_000),
  "seconds for milliseconds": timesAs((time) => time / 1_000),
  "times in words": rowsOf((rows, { fields }) => rows.map((row) => ({ ...row, [fields[0]!]: "soon" }))),
  "rows of another year": rowsOf((rows, wire) => rows.map((row) => shifted(wire, row, -YEAR))),
  "other names": rowsOf((rows) =>
    0 in rows[0]!
      ? null
      : rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [`${name}_price`, value]))),
  ),
  "the same next page for ever": (wire, body, { url }) => wire.withNext?.(body, url) ?? null,
};
