/** Divides an update of many symbols into requests. */

import { DAY } from "../../../domain/market/interval.ts";
import { isoDate } from "../../../domain/time.ts";
import type { BulkPart, BulkSpan } from "../../provider.ts";
import { sessionsToRequest, sourceSpan } from "../windows/request-window.ts";
import { type BulkList, type BulkSpec, type BulkVendor, bulkWindow } from "./bulk-spec.ts";

/** What one part covers of the symbols and days of its list. */
type Share = Pick<BulkPart, "key" | "from" | "to" | "symbols">;

/** What a list is to cover: some symbols on the days of some sessions. */
interface Wanted {
  readonly symbols: readonly string[];
  /** Epoch seconds, half open. */
  readonly from: number;
  readonly to: number;
  /** The dates of the sessions, epoch seconds. */
  readonly dates: readonly number[];
}

/** Implements `BulkSource.parts`. */
export function partsOf(spec: BulkSpec, vendor: BulkVendor, symbols: readonly string[], span: BulkSpan): BulkPart[] {
  if (symbols.length === 0) return [];
  const window = bulkWindow(vendor, symbols[0]!, span);
  const sessions = sessionsToRequest(vendor.calendar, window, vendor.historyStart);
  if (sessions.length === 0) return [];
  const { from, to } = sourceSpan(vendor.calendar, window, sessions);
  const dates = sessions.map(({ date }) => date);
  // Splits and dividends of the whole last day, whatever there is of its bars.
  const endOfDay = dates.at(-1)! + DAY;
  return [spec.bars, ...spec.actions].flatMap((list, index) => {
    const what = index === 0 ? "bars" : "actions";
    const shares = sharesOf(list, { symbols, from, to: what === "bars" ? to : endOfDay, dates });
    return shares.map(({ key, ...share }): BulkPart => {
      const tickers = share.symbols.slice(0, 1).map(vendor.tickerOf);
      const { cost } = list.request({ tickers, from: share.from, to: share.to, page: null }, vendor.values);
      return { ...share, key: `${index} ${key}`, list: index, what, cost };
    });
  });
}

function sharesOf(list: BulkList, { symbols, from, to, dates }: Wanted): Share[] {
  switch (list.by) {
    case "day":
      return dates.map((date) => ({ key: isoDate(date), from: date, to: Math.min(date + DAY, to), symbols }));
    case "range": {
      const length = (list.pageDays ?? Number.POSITIVE_INFINITY) * DAY;
      const count = Math.max(1, Math.ceil((to - from) / length));
      const starts = Array.from({ length: count }, (_, at) => (at === 0 ? from : from + at * length));
      return starts.map((start) => ({
        key: `range ${isoDate(start)}`,
        from: start,
        to: Math.min(start + length, to),
        symbols,
      }));
    }
    case "symbols": {
      const most = list.most ?? symbols.length;
      const groups = Array.from({ length: Math.ceil(symbols.length / most) }, (_, at) => at * most);
      return groups.map((at) => ({ key: `group ${at / most}`, from, to, symbols: symbols.slice(at, at + most) }));
    }
  }
}
