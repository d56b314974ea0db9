/** A vendor's declaration with what its requests take: the settings, the calendar and the client. */

import type { Calendar } from "../../domain/market/calendar.ts";
import { DAY, type Interval } from "../../domain/market/interval.ts";
import type { FetchContext, Provider } from "../provider.ts";
import type { SettingValues } from "../setting.ts";
import { type RetryTiming, VendorClient } from "./client.ts";
import { readShape } from "./read-answer.ts";
import { parseTicker, type Ticker } from "./ticker.ts";
import type { VendorSpec } from "./vendor-spec.ts";
import { type Delay, readyAt } from "./windows/request-window.ts";

export interface VendorOptions {
  readonly calendar: Calendar;
  readonly timing?: Partial<RetryTiming>;
}

/** The variable that replaces a vendor's base URL. */
export function baseUrlVariable(name: string): string {
  return `${name.toUpperCase()}_BASE_URL`;
}

export class DeclaredVendor<Answer> {
  readonly title: string;
  readonly client: VendorClient;
  readonly calendar: Calendar;

  constructor(
    readonly spec: VendorSpec<Answer>,
    readonly values: SettingValues,
    { calendar, timing }: VendorOptions,
  ) {
    this.title = spec.title;
    this.calendar = calendar;
    this.client = new VendorClient(
      {
        title: spec.title,
        baseUrl: values[baseUrlVariable(spec.name)] ?? spec.baseUrl,
        keyVariables: spec.keys.map(({ variable }) => variable),
        secrets: spec.keys.flatMap(({ variable }) => values[variable] ?? []),
        domains: spec.domains,
        headers: spec.headers?.(values) ?? {},
        recognise: spec.recognise,
        quota: spec.quota,
      },
      timing,
    );
  }

  tickerOf(symbol: string): Ticker {
    return parseTicker(symbol, this.spec.pairs);
  }

  /** The interval requested from the vendor for bars of `interval`. */
  sourceOf(interval: Interval, ticker?: Ticker): Interval {
    const { sources, cryptoSources } = this.spec;
    return (ticker?.market === "crypto" ? cryptoSources?.[interval] : undefined) ?? sources[interval] ?? interval;
  }

  pageDays(interval: Interval, symbol: string): number {
    const ticker = this.tickerOf(symbol);
    const source = this.sourceOf(interval, ticker);
    return this.spec.pageDays?.(source) ?? this.spec.maxDays(source, ticker);
  }

  costs(symbol: string, interval: Interval): ReturnType<NonNullable<Provider["costs"]>> {
    const { spec, values } = this;
    const ticker = this.tickerOf(symbol);
    const query = { ticker, interval: this.sourceOf(interval, ticker), from: 0, to: DAY, page: null };
    const listings = ticker.market === "crypto" ? [] : (spec.actions ?? []);
    const lookup = spec.firstBar?.request(ticker, query.interval, values);
    return {
      ...(lookup && { firstBar: lookup.cost }),
      bars: spec.request(query, values).cost,
      actions: listings.map(({ request }) => request(ticker, null, values).cost),
    };
  }

  /** When the bar that starts at `ts` has passed a delay, epoch seconds. */
  readyAt(symbol: string, interval: Interval, ts: number, delayOf: VendorSpec<Answer>["delay"]): number {
    const ticker = this.tickerOf(symbol);
    const delay: Delay = delayOf(ticker, this.sourceOf(interval, ticker), this.values);
    return readyAt(this.calendar, ticker.venue, { interval, ts, delay });
  }

  /** The day before which the vendor has no bars of a symbol, epoch seconds; `null` if that is not known. */
  async findFirstBar(symbol: string, interval: Interval, context: FetchContext): Promise<number | null> {
    const { firstBar } = this.spec;
    const ticker = this.tickerOf(symbol);
    const request = firstBar?.request(ticker, this.sourceOf(interval, ticker), this.values) ?? null;
    if (firstBar === undefined || request === null) return null;
    const first = await this.client.read(request, context, ({ json }): number | null =>
      firstBar.read(readShape(firstBar.schema, json, this)),
    );
    return first !== null && first < Date.now() / 1000 ? Math.floor(first / DAY) * DAY : null;
  }
}
