/**
 * The built-in provider: synthetic bars on real sessions, without key or network. A bar depends only on its symbol and
 * time, so it is the same on every machine. To show failures, a symbol with an exchange suffix other than `@US` is
 * unknown, and `DEMO-FAIL` always fails.
 */

import { ProviderError } from "../../domain/errors.ts";
import { emptyBars, sliceBars } from "../../domain/market/bars.ts";
import { CALENDAR, type Calendar } from "../../domain/market/calendar.ts";
import { DAY, INTERVALS } from "../../domain/market/interval.ts";
import { marketOf } from "../../domain/market/symbol.ts";
import type { BarWindow, FetchContext, FetchedBars, Provider } from "../provider.ts";
import { pause, timeRequest } from "../sleep.ts";
import { demoBars } from "./demo-bars.ts";
import { DEMO_COMPANIES } from "./demo-companies.ts";
import { DEMO_START, DemoPath } from "./price-path.ts";

export interface DemoOptions {
  /** How long a request takes, in milliseconds. */
  readonly latencyMs?: number;
  readonly calendar?: Calendar;
}

/** Price paths kept in memory, one for each job that a thread may have; a year of one is about 30 KB. */
const MAX_CACHED_PATHS = 64;

export function createDemoProvider({ latencyMs = 0, calendar = CALENDAR }: DemoOptions = {}): Provider {
  const paths = new Map<string, DemoPath>();

  /** The path of a symbol with its days from `from` on. Jobs request ascending windows, so it is seldom walked twice. */
  function pathOf(symbol: string, from: number): DemoPath {
    const known = paths.get(symbol);
    const path = known && known.keptFrom <= from ? known : new DemoPath(symbol, marketOf(symbol), calendar, from);
    paths.delete(symbol);
    paths.set(symbol, path);
    if (paths.size > MAX_CACHED_PATHS) paths.delete(paths.keys().next().value!);
    return path;
  }

  /** One request, which takes as long as a vendor's would. */
  async function answer(context: FetchContext): Promise<void> {
    const permit = await context.acquire(1);
    const ended = timeRequest();
    try {
      await pause(latencyMs, context.signal);
    } finally {
      permit.settle({ ended: ended(context.signal.aborted ? "stopped" : "ok") });
    }
  }

  async function fetchBars(window: BarWindow, context: FetchContext): Promise<FetchedBars> {
    const { symbol, interval, from, to, asOf } = window;
    await answer(context);
    const [name = symbol, exchange = "US"] = symbol.split("@");
    if (exchange !== "US") {
      throw new ProviderError("unknown_symbol", `The demo provider has no exchange "${exchange}" (symbol ${symbol})`);
    }
    if (name === "DEMO-FAIL") {
      throw new ProviderError("transient", "DEMO-FAIL never answers: it shows what a failed job looks like");
    }
    const market = marketOf(name);
    if (from >= to) return { bars: emptyBars(), rejected: [] };
    const firstDay = Math.floor(from / DAY) * DAY;
    const path = pathOf(name, firstDay);
    const days = path.days(firstDay, to);
    const bars = demoBars(path.traits, days, interval);
    let start = 0;
    while (start < bars.ts.length && bars.ts[start]! < from) start++;
    let end = bars.ts.length;
    while (end > start) {
      const ts = bars.ts[end - 1]!;
      if (ts < to && calendar.isFinal(market, interval, ts, asOf)) break;
      end--;
    }
    return { bars: sliceBars(bars, start, end), rejected: [] };
  }

  return {
    name: "demo",
    title: "Demo (synthetic bars)",
    intervals: INTERVALS,
    maxWindowDays: () => 31,
    historyStart: () => DEMO_START.us_equity,
    traits: (symbol) => ({
      feed: "synthetic",
      adjustment: "none",
      sessions: marketOf(symbol) === "crypto" ? "continuous" : "regular",
    }),
    fetchBars,
    exchanges: [
      { code: "US", title: "US stocks and ETFs" },
      { code: "CC", title: "Crypto pairs" },
    ],
    async listCompanies(exchange, context) {
      await answer(context);
      const listed = DEMO_COMPANIES[exchange as keyof typeof DEMO_COMPANIES];
      if (listed) return [...listed];
      throw new ProviderError("bad_request", `The demo provider has no exchange "${exchange}"`);
    },
  };
}
