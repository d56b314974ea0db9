/** Longer bars against the definition, worked out with clocks of the exchanges and without code of src. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BAR_FIELDS, type BarColumns, emptyBars, joinBars, sliceBars } from "../../../src/domain/market/bars.ts";
import { CALENDAR } from "../../../src/domain/market/calendar.ts";
import type { Venue } from "../../../src/domain/market/exchanges/exchanges.ts";
import { type Interval, type ReadInterval, sourceInterval } from "../../../src/domain/market/interval.ts";
import { BarDeriver, barEndAt, deriveBars } from "../../../src/domain/market/resample.ts";
import { randomFrom } from "../../features/histories.ts";

const MINUTES: Partial<Record<ReadInterval, number>> = { "5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240 };
const LONGER = ["5m", "15m", "30m", "1h", "4h", "1d", "1w", "1mo"] as const;

interface Place {
  readonly venue: Venue;
  readonly zone: string;
  /** Minutes after midnight of the parts of a session; a date has its own if it differs. */
  readonly parts: readonly (readonly [number, number])[];
  readonly days: Readonly<Record<string, readonly (readonly [number, number])[] | "closed">>;
}
const at = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
const part = (from: string, to: string) => [at(from), at(to)] as const;

const NEW_YORK: Place = {
  venue: "us_equity",
  zone: "America/New_York",
  parts: [part("09:30", "16:00")],
  days: { "2024-11-28": "closed", "2024-11-29": [part("09:30", "13:00")], "2024-03-29": "closed" },
};
const TOKYO: Place = {
  venue: "XTKS",
  zone: "Asia/Tokyo",
  parts: [part("09:00", "11:30"), part("12:30", "15:00")],
  days: { "2024-03-20": "closed" },
};
const LONDON: Place = {
  venue: "XLON",
  zone: "Europe/London",
  parts: [part("08:00", "16:30")],
  days: { "2024-03-29": "closed", "2024-04-01": "closed" },
};
const CRYPTO: Place = { venue: "crypto", zone: "UTC", parts: [[0, 1440]], days: {} };

/** Epoch seconds of a wall clock's time, found by looking at the clock. */
function moment(zone: string, date: string, minutes: number): number {
  const wall = Date.parse(`${date}T00:00:00Z`) / 1000 + minutes * 60;
  const shown = (ts: number) =>
    Date.parse(`${new Date(ts * 1000).toLocaleString("sv", { timeZone: zone }).replace(" ", "T")}Z`) / 1000;
  for (let guess = wall - 15 * 3600; guess <= wall + 15 * 3600; guess += 1800) if (shown(guess) === wall) return guess;
  throw new Error(`${date} ${minutes} does not exist in ${zone}`);
}

interface Minute {
  readonly ts: number;
  /** The key of its longer bar, per interval, and that bar's start. */
  readonly bars: Readonly<Record<(typeof LONGER)[number], number>>;
}

/** All minutes of some days in a row, each with the longer bars that it belongs to by definition. */
function minutesOf({ venue, zone, parts, days }: Place, first: string, count: number): Minute[] {
  const minutes: Minute[] = [];
  for (let day = 0; day < count; day++) {
    const midnight = Date.parse(`${first}T00:00:00Z`) / 1000 + day * 86_400;
    const date = new Date(midnight * 1000);
    const iso = date.toISOString().slice(0, 10);
    const session = days[iso] ?? parts;
    const isWeekend = date.getUTCDay() === 0 || date.getUTCDay() === 6;
    if (session === "closed" || (isWeekend && venue !== "crypto")) continue;
    const week = midnight - ((date.getUTCDay() + 6) % 7) * 86_400;
    const month = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) / 1000;
    for (const [from, to] of session) {
      const open = moment(zone, iso, from);
      for (let minute = 0; minute < to - from; minute++) {
        const start = (length: number) => open + Math.floor(minute / length) * length * 60;
        const short = Object.fromEntries(Object.entries(MINUTES).map(([name, length]) => [name, start(length)]));
        const bars = { ...short, "1d": midnight, "1w": week, "1mo": month } as Minute["bars"];
        minutes.push({ ts: open + minute * 60, bars });
      }
    }
  }
  return minutes;
}

/** Bars in cents, of which a share is left out. */
function walk(minutes: readonly Minute[], seed: number, gaps: number): { kept: Minute[]; bars: BarColumns } {
  const random = randomFrom(seed);
  const kept = minutes.filter(() => random() >= gaps);
  const bars = emptyBars(kept.length);
  kept.forEach(({ ts }, k) => {
    const [a, b, c, d] = [random(), random(), random(), random()].map((x) => Math.round(x * 10_000) / 100);
    bars.ts[k] = ts;
    bars.open[k] = a!;
    bars.close[k] = b!;
    bars.high[k] = Math.max(a!, b!, c!);
    bars.low[k] = Math.min(a!, b!, d!);
    bars.volume[k] = random() * 1_000;
  });
  return { kept, bars };
}

function expected(kept: readonly Minute[], bars: BarColumns, interval: (typeof LONGER)[number]): number[][] {
  const rows: number[][] = [];
  let start = Number.NaN;
  kept.forEach((minute, k) => {
    const [open, high, low, close, volume] = [
      bars.open[k]!,
      bars.high[k]!,
      bars.low[k]!,
      bars.close[k]!,
      bars.volume[k]!,
    ];
    if (minute.bars[interval] !== start) {
      start = minute.bars[interval];
      rows.push([start, open, high, low, close, volume]);
      return;
    }
    const row = rows.at(-1)!;
    rows[rows.length - 1] = [start, row[1]!, Math.max(row[2]!, high), Math.min(row[3]!, low), close, row[5]! + volume];
  });
  return rows;
}

const rowsOf = (bars: BarColumns) => Array.from(bars.ts, (_, k) => BAR_FIELDS.map((field) => bars[field][k]!));

describe("derived bars", () => {
  test.each([
    ["New York over a change of clocks", NEW_YORK, "2024-03-07", 26],
    ["New York with an early close", NEW_YORK, "2024-11-25", 8],
    ["Tokyo with its lunch break", TOKYO, "2024-03-18", 5],
    ["London with summer time and a holiday", LONDON, "2024-03-27", 10],
    ["around the clock", CRYPTO, "2024-02-27", 6],
  ] as const)("derived bars equal a resample by definition: %s", (_, place, first, count) => {
    const minutes = minutesOf(place, first, count);
    for (const [seed, gaps] of [
      [1, 0],
      [2, 0.3],
      [3, 0.97],
    ] as const) {
      const { kept, bars } = walk(minutes, seed, gaps);
      for (const interval of LONGER) {
        const derived = deriveBars(CALENDAR, place.venue, interval, bars);
        expect([interval, rowsOf(derived)]).toEqual([interval, expected(kept, bars, interval)]);
      }
    }
  });

  test("derived bars are the same in one piece and in pages of any size", () => {
    const { bars } = walk(minutesOf(NEW_YORK, "2024-11-25", 8), 5, 0.1);
    fc.assert(
      fc.property(
        fc.constantFrom(...LONGER),
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }),
        (interval, sizes) => {
          const deriver = new BarDeriver({ calendar: CALENDAR, venue: "us_equity", source: "1m", interval });
          let joined = emptyBars();
          for (let start = 0, k = 0; start < bars.ts.length; k++) {
            const end = Math.min(bars.ts.length, start + sizes[k % sizes.length]!);
            joined = joinBars(joined, deriver.take(sliceBars(bars, start, end)));
            start = end;
          }
          joined = joinBars(joined, deriver.end());
          expect(rowsOf(joined)).toEqual(rowsOf(deriveBars(CALENDAR, "us_equity", interval, bars)));
        },
      ),
      { numRuns: 40 },
    );
  });

  test("derived days of an exchange have no trading before the open or after the close, shorter bars have", () => {
    const bars = emptyBars(4);
    bars.ts.set(["08:00", "09:30", "15:59", "17:00"].map((time) => moment("America/New_York", "2024-07-08", at(time))));
    for (const field of ["open", "high", "low", "close", "volume"] as const) bars[field].set([1, 2, 3, 4]);
    expect(rowsOf(deriveBars(CALENDAR, "us_equity", "1d", bars))).toEqual([
      [Date.UTC(2024, 6, 8) / 1000, 2, 3, 2, 3, 5],
    ]);
    expect(deriveBars(CALENDAR, "us_equity", "1h", bars).ts.length).toBe(4);
  });

  test("weeks and months are built from days by their dates, and an unknown volume stays unknown", () => {
    const dates = ["2024-05-31", "2024-06-03", "2024-06-04", "2024-06-10", "2024-07-01"];
    const bars = emptyBars(5);
    bars.ts.set(dates.map((date) => Date.parse(`${date}T00:00:00Z`) / 1000));
    for (const field of ["open", "high", "low", "close"] as const) bars[field].set([1, 2, 3, 4, 5]);
    bars.volume.set([1, 2, Number.NaN, 4, 5]);
    const shape = (interval: ReadInterval) => {
      const { ts, open, close, volume } = deriveBars(CALENDAR, "us_equity", interval, bars, "1d");
      return Array.from(ts, (start, k) => [
        new Date(start * 1000).toISOString().slice(0, 10),
        open[k],
        close[k],
        volume[k],
      ]);
    };
    expect(shape("1w")).toEqual([
      ["2024-05-27", 1, 1, 1],
      ["2024-06-03", 2, 3, Number.NaN],
      ["2024-06-10", 4, 4, 4],
      ["2024-07-01", 5, 5, 5],
    ]);
    expect(shape("1mo")).toEqual([
      ["2024-05-01", 1, 1, 1],
      ["2024-06-01", 2, 4, Number.NaN],
      ["2024-07-01", 5, 5, 5],
    ]);
  });
});

describe("the ends of bars", () => {
  const end = (venue: Venue, interval: ReadInterval, zone: string, date: string, time: string) => {
    const start = time === "" ? Date.parse(`${date}T00:00:00Z`) / 1000 : moment(zone, date, at(time));
    return new Date(barEndAt(CALENDAR, venue, interval, start) * 1000).toISOString().slice(0, 16);
  };
  test("bars end with their interval, at a break, at the close, and with the last session of their dates", () => {
    const zone = "America/New_York";
    expect(end("us_equity", "1h", zone, "2024-07-08", "10:30")).toBe("2024-07-08T15:30");
    expect(end("us_equity", "1h", zone, "2024-07-08", "15:30")).toBe("2024-07-08T20:00");
    expect(end("us_equity", "4h", zone, "2024-07-03", "09:30")).toBe("2024-07-03T17:00");
    expect(end("XTKS", "4h", "Asia/Tokyo", "2024-03-18", "09:00")).toBe("2024-03-18T02:30");
    expect(end("us_equity", "1d", zone, "2024-11-29", "")).toBe("2024-11-29T18:00");
    expect(end("us_equity", "1w", zone, "2024-11-25", "")).toBe("2024-11-29T18:00");
    expect(end("us_equity", "1mo", zone, "2024-11-01", "")).toBe("2024-11-29T18:00");
    expect(end("crypto", "1w", "UTC", "2024-11-25", "")).toBe("2024-12-02T00:00");
    expect(end("crypto", "1mo", "UTC", "2024-02-01", "")).toBe("2024-03-01T00:00");
  });
});

test("an interval is read as it is stored, or else from the finest stored one that divides it", () => {
  const source = (wanted: ReadInterval, ...stored: Interval[]) => sourceInterval(wanted, stored);
  expect(source("1h", "1d", "1h", "1m")).toBe("1h");
  expect(source("1h", "1d", "15m", "5m")).toBe("5m");
  expect(source("1mo", "1d", "1h")).toBe("1h");
  expect(source("1w", "1d")).toBe("1d");
  expect(source("15m", "1h", "1d")).toBe(null);
  expect(source("1m", "5m")).toBe(null);
});
