/** The contract of all providers. Each implementation runs this suite against itself or its fake vendor. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ProviderError } from "../../src/domain/errors.ts";
import { BAR_FIELDS, type BarColumns } from "../../src/domain/market/bars.ts";
import { CALENDAR } from "../../src/domain/market/calendar.ts";
import { DAY, type Interval } from "../../src/domain/market/interval.ts";
import { marketOf } from "../../src/domain/market/symbol.ts";
import type { BarWindow, Provider } from "../../src/providers/provider.ts";
import { at } from "../helpers/inputs/bars.ts";
import { recordingContext } from "./fetch-context.ts";

export interface Subject {
  readonly provider: Provider;
  /** A symbol that has bars, some in every session of the window. */
  readonly symbol: string;
  /** A symbol that cannot exist. */
  readonly unknown: string;
  /** The window, `YYYY-MM-DD`, `to` exclusive. */
  readonly from: string;
  readonly to: string;
  /** Days after the window at which it is asked for, 30 unless given. */
  readonly later?: number;
  /** Whether the source is metered: every request needs a permit. */
  readonly metered: boolean;
  close?(): Promise<void> | void;
}

function rows(bars: BarColumns): number[][] {
  return [...bars.ts].map((_, index) => BAR_FIELDS.map((field) => bars[field][index]!));
}

export function providerContract(title: string, open: () => Subject | Promise<Subject>): void {
  describe(`${title} keeps the provider contract`, () => {
    let subject: Subject;
    beforeAll(async () => {
      subject = await open();
    });
    afterAll(() => subject.close?.());

    const windowOf = (interval: Interval, from = at(subject.from), to = at(subject.to)): BarWindow => ({
      symbol: subject.symbol,
      interval,
      from,
      to,
      asOf: at(subject.to) + (subject.later ?? 30) * DAY,
    });

    /** The bars of the whole window, which most of these tests compare with; fetched once. */
    const answers = new Map<Interval, Promise<BarColumns>>();
    const whole = (interval: Interval) =>
      answers.getOrInsertComputed(interval, async () => {
        const { bars } = await subject.provider.fetchBars(windowOf(interval), recordingContext());
        return bars;
      });

    test(`${title} declares its name, intervals and history`, () => {
      const { provider, symbol } = subject;
      expect(provider.name).toMatch(/^[a-z]+$/);
      expect(provider.title).not.toBe("");
      expect(provider.intervals.length).toBeGreaterThan(0);
      for (const interval of provider.intervals) {
        expect(provider.maxWindowDays(interval, symbol)).toBeGreaterThan(0);
        expect(provider.historyStart(interval)).toBeLessThanOrEqual(at(subject.from));
        expect(provider.traits(symbol, interval).feed).not.toBe("");
      }
    });

    test(`${title} answers ascending, finite bars inside the half-open window`, async () => {
      for (const interval of subject.provider.intervals) {
        const bars = await whole(interval);
        expect(bars.ts.length).toBeGreaterThan(0);
        for (const field of BAR_FIELDS) {
          expect(bars[field].length).toBe(bars.ts.length);
          expect(bars[field].every(Number.isFinite)).toBe(true);
        }
        expect(bars.ts[0]!).toBeGreaterThanOrEqual(at(subject.from));
        expect(bars.ts.at(-1)!).toBeLessThan(at(subject.to));
        expect(bars.ts.every((ts, index) => index === 0 || ts > bars.ts[index - 1]!)).toBe(true);
      }
    });

    test(`${title} has bars of every session of the window, and of no other day`, async () => {
      const market = marketOf(subject.symbol);
      const expected = CALENDAR.sessionsBetween(market, at(subject.from), at(subject.to)).map(({ date }) => date);
      for (const interval of subject.provider.intervals) {
        const bars = await whole(interval);
        expect([...new Set([...bars.ts].map((ts) => Math.floor(ts / DAY) * DAY))]).toEqual(expected);
        if (interval === "1d") expect([...bars.ts]).toEqual(expected);
      }
    });

    test(`${title} answers the same bars however the window is cut`, async () => {
      for (const interval of subject.provider.intervals) {
        const from = at(subject.from);
        const to = at(subject.to);
        const middle = from + Math.floor((to - from) / DAY / 2) * DAY;
        const first = await subject.provider.fetchBars(windowOf(interval, from, middle), recordingContext());
        const second = await subject.provider.fetchBars(windowOf(interval, middle, to), recordingContext());
        expect([...rows(first.bars), ...rows(second.bars)]).toEqual(rows(await whole(interval)));
      }
    });

    test(`${title} leaves out bars that had not ended at the moment that counts as now`, async () => {
      const market = marketOf(subject.symbol);
      for (const interval of subject.provider.intervals) {
        const last = (await whole(interval)).ts.at(-1)!;
        const asOf = CALENDAR.barEnd(market, interval, last) - 1;
        const cut = await subject.provider.fetchBars({ ...windowOf(interval), asOf }, recordingContext());
        expect(cut.bars.ts.includes(last)).toBe(false);
        expect(cut.bars.ts.every((ts) => CALENDAR.isFinal(market, interval, ts, asOf))).toBe(true);
      }
    });

    test(`${title} asks the limiter before every request`, async () => {
      const context = recordingContext();
      await subject.provider.fetchBars(windowOf(subject.provider.intervals[0]!), context);
      if (subject.metered) expect(context.costs.length).toBeGreaterThan(0);
      else expect(context.costs.length).toBe(0);
      expect(context.costs.every((cost) => cost > 0)).toBe(true);
    });

    test(`${title} reports an unknown symbol instead of answering nothing`, async () => {
      const window = { ...windowOf(subject.provider.intervals[0]!), symbol: subject.unknown };
      const failure = await subject.provider.fetchBars(window, recordingContext()).catch((error) => error);
      expect(failure).toBeInstanceOf(ProviderError);
      expect(failure.kind).toBe("unknown_symbol");
      expect(failure.message).toContain(subject.unknown.split("@")[0]!);
    });

    test(`${title} stops with the signal's reason`, async () => {
      const stop = new AbortController();
      const why = new Error("paused by a person");
      stop.abort(why);
      const context = recordingContext(stop.signal);
      const failure = await subject.provider
        .fetchBars(windowOf(subject.provider.intervals[0]!), context)
        .catch((error) => error);
      expect(failure).toBe(why);
    });
  });
}
