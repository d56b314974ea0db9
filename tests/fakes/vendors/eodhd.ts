/** EODHD as far as Barkeep uses it: windows in epoch seconds or dates, plain-text errors, weighted daily calls. */

import { DAY } from "../../../src/domain/market/interval.ts";
import { type FakeMarket, wholeDay } from "./market.ts";
import { type FakeVendor, refusalOf, startFake } from "./vendor.ts";

export interface FakeEodhd extends FakeVendor {
  /** Weighted calls counted today, as `/user` shows them. */
  calls: { used: number; date: string; limit: number };
  maxDays: number;
}

const text = (status: number, body: string) => new Response(body, { status, headers: { "content-type": "text/html" } });
const symbolOf = (code: string) => {
  const at = code.lastIndexOf(".");
  return code.slice(at + 1) === "CC" ? code.slice(0, at) : code.slice(0, at).replace("BRK-B", "BRK.B");
};

export function fakeEodhd(): FakeEodhd {
  const calls = { used: 0, date: new Date().toISOString().slice(0, 10), limit: 100_000 };
  const spend = (cost: number) => {
    if (calls.used + cost > calls.limit)
      return text(402, "You exceeded your daily API requests limit. Please contact support@example.com");
    calls.used += cost;
    return null;
  };

  async function intraday(url: URL, market: FakeMarket): Promise<Response> {
    const [from, to] = [Number(url.searchParams.get("from")), Number(url.searchParams.get("to"))];
    if (to - from > vendor.maxDays * DAY) {
      const message = [`Max period length is ${vendor.maxDays} days`];
      return Response.json({ errors: { from: message, to: message } }, { status: 422 });
    }
    if (refusalOf(vendor, { symbol: symbolOf(codeOf(url)), interval: "1m", from, to }))
      return text(403, "Only EOD data allowed for free users. Please, contact our support team: support@example.com");
    const bars = await market.bars(symbolOf(codeOf(url)), "1m", from, to);
    if (!bars) return text(404, "Ticker Not Found.");
    return (
      spend(5) ??
      Response.json(
        bars.map(({ ts, ...bar }) => ({
          timestamp: ts,
          gmtoffset: 0,
          datetime: new Date(ts * 1000).toISOString().slice(0, 19).replace("T", " "),
          ...bar,
        })),
      )
    );
  }

  async function daily(url: URL, market: FakeMarket): Promise<Response> {
    const [from, to] = ["from", "to"].map((name) => Date.parse(`${url.searchParams.get(name)}T00:00:00Z`) / 1000);
    const symbol = symbolOf(codeOf(url));
    const asked = { symbol, interval: "1d", from: from!, to: to! } as const;
    const isCut = vendor.plan.from !== undefined && from! < vendor.plan.from;
    if (url.searchParams.get("period") === "m") {
      const first = await market.firstDay(symbol);
      return (
        spend(1) ?? Response.json(first === null ? [] : [{ date: new Date(first * 1000).toISOString().slice(0, 10) }])
      );
    }
    const refused = refusalOf(vendor, asked);
    if (refused && !isCut) return text(403, "Forbidden. Please contact support@example.com to upgrade your plan");
    const bars = await market.bars(symbol, "1d", Math.max(from!, vendor.plan.from ?? 0), to!);
    if (!bars) return text(404, "Ticker Not Found.");
    const warning = isCut ? { warning: "Data is limited by one year as you have free subscription" } : {};
    const rows: unknown[] = bars.map(({ ts, ...bar }) => ({
      date: new Date(ts * 1000).toISOString().slice(0, 10),
      ...bar,
      adjusted_close: bar.close,
      ...warning,
    }));
    if (isCut && rows.length === 0) rows.push(warning);
    return spend(1) ?? Response.json(rows);
  }

  function actions(url: URL, market: FakeMarket, wanted: "split" | "dividend"): Response {
    const all = market.actions.get(symbolOf(codeOf(url))) ?? [];
    const rows = all
      .filter(({ kind }) => kind === wanted)
      .map(({ date, value }) => {
        const day = new Date(date * 1000).toISOString().slice(0, 10);
        return wanted === "split"
          ? { date: day, split: `${value.toFixed(6)}/1.000000` }
          : { date: day, value: value / 4, unadjustedValue: value, currency: "USD" };
      });
    return spend(1) ?? Response.json(rows);
  }

  /** The listings of a code; those in London are quoted in pence but for one fund. */
  function found(url: URL): Response {
    const [Code, Exchange] = [codeOf(url), url.searchParams.get("exchange") ?? "US"];
    const Currency = Exchange === "LSE" ? (Code === "VUSA" ? "GBP" : "GBX") : "USD";
    return (
      spend(1) ??
      Response.json([
        { Code, Exchange: "XETRA", Currency: "EUR" },
        { Code, Exchange, Currency },
      ])
    );
  }

  /** One day of all US symbols: bars, splits or dividends. */
  async function bulk(url: URL, market: FakeMarket): Promise<Response> {
    const day = url.searchParams.get("date")!;
    const date = Date.parse(`${day}T00:00:00Z`) / 1000;
    const type = url.searchParams.get("type");
    const refused = refusalOf(vendor, { symbol: "AAPL", interval: "1d", from: date, to: date });
    if (refused) return text(403, "Forbidden. Only EOD data allowed for free users");
    const codeFor = (symbol: string) => symbol.replace(".", "-");
    const about = (symbol: string) => ({ code: codeFor(symbol), exchange_short_name: "US", exchange: "US", date: day });
    if (type === null) {
      const rows = await wholeDay(market, date, (symbol, { ts: _, ...bar }) => ({
        ...about(symbol),
        ...bar,
        adjusted_close: bar.close,
      }));
      return spend(100) ?? Response.json(rows);
    }
    const rows = [...market.actions].flatMap(([symbol, list]) =>
      list
        .filter((each) => `${each.kind}s` === type && each.date === date)
        .map(({ value }) =>
          type === "splits"
            ? { ...about(symbol), split: `${value.toFixed(6)}/1.000000` }
            : { ...about(symbol), dividend: `${value}`, currency: "USD" },
        ),
    );
    return spend(100) ?? Response.json(rows);
  }

  const vendor: FakeEodhd = Object.assign(
    startFake({
      isAuthorized: (_request, url, key) => url.searchParams.get("api_token") === key,
      refuseKey: () => text(403, "Unauthenticated"),
      refuseRate: () => Response.json({ error: "API rate limit exceeded" }, { status: 429 }),
      answer: (url, market) => {
        if (url.searchParams.get("fmt") !== "json")
          return text(200, "Timestamp,Gmtoffset,Datetime,Open,High,Low,Close,Volume\n");
        if (url.pathname.startsWith("/api/intraday/")) return intraday(url, market);
        if (url.pathname.startsWith("/api/eod/")) return daily(url, market);
        if (url.pathname === "/api/eod-bulk-last-day/US") return bulk(url, market);
        if (url.pathname.startsWith("/api/search/")) return found(url);
        if (url.pathname.startsWith("/api/splits/")) return actions(url, market, "split");
        if (url.pathname.startsWith("/api/div/")) return actions(url, market, "dividend");
        const listed = /^\/api\/exchange-symbol-list\/(\w+)$/.exec(url.pathname);
        if (listed) return Response.json(LISTS[listed[1]!] ?? []);
        if (url.pathname !== "/api/user") return null;
        return Response.json({
          subscriptionType: "monthly",
          apiRequests: calls.used,
          apiRequestsDate: calls.date,
          dailyRateLimit: calls.limit,
        });
      },
    }),
    { calls, maxDays: 120 },
  );
  return Object.assign(vendor, { url: `${vendor.url}/api` });
}

const entry = (Code: string, Name: string, Exchange: string, Type: string) => ({
  Code,
  Name,
  Country: "",
  Exchange,
  Currency: "USD",
  Type,
  Isin: null,
});

/** The symbol lists, with what no user could type and what has no bars. */
const LISTS: Record<string, unknown[]> = {
  US: [
    entry("AAPL", "Fake Apple", "NASDAQ", "Common Stock"),
    entry("BRK-B", "Fake Berkshire", "NYSE", "Common Stock"),
    entry("SPY", "Fake Fund", "NYSE ARCA", "ETF"),
    entry("ABC_old1", "Fake former", "NYSE", "Common Stock"),
    entry("VTSAX", "Fake mutual", "NMFQS", "Mutual Fund"),
  ],
  LSE: [entry("VOD", "Vodafone Group", "LSE", "Common Stock")],
};

const codeOf = (url: URL) => decodeURIComponent(url.pathname.split("/").at(-1)!);
