/**
 * Features of longer bars never look ahead: whatever is stored that had not ended when a row's bar ended is changed, and
 * no value up to that row may change. When bars end is worked out here by the clocks of the exchanges.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { emptyBars } from "../../../../src/domain/market/bars.ts";
import { CALENDAR } from "../../../../src/domain/market/calendar.ts";
import type { Interval, ReadInterval } from "../../../../src/domain/market/interval.ts";
import { findSources } from "../../../../src/pipeline/exports/find-sources.ts";
import { readRows } from "../../../../src/pipeline/exports/series/read-rows.ts";
import { type Database, openDatabase } from "../../../../src/storage/db.ts";
import { insertBars, seriesId } from "../../../../src/storage/market/bars.ts";
import { randomFrom } from "../../../features/histories.ts";
import { migratedDatabase, temporaryFolder } from "../../../helpers/folder.ts";

const folder = temporaryFolder();
let db: Database;
beforeAll(async () => {
  db = await openDatabase(await migratedDatabase(folder));
});
afterAll(() => {
  db.close();
  folder[Symbol.dispose]();
});

/** A stored bar: when it starts, and when all of it is known. */
interface Known {
  readonly ts: number;
  readonly end: number;
}

interface Story {
  readonly symbol: string;
  readonly zone: string;
  readonly sessions: "regular" | "extended" | "continuous";
  readonly first: string;
  readonly days: number;
  /** The hours of a date on the clock of the exchange, e.g. `09:30-16:00`; nothing on a closed day. */
  hours(date: string, weekday: number): string;
  /** Longer bars that are stored too. */
  readonly stored?: (
    hours: (date: string) => readonly Part[],
    dates: readonly string[],
  ) => { interval: Interval; bars: Known[] };
}

interface Part {
  readonly from: number;
  readonly to: number;
}

const DAY = 86_400;
const midnight = (date: string) => Date.parse(`${date}T00:00Z`) / 1_000;
const seconds = (text: string) => Number(text.slice(0, 2)) * 3_600 + Number(text.slice(3)) * 60;

/** Epoch seconds at which the clock of a zone shows a time. */
function moment(zone: string, date: string, time: number): number {
  const wall = midnight(date) + time;
  const shown = (ts: number) =>
    Date.parse(`${new Date(ts * 1_000).toLocaleString("sv", { timeZone: zone }).replace(" ", "T")}Z`) / 1_000;
  return wall - (shown(wall - (shown(wall) - wall)) - (wall - (shown(wall) - wall)));
}

const weekdays = (hours: string) => (_: string, day: number) => (day === 0 || day === 6 ? "" : hours);
const except =
  (usual: Story["hours"], dates: Readonly<Record<string, string>>): Story["hours"] =>
  (date, day) =>
    dates[date] ?? usual(date, day);

/** Days that are known some minutes after the close. */
const daily =
  (minutes: number): NonNullable<Story["stored"]> =>
  (hours, dates) => ({
    interval: "1d",
    bars: dates.flatMap((date) => {
      const close = hours(date).at(-1)?.to;
      return close === undefined ? [] : [{ ts: midnight(date), end: close + 60 * minutes }];
    }),
  });

const STORIES: readonly (readonly [string, Story])[] = [
  [
    "New York around Thanksgiving and an early close, with trading before and after",
    {
      ...{ symbol: "NY1", zone: "America/New_York", sessions: "extended", first: "2024-11-18", days: 12 },
      hours: except(weekdays("04:00-20:00"), { "2024-11-28": "", "2024-11-29": "04:00-17:00" }),
    },
  ],
  [
    "hours of New York that start at full hours and mix the open with the minutes before it",
    {
      ...{ symbol: "NY2@US", zone: "America/New_York", sessions: "regular", first: "2024-03-01", days: 12 },
      hours: weekdays("08:00-16:00"),
      stored: (hours, dates) => ({
        interval: "1h",
        bars: dates.flatMap((date) =>
          hours(date).flatMap(({ from, to }) =>
            Array.from({ length: (to - from) / 3_600 }, (_, k) => ({
              ts: from + 3_600 * k,
              end: from + 3_600 * (k + 1),
            })),
          ),
        ),
      }),
    },
  ],
  [
    "London with a closing auction behind its days, around Easter and the start of daylight saving time",
    {
      ...{ symbol: "LON@LSE", zone: "Europe/London", sessions: "regular", first: "2024-03-19", days: 18 },
      hours: except(weekdays("08:00-16:40"), { "2024-03-29": "", "2024-04-01": "" }),
      stored: daily(-5),
    },
  ],
  [
    "Tokyo with its lunch break and the longer session of November 2024",
    {
      ...{ symbol: "TYO@TSE", zone: "Asia/Tokyo", sessions: "regular", first: "2024-10-28", days: 16 },
      hours: (date, day) =>
        day === 0 || day === 6 || date === "2024-11-04"
          ? ""
          : `09:00-11:30,12:30-${date < "2024-11-05" ? "15:00" : "15:30"}`,
    },
  ],
  [
    "Hong Kong with a closing auction of ten minutes behind its days",
    {
      ...{ symbol: "HKG@HK", zone: "Asia/Hong_Kong", sessions: "regular", first: "2024-11-04", days: 12 },
      hours: weekdays("09:30-12:00,13:00-16:10"),
      stored: daily(0),
    },
  ],
  [
    "Mumbai with a session on a Saturday that the calendar does not have",
    {
      ...{ symbol: "BOM@NSE", zone: "Asia/Kolkata", sessions: "regular", first: "2024-02-12", days: 20 },
      hours: except(weekdays("09:15-15:30"), { "2024-03-02": "09:15-12:30" }),
    },
  ],
  [
    "New York with extended trading on a day that the calendar does not have",
    {
      ...{ symbol: "NY3@US", zone: "America/New_York", sessions: "extended", first: "2024-01-08", days: 13 },
      hours: except(weekdays("04:00-20:00"), { "2024-01-20": "16:00-23:00" }),
    },
  ],
  [
    "currencies from Sunday to Friday over a change of the clocks",
    {
      ...{ symbol: "EURUSD@FX", zone: "America/New_York", sessions: "extended", first: "2024-03-01", days: 15 },
      hours: (_, day) => (day === 6 ? "" : day === 0 ? "17:00-24:00" : day === 5 ? "00:00-17:00" : "00:00-24:00"),
    },
  ],
  [
    "crypto around the clock",
    {
      ...{ symbol: "BTC-USD", zone: "UTC", sessions: "continuous", first: "2024-02-26", days: 9 },
      hours: () => "00:00-24:00",
    },
  ],
];

const LONGER: readonly ReadInterval[] = ["15m", "30m", "1h", "4h", "1d", "1w"];
const NAMES = LONGER.flatMap((interval) => ["kbar_kmid", "kbar_klen"].map((name) => `${name}@${interval}`));
const STEP = 300;

test.each(STORIES)("features of longer bars never look ahead: %s", async (_, story) => {
  const { symbol, zone, sessions, first, days } = story;
  const dates = Array.from({ length: days }, (_, k) =>
    new Date((midnight(first) + k * DAY) * 1_000).toISOString().slice(0, 10),
  );
  const hours = (date: string): Part[] =>
    story
      .hours(date, new Date(midnight(date) * 1_000).getUTCDay())
      .split(",")
      .filter((part) => part !== "")
      .map((part) => {
        const [from = "", to = ""] = part.split("-");
        return { from: moment(zone, date, seconds(from)), to: moment(zone, date, seconds(to)) };
      });
  const base = dates.flatMap((date) =>
    hours(date).flatMap(({ from, to }) =>
      Array.from({ length: (to - from) / STEP }, (_, k) => ({ ts: from + STEP * k, end: from + STEP * (k + 1) })),
    ),
  );
  const key = { symbol, provider: "files", feed: "x", adjustment: "none", sessions } as const;
  const random = randomFrom(7);
  const store = async (interval: Interval, known: readonly Known[]) => {
    const bars = emptyBars(known.length);
    known.forEach(({ ts }, at) => {
      const open = 100 + 10 * random();
      const close = open + random() - 0.5;
      bars.ts[at] = ts;
      bars.open[at] = open;
      bars.close[at] = close;
      bars.high[at] = Math.max(open, close) + random();
      bars.low[at] = Math.min(open, close) - random();
      bars.volume[at] = 1_000;
    });
    const id = await seriesId(db, { ...key, interval });
    await db.write(insertBars(id, bars));
    return { id, known };
  };
  const all = [await store("5m", base)];
  const longer = story.stored?.(hours, dates);
  if (longer !== undefined) all.push(await store(longer.interval, longer.bars));

  const range = { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER };
  const found = await findSources(db, CALENDAR, { symbols: [symbol], interval: "5m", longer: LONGER, ...range });
  const request = { interval: "5m", ...range, adjust: "none", hasBars: false, features: NAMES, labels: [] } as const;
  const read = async () => {
    const rows: number[][] = [];
    const context = { db, calendar: CALENDAR, throwIfStopped() {} };
    for await (const { ts, columns } of readRows(context, found.series[0]!, request))
      for (let at = 0; at < ts.length; at++) rows.push([ts[at]!, ...columns.map((column) => column[at]!)]);
    return rows;
  };
  const before = await read();
  expect(before.map(([ts]) => ts)).toEqual(base.map(({ ts }) => ts));
  // Every longer interval has values, and changes with its bars.
  const last = before.at(-1)!;
  expect(last.filter(Number.isNaN)).toEqual([]);

  // Rows at half hours and at the end of parts of sessions, and some others.
  const ends = base.flatMap(({ end }, at) => (base[at + 1]?.ts !== end || end % 1_800 === 0 ? [at] : []));
  const others = Array.from({ length: 4 }, () => Math.floor(random() * base.length));
  const places = [...new Set([...ends.slice(-10), ...others])].filter((at) => at >= 0).toSorted((a, b) => b - a);
  for (const at of places) {
    const { end } = base[at]!;
    for (const { id, known } of all) {
      const later = JSON.stringify(known.filter((bar) => bar.end > end).map(({ ts }) => ts));
      const sql =
        "UPDATE bars SET open = open * 1.5, high = high * 3, low = low * 0.5 WHERE series_id = ? AND ts IN (SELECT value FROM json_each(?))";
      await db.write([{ sql, args: [id, later] }]);
    }
    // Places come from the last to the first: what was changed for a later one lies after the earlier one too.
    const after = await read();
    const wrong = before
      .slice(0, at + 1)
      .findIndex((row, k) => row.some((value, c) => !Object.is(value, after[k]![c])));
    const names = wrong < 0 ? [] : NAMES.filter((_, c) => !Object.is(before[wrong]![c + 1], after[wrong]![c + 1]));
    expect([at, wrong < 0 ? null : new Date(before[wrong]![0]! * 1_000).toISOString(), names]).toEqual([at, null, []]);
  }
  expect((await read()).at(-1)).not.toEqual(last);
});
