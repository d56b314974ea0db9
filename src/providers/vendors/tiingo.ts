/** Tiingo: raw daily US bars of more than thirty years, with splits and dividends in the same row. */

import Papa from "papaparse";
import { z } from "zod";
import { cleanFacts } from "../../domain/companies.ts";
import { isoDate, parseIsoDate } from "../../domain/time.ts";
import { type Answer, type Classification, classifyMessage } from "../http/classify.ts";
import { type Rows, wire, wireBar } from "../http/rows.ts";
import { shareName } from "../http/ticker.ts";
import { type VendorQuery, type VendorSpec, windowOf } from "../http/vendor-spec.ts";

const bar = z.object({ date: z.string(), ...wireBar, divCash: wire, splitFactor: wire });
const schema = z.array(z.unknown());

/** A line of the list of tickers. */
const listed = z.object({
  ticker: z.string(),
  exchange: z.string().optional(),
  assetType: z.string().optional(),
  priceCurrency: z.string().optional(),
  /** The day of the last price, which goes on moving while the ticker is listed. */
  endDate: z.string().optional(),
});
type Listed = z.infer<typeof listed>;
const US_EXCHANGES = /^(?:NYSE|NASDAQ|AMEX|BATS)/;
/** A ticker without prices for so long is no longer listed. */
const DELISTED_AFTER_MS = 30 * 86_400_000;
const MAX_LIST_BYTES = 200 * 2 ** 20;

const lastOf = ({ endDate = "" }: Listed) => (endDate === "" ? "9999-12-31" : endDate);

/** `BRK-B` is `BRK.B`, `BAC-P-L` is `BAC.PL`. */
const symbolOf = (ticker: string) => ticker.replace(/-P-([A-Z])$/, ".P$1").replaceAll("-", ".");

/** The lines of the one file in a zip; `null` if it is none. */
async function tickersIn(bytes: Uint8Array): Promise<unknown[] | null> {
  // Loaded for a list only: every thread loads this adapter at its start.
  const { unzipSync } = await import("fflate");
  try {
    const files = unzipSync(bytes, { filter: ({ originalSize }) => originalSize <= MAX_LIST_BYTES });
    const [csv] = Object.values(files);
    if (csv === undefined) return null;
    return Papa.parse(new TextDecoder().decode(csv), { header: true, skipEmptyLines: true }).data;
  } catch {
    return null;
  }
}

export const tiingo: VendorSpec<z.infer<typeof schema>> = {
  name: "tiingo",
  title: "Tiingo",
  summary: "Raw daily bars of US stocks and funds; a free key gives 50 requests an hour and 1,000 a day.",
  baseUrl: "https://api.tiingo.com",
  domains: ["tiingo.com"],
  plans: [
    "free: 50 requests an hour, 1,000 a day, 500 symbols a month",
    "Power: 10,000 an hour, 100,000 a day (set TIINGO_PER_HOUR and TIINGO_PER_DAY)",
  ],
  lacks: ["bars of less than a day", "crypto, and other exchanges", "requests for many symbols"],
  keys: [{ variable: "TIINGO_API_KEY", kind: "key", label: "API token", required: true }],
  limits: [
    { period: "hour", counts: "requests", limit: 50 },
    { period: "day", counts: "requests", limit: 1_000 },
  ],
  // None is named: the largest plan's 10,000 an hour are 6 under way at two seconds.
  maxInFlight: 12,
  sources: { "1d": "1d" },
  maxDays: () => 36_500,
  historyStart: () => Date.UTC(1962, 0, 2) / 1000,
  // Ready at 17:30, corrected until 20:00 New York.
  delay: () => ({ after: "session", seconds: 4 * 3600 }),
  traits: () => ({ feed: "consolidated", adjustment: "none" }),
  refuses: ({ market, exchange }) =>
    market === "crypto" || exchange !== "US" ? "this adapter covers US stocks and funds" : null,
  headers: (values) => ({ authorization: `Token ${values.TIINGO_API_KEY ?? ""}` }),

  request({ ticker, from, to }: VendorQuery) {
    // A share class is written with a dash: BRK-B, a preferred share with two: BAC-P-L.
    const name = shareName(ticker.name, { class: "-", preferred: "-P-" });
    const path = `/tiingo/daily/${encodeURIComponent(name)}/prices`;
    const query = { startDate: isoDate(from), endDate: isoDate(to - 1), resampleFreq: "daily", format: "json" };
    return { path, query, cost: 1 };
  },

  schema,
  answer: { rows: Number.POSITIVE_INFINITY, more: "none" },
  read(answer, rows: Rows, query: VendorQuery) {
    rows.each(bar, answer, windowOf(query), ({ date, open, high, low, close, volume, divCash, splitFactor }) => {
      const ts = parseIsoDate(date.slice(0, 10));
      rows.add(ts, open, high, low, close, volume);
      const [cash, factor] = [Number(divCash ?? 0), Number(splitFactor ?? 1)];
      if (cash > 0) rows.actions.push({ kind: "dividend", date: ts, value: cash });
      if (factor > 0 && factor !== 1) rows.actions.push({ kind: "split", date: ts, value: factor });
    });
    return null;
  },

  companies: {
    exchanges: [
      { code: "US", title: "US stocks and ETFs" },
      { code: "DELISTED", title: "US stocks and ETFs, delisted" },
    ],
    request: () => ({
      host: "https://apimedia.tiingo.com",
      path: "/docs/tiingo/daily/supported_tickers.zip",
      query: {},
      cost: 1,
      isFile: true,
    }),
    open: async ({ bytes = new Uint8Array(), text }) => (await tickersIn(bytes)) ?? text,
    schema: z.array(z.unknown()),
    // A ticker may have had several owners: the one with the newest prices counts.
    entries(answer: unknown[]) {
      const newest = new Map<unknown, unknown>();
      const sorted = (answer as Listed[]).toSorted((a, b) => lastOf(a).localeCompare(lastOf(b)));
      for (const line of sorted) newest.set(line.ticker, line);
      return [...newest.values()];
    },
    entry: listed,
    read(entry: Listed, list) {
      const { ticker, exchange = "", assetType = "", priceCurrency } = entry;
      const isListed = US_EXCHANGES.test(exchange) && /^(?:Stock|ETF)$/.test(assetType);
      const last = Date.parse(lastOf(entry));
      const isDelisted = Date.now() - last > DELISTED_AFTER_MS;
      if (!isListed || isDelisted !== (list === "DELISTED")) return null;
      const facts = cleanFacts({
        type: assetType,
        currency: priceCurrency,
        country: "United States",
        delisted_on: isDelisted ? entry.endDate : undefined,
      });
      return { symbol: symbolOf(ticker), name: "", exchange, facts };
    },
  },

  recognise({ json }: Answer): Classification | null {
    // The same message comes with a 429 and with a 200.
    const detail = (json as { detail?: unknown } | undefined)?.detail;
    if (typeof detail !== "string") return null;
    // Symbols that were asked for in this month are still answered: only this one is refused.
    if (/run over|limit/i.test(detail) && /\bsymbols?\b/i.test(detail)) {
      return { kind: "plan", scope: "symbol", says: detail };
    }
    const span = /(hour|dai|day|month)/i.exec(detail)?.[1]?.toLowerCase();
    if (/run over|allocation|limit/i.test(detail) && span) {
      return {
        kind: "quota_exceeded",
        period: span === "hour" ? "hour" : span === "month" ? "month" : "day",
        says: detail,
      };
    }
    return classifyMessage(detail);
  },
};
