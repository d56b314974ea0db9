import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { barAt, barsOf, closesAsOf, lowerBound, rebased, valuesAt } from "../../../../public/app/chart/bars.js";
import { within, zoomed } from "../../../../public/app/chart/gestures.js";
import { barsInView, boxesOf, placeOf, xOf } from "../../../../public/app/chart/layout.js";
import { bandsOf, marksAt, placeMarks } from "../../../../public/app/chart/marks.js";
import { comparedOf, paneOf, panesOf, writeCompared, writePanes } from "../../../../public/app/chart/panes.js";
import { FEATURES } from "../../../../src/features/catalog.ts";

const DAY = 86_400;
const times = Float64Array.from([0, 1, 2, 5, 6], (day) => day * DAY);
const rows = (values: Record<number, number>) =>
  Object.entries(values).map(([day, close]) => ({ ts: Number(day) * DAY, close }));
const features = new Set(FEATURES.map(({ name }) => name));

describe("the data of a chart", () => {
  test("values of a feature stand at the bars of their times, and are unknown elsewhere", () => {
    expect([...valuesAt(times, rows({ 1: 10, 3: 11, 5: 12 }), "close")]).toEqual([
      Number.NaN,
      10,
      Number.NaN,
      12,
      Number.NaN,
    ]);
  });

  test("closes of another symbol are the last known ones, and none that are too old", () => {
    expect([...closesAsOf(times, rows({ 1: 10, 3: 11 }), 2 * DAY)]).toEqual([Number.NaN, 10, 10, 11, Number.NaN]);
  });

  test("another symbol begins at the price of this one and keeps its changes", () => {
    const { values, base } = rebased(Float64Array.of(50, 100, 110), Float64Array.of(Number.NaN, 20, 30), 0);
    expect([base, ...values]).toEqual([20, Number.NaN, 100, 150]);
    expect(rebased(Float64Array.of(50), Float64Array.of(Number.NaN), 0).base).toBeNaN();
  });

  test("bars of an answer have unknown volumes as NaN, and none lies beyond their ends", () => {
    const bars = barsOf([{ ts: 60, open: 1, high: 3, low: 0.5, close: 2, volume: null }]);
    expect(barAt(bars, 0)).toEqual({ time: 60, open: 1, high: 3, low: 0.5, close: 2, volume: Number.NaN });
    expect([barAt(bars, 1), barAt(bars, -1)]).toEqual([null, null]);
    expect([lowerBound(times, -5), lowerBound(times, 3 * DAY), lowerBound(times, 99 * DAY)]).toEqual([0, 3, 5]);
  });
});

describe("marks", () => {
  const mark = (kind: string, from: number, to = from) => ({ kind, from: from * DAY, to: to * DAY, text: kind });

  test("a mark lies on the bar that holds its moment, or between two bars where there is none", () => {
    const placed = placeMarks(
      [mark("split", 2), mark("gap", 3.5), mark("refused", 5.25), mark("revision", 0, 5)],
      times,
      DAY,
    );
    expect(placed.map(({ style, from, to }) => [style.letter, from, to])).toEqual([
      ["S", 2, 2],
      ["G", 2.5, 2.5],
      ["×", 3, 3],
      ["R", 0, 3],
    ]);
  });

  test("marks outside of the bars and of unknown kinds are left out", () => {
    expect(placeMarks([mark("split", -3), mark("gap", 40), mark("merger", 1)], times, DAY)).toEqual([]);
    expect(placeMarks([mark("split", 1)], new Float64Array(0), DAY)).toEqual([]);
  });

  test("a bar has the marks on it and those of the gap before it", () => {
    const placed = placeMarks([mark("gap", 3.5), mark("revision", 0, 2)], times, DAY);
    expect([1, 3, 4].map((at) => marksAt(placed, at).map(({ text }) => text))).toEqual([["revision"], ["gap"], []]);
  });

  test("every other session is a band, and bars outside of sessions are closed", () => {
    const hours = Float64Array.from([9, 10, 11, 17, 33, 34], (hour) => hour * 3_600);
    const sessions = [
      [10 * 3_600, 16 * 3_600],
      [33 * 3_600, 40 * 3_600],
    ] as const;
    expect(bandsOf(sessions, hours)).toEqual([
      { from: -0.5, to: 0.5, isClosed: true },
      { from: 2.5, to: 3.5, isClosed: true },
      { from: 3.5, to: 5.5, isClosed: false },
    ]);
    expect(bandsOf([], hours)).toEqual([]);
  });
});

describe("panes and symbols in the address", () => {
  test("presets name features of the catalogue", () => {
    for (const key of ["volume", "rsi", "macd", "stochastic", "atr"]) {
      for (const { name } of paneOf(key, features)!.lines) expect(features.has(name)).toBe(true);
    }
  });

  test("a choice of panes survives the address, without those that are unknown or come twice", () => {
    const keys = (text: string) => panesOf(new URLSearchParams(text), features).map(({ key }) => key);
    expect(keys("")).toEqual(["volume"]);
    expect(keys("panes=none")).toEqual([]);
    expect(keys("panes=rsi,nonsense,rsi,constructor,hurst_100")).toEqual(
      features.has("hurst_100") ? ["rsi", "hurst_100"] : ["rsi"],
    );
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.constantFrom("volume", "rsi", "macd", "atr_14", "sma_20"), { maxLength: 5 }),
        (chosen) => {
          const query = new URLSearchParams("interval=1d");
          writePanes(
            query,
            chosen.map((key) => ({ key })),
          );
          expect(keys(query.toString())).toEqual(chosen);
        },
      ),
    );
  });

  test("compared symbols are at most four, each once, and never that of the page", () => {
    const of = (text: string) => comparedOf(new URLSearchParams(text), "AAPL");
    expect(of("compare=msft,AAPL,SPY,msft,<b>,A,B,C")).toEqual(["MSFT", "SPY", "A", "B"]);
    const query = new URLSearchParams("compare=MSFT");
    writeCompared(query, []);
    expect(query.has("compare")).toBe(false);
  });
});

describe("what is in view", () => {
  test("panes fill the height without overlapping, the prices the largest", () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 2_000 }), fc.integer({ min: 0, max: 6 }), (height, panes) => {
        const boxes = boxesOf(height, panes);
        expect(boxes.length).toBe(panes + 1);
        expect(boxes.reduce((sum, { whole }) => sum + whole.height, 0)).toBe(height - 24);
        for (const { whole, inner } of boxes) {
          expect(inner.top).toBeGreaterThan(whole.top);
          expect(whole.height).toBeLessThanOrEqual(boxes[0]!.whole.height);
        }
      }),
    );
  });

  test("a position and its place are each other's inverse", () => {
    const places = { from: 10.5, to: 60.5 };
    expect(placeOf(xOf(33, places, 800), places, 800)).toBeCloseTo(33, 9);
    expect(barsInView(places, 1_000)).toEqual({ first: 10, last: 61 });
    expect(barsInView({ from: 5, to: 9 }, 0)).toEqual({ first: 5, last: -1 });
  });

  test("zooming keeps the bar under the pointer in its place, and moving keeps the length of the view", () => {
    const place = fc.double({ min: -1_000, max: 5_000, noNaN: true });
    fc.assert(
      fc.property(
        place,
        fc.double({ min: 20, max: 900, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (from, span, share) => {
          const places = { from, to: from + span };
          const around = from + share * span;
          const next = zoomed(places, 1.25, around);
          expect((around - next.from) / (next.to - next.from)).toBeCloseTo(share, 6);
          const moved = within(places, 2_000);
          expect(moved.to - moved.from).toBeCloseTo(span, 6);
          expect(moved.from).toBeLessThan(2_000);
          expect(moved.to).toBeGreaterThan(-0.5);
        },
      ),
    );
  });
});
