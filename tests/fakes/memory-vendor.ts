/** A vendor in this process whose bars a test can add, change, scale and hide. */

import { BAR_FIELDS, type BarColumns, emptyBars } from "../../src/domain/market/bars.ts";
import { CALENDAR } from "../../src/domain/market/calendar.ts";
import type { CorporateAction } from "../../src/domain/market/corporate-actions.ts";
import type { Interval } from "../../src/domain/market/interval.ts";
import type { Provider, SeriesTraits } from "../../src/providers/provider.ts";

export type Row = Record<(typeof BAR_FIELDS)[number], number>;

export class MemoryVendor {
  readonly rows = new Map<number, Row>();
  readonly hidden = new Set<number>();
  /** The windows requested so far. */
  readonly requested: { from: number; to: number }[] = [];
  /** What lies before is not given any more, epoch seconds. */
  keptFrom = Number.NEGATIVE_INFINITY;
  /** Its list of splits and dividends, if it has one; and those that come with the bars of their day. */
  actions: CorporateAction[] | null = null;
  readonly actionsWithBars: CorporateAction[] = [];
  actionRequests = 0;
  /** The longest window that it answers, days. */
  windowDays = 366;
  /** Thrown by the next request, once. */
  nextError: Error | null = null;

  constructor(
    readonly name = "demo",
    readonly traits: SeriesTraits = { feed: "memory", adjustment: "none", sessions: "regular" },
  ) {}

  put(...rows: Row[]): void {
    for (const row of rows) this.rows.set(row.ts, row);
  }

  /** Multiplies the prices before `date` and divides their volumes, as a split does to adjusted bars. */
  scale(date: number, price: number, volume: number): void {
    for (const row of this.rows.values()) {
      if (row.ts >= date) continue;
      const { open, high, low, close } = row;
      this.put({
        ts: row.ts,
        open: open * price,
        high: high * price,
        low: low * price,
        close: close * price,
        volume: row.volume * volume,
      });
    }
  }

  bars(interval: Interval, from: number, to: number, asOf: number): BarColumns {
    const inside = [...this.rows.values()]
      .filter(({ ts }) => ts >= from && ts < to && !this.hidden.has(ts))
      .filter(({ ts }) => CALENDAR.isFinal("us_equity", interval, ts, asOf))
      .sort((a, b) => a.ts - b.ts);
    const bars = emptyBars(inside.length);
    for (const field of BAR_FIELDS) bars[field].set(inside.map((row) => row[field]));
    return bars;
  }

  get provider(): Provider {
    return {
      name: this.name,
      title: `Vendor ${this.name}`,
      intervals: ["1m", "1h", "1d"],
      maxWindowDays: () => this.windowDays,
      historyStart: () => 0,
      traits: () => this.traits,
      fetchBars: async ({ interval, from, to, asOf }, context) => {
        (await context.acquire(1)).settle({});
        this.requested.push({ from, to });
        const { nextError } = this;
        this.nextError = null;
        if (nextError) throw nextError;
        const start = Math.max(from, this.keptFrom);
        const cut = { from, to: Math.min(start, to), words: "kept for some days" };
        return {
          bars: this.bars(interval, start, to, asOf),
          rejected: [],
          actions: this.actionsWithBars.filter(({ date }) => date >= start && date < to && date < asOf),
          notInPlan: cut.from < cut.to ? [cut] : [],
        };
      },
      ...(this.actions && {
        fetchActions: async (_symbol, context) => {
          (await context.acquire(1)).settle({});
          this.actionRequests += 1;
          return this.actions!;
        },
      }),
    };
  }
}

/** A daily bar whose prices follow from its date, in cents. */
export function dailyRow(date: number): Row {
  const day = date / 86_400;
  const close = Math.round(10_000 + 1_500 * Math.sin(day / 9) + 700 * Math.sin(day * 1.7)) / 100;
  const open = Math.round(close * 100 - 60 * Math.sin(day * 2.3)) / 100;
  return {
    ts: date,
    open,
    high: Math.round(Math.max(open, close) * 100 + 40) / 100,
    low: Math.round(Math.min(open, close) * 100 - 55) / 100,
    close,
    volume: 100_000 + (Math.floor(day * 7_919) % 50_000),
  };
}
