/** What a job knows of a series that it has written by itself, beside what is stored. */

import { expect, test } from "bun:test";
import { BAR_FIELDS, type BarColumns, emptyBars, sliceBars } from "../../src/domain/market/bars.ts";
import { DAY } from "../../src/domain/market/interval.ts";
import { WrittenBars } from "../../src/pipeline/written-bars.ts";
import { openDatabase } from "../../src/storage/db.ts";
import { insertBars, readBars, seriesId } from "../../src/storage/market/bars.ts";
import { readDays } from "../../src/storage/market/quality/findings.ts";
import { migratedDatabase, temporaryFolder } from "../helpers/folder.ts";

const KEY = { symbol: "ACME", provider: "demo", feed: "synthetic", adjustment: "none", sessions: "regular" };

const bitsOf = ({ buffer, byteOffset, length }: Float64Array) => new BigUint64Array(buffer, byteOffset, length);

function daysFrom(first: number, count: number): BarColumns {
  const bars = emptyBars(count);
  for (let at = 0; at < count; at++) {
    const close = 100 + Math.sin(first + at) / 3;
    bars.ts[at] = (first + at) * DAY;
    bars.open[at] = close - 0.1;
    bars.high[at] = close + 0.3;
    bars.low[at] = close - 0.7;
    bars.close[at] = close;
    bars.volume[at] = 1_000 + at;
  }
  return bars;
}

test("what a job has written to an empty series is what is stored, an unknown volume and one of −0 included", async () => {
  using folder = temporaryFolder();
  const db = await openDatabase(await migratedDatabase(folder));
  const series = await seriesId(db, { ...KEY, interval: "1d" });
  const bars = daysFrom(19_000, 90);
  // As an addition may make it, with its sign.
  new BigUint64Array(bars.volume.buffer)[3] = 0xfff8_0000_0000_0000n;
  bars.volume[40] = -0;
  bars.close[41] = 100;
  const written = new WrittenBars(true);
  for (const [from, to] of [
    [0, 30],
    [30, 30],
    [30, 61],
    [61, 90],
  ] as const) {
    const part = sliceBars(bars, from, to);
    if (part.ts.length > 0) await db.write(insertBars(series, part));
    written.add(part);
  }
  const stored = await readBars(db, series, 0, Number.MAX_SAFE_INTEGER);
  const whole = written.whole()!;
  for (const field of BAR_FIELDS) expect([field, bitsOf(whole[field])]).toEqual([field, bitsOf(stored[field])]);
  expect(written.days()).toEqual(await readDays(db, series, "1d", 0));
  db.close();
});

test("a series that had bars, gets earlier ones, changes otherwise or is long is not known from what was written", () => {
  const earlier = new WrittenBars(true);
  const changed = new WrittenBars(true);
  const long = new WrittenBars(true);
  const stored = new WrittenBars(false);
  for (const written of [earlier, changed, long, stored]) written.add(daysFrom(19_000, 30));
  for (const written of [earlier, changed, long]) expect(written.whole()?.ts.length).toBe(30);
  earlier.add(daysFrom(18_000, 30));
  changed.forget();
  long.add(daysFrom(20_000, 1_971));
  for (const written of [earlier, changed, long, stored]) {
    written.add(daysFrom(30_000, 1));
    expect(written.whole()).toBeNull();
    expect(written.days()).toBeNull();
  }
  expect(new WrittenBars(true).whole()).toBeNull();
});
