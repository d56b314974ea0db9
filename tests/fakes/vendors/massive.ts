/** Massive's aggregates: windows in milliseconds, results absent when empty, links to the next page without the key. */

import { newYorkTime } from "../../../src/domain/market/calendar.ts";
import type { Interval } from "../../../src/domain/market/interval.ts";
import { isoDate } from "../../../src/domain/time.ts";
import { type FakeMarket, wholeDay } from "./market.ts";
import { type FakeVendor, type PlanRefusal, refusalOf, startFake } from "./vendor.ts";

export interface FakeMassive extends FakeVendor {
  pageRows: number;
  /** Listing dates of the register where they differ from the first bar, epoch seconds. */
  readonly stated: Map<string, number>;
}

const INTERVALS: Record<string, Interval> = {
  "1/minute": "1m",
  "5/minute": "5m",
  "15/minute": "15m",
  "1/hour": "1h",
  "1/day": "1d",
};
const PATH = /^\/v2\/aggs\/ticker\/([^/]+)\/range\/(\d+\/\w+)\/([\d-]+)\/([\d-]+)$/;
/** Epoch milliseconds of an end of the window; a date as the end of a window is that whole day. */
const moment = (text: string, isEnd: boolean) =>
  text.includes("-") ? Date.parse(`${text}T00:00:00Z`) + (isEnd ? 86_400_000 - 1 : 0) : Number(text);
const notAuthorized = (message: string) =>
  Response.json(
    {
      status: "NOT_AUTHORIZED",
      request_id: "a5",
      message: `${message} Please upgrade your plan at https://example.com/pricing`,
    },
    { status: 403 },
  );
const REFUSALS: Record<PlanRefusal, string> = {
  market: "You are not entitled to this data.",
  symbol: "You are not entitled to this data.",
  interval: "You are not entitled to this data.",
  history: "Your plan doesn't include this data timeframe.",
  recent: "Attempted to request today's data before end of day.",
};

/** What the register says of one company. */
async function companyAnswer(vendor: FakeMassive, market: FakeMarket, ticker: string): Promise<Response> {
  const first = vendor.stated.get(decodeURIComponent(ticker)) ?? (await market.firstDay(decodeURIComponent(ticker)));
  const date = first === null ? {} : { list_date: isoDate(first) };
  return Response.json({ status: "OK", results: { ticker, active: true, ...date } });
}

/** A page of the list of splits or dividends, with one entry. */
function actionAnswer(market: FakeMarket, url: URL, kind: string): Response {
  const query = url.searchParams;
  const name = kind === "splits" ? "execution_date" : "ex_dividend_date";
  const [first, last] = [query.get(`${name}.gte`) ?? "0", query.get(`${name}.lte`) ?? "9"];
  const ticker = query.get("ticker");
  const rows = [...market.actions]
    .filter(([symbol]) => ticker === null || symbol === ticker)
    .flatMap(([symbol, list]) => list.map((each) => ({ ...each, ticker: symbol, day: isoDate(each.date) })))
    .filter((each) => `${each.kind}s` === kind && each.day >= first && each.day <= last);
  const at = Number(query.get("cursor") ?? 0);
  const results = rows
    .slice(at, at + 1)
    .map(({ ticker, day, value }) =>
      kind === "splits"
        ? { ticker, execution_date: day, split_from: 1, split_to: value }
        : { ticker, ex_dividend_date: day, cash_amount: value, currency: "USD" },
    );
  const next = new URL(url);
  next.searchParams.set("cursor", String(at + 1));
  return Response.json({ status: "OK", results, ...(at + 1 < rows.length && { next_url: next.href }) });
}

/** One day of all symbols. */
async function groupedAnswer(vendor: FakeMassive, market: FakeMarket, day: string): Promise<Response> {
  const date = Date.parse(`${day}T00:00:00Z`) / 1000;
  const refused = refusalOf(vendor, { symbol: "AAPL", interval: "1d", from: date, to: date });
  if (refused) return notAuthorized(REFUSALS[refused]);
  const results = await wholeDay(market, date, (symbol, bar) => ({
    T: symbol,
    v: bar.volume,
    vw: bar.close,
    o: bar.open,
    c: bar.close,
    h: bar.high,
    l: bar.low,
    // The end of the regular session.
    t: 1000 * newYorkTime(date, 16 * 3600),
    n: 31,
  }));
  const body = { queryCount: results.length, resultsCount: results.length, adjusted: false, status: "OK" };
  return Response.json(results.length === 0 ? body : { ...body, results });
}

/** A page of one symbol's bars; `null` if the address is none of theirs. */
async function barsAnswer(vendor: FakeMassive, market: FakeMarket, url: URL): Promise<Response | null> {
  const [, code = "", span = "", from = "", to = ""] = PATH.exec(decodeURIComponent(url.pathname)) ?? [];
  const interval = INTERVALS[span];
  if (!interval) return null;
  const symbol = code.startsWith("X:") ? `${code.slice(2).replace(/USD$/, "")}-USD` : code;
  const first = moment(url.searchParams.get("cursor") ?? from, false) / 1000;
  const end = Math.floor(moment(to, true) / 1000);
  const refused = refusalOf(vendor, { symbol, interval, from: first, to: Math.floor(moment(to, false) / 1000) });
  if (refused) return notAuthorized(REFUSALS[refused]);
  if (!market.known.has(symbol))
    return Response.json({ status: "NOT_FOUND", request_id: "a3", message: "Data not found." }, { status: 404 });
  const start = Math.max(first, vendor.plan.from ?? 0);
  const bars = (await market.bars(symbol, interval, start, end)) ?? [];
  const page = bars.slice(0, vendor.pageRows);
  const startOf = (ts: number) => 1000 * (interval === "1d" && !code.startsWith("X:") ? newYorkTime(ts, 0) : ts);
  const body = {
    ticker: code,
    queryCount: page.length,
    resultsCount: page.length,
    adjusted: false,
    status: "OK",
    request_id: "a4",
  };
  if (page.length === 0) return Response.json(body);
  const next = bars[page.length];
  return Response.json({
    ...body,
    results: page.map((bar) => ({
      v: bar.volume,
      vw: bar.close,
      o: bar.open,
      c: bar.close,
      h: bar.high,
      l: bar.low,
      t: startOf(bar.ts),
      n: 31,
    })),
    ...(next
      ? {
          next_url: `https://api.polygon.io/v2/aggs/ticker/${encodeURIComponent(code)}/range/${span}/${from}/${to}?cursor=${next.ts * 1000}`,
        }
      : {}),
  });
}

export function fakeMassive(): FakeMassive {
  const vendor: FakeMassive = Object.assign(
    startFake({
      isAuthorized: ({ headers }, _url, key) => headers.get("authorization") === `Bearer ${key}`,
      refuseKey: () => Response.json({ status: "ERROR", request_id: "a1", error: "Unknown API Key" }, { status: 401 }),
      refuseRate: () =>
        Response.json(
          {
            status: "ERROR",
            request_id: "a2",
            error:
              "You've exceeded the maximum requests per minute, please wait or upgrade your subscription to continue.",
          },
          { status: 429 },
        ),
      async answer(url, market) {
        const part = (path: RegExp) => path.exec(url.pathname)?.[1];
        const company = part(/^\/v3\/reference\/tickers\/([^/]+)$/);
        if (company) return companyAnswer(vendor, market, company);
        const kind = part(/^\/v3\/reference\/(splits|dividends)$/);
        if (kind) return actionAnswer(market, url, kind);
        const day = part(/^\/v2\/aggs\/grouped\/locale\/us\/market\/stocks\/([\d-]+)$/);
        if (day) return groupedAnswer(vendor, market, day);
        return barsAnswer(vendor, market, url);
      },
    }),
    { pageRows: 50_000, stated: new Map() },
  );
  return vendor;
}
