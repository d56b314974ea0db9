/** What a job knows of a series that it has written by itself, beside what is stored. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { BAR_FIELDS, type BarColumns, copyBars, emptyBars, sliceBars } from "../../src/domain/market/bars.ts";
import { DAY } from "../../src/domain/market/interval.ts";
import { SharedBars, WrittenBars } from "../../src/pipeline/written-bars.ts";
import { openDatabase } from "../../src/storage/db.ts";
import { insertBars, readBars, seriesId } from "../../src/storage/market/bars.ts";
import { readDays } from "../../src/storage/market/quality/findings.ts";
import { migratedDatabase, temporaryFolder } from "../helpers/folder.ts";

const KEY = { symbol: "ACME", provider: "demo", feed: "synthetic", adjustment: "none", sessions: "regular" };

/** What a job of a thread that keeps no long series knows. */
const writtenBars = (isEmpty: boolean) => new WrittenBars(isEmpty, new SharedBars(0));

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
  const written = writtenBars(true);
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
  const earlier = writtenBars(true);
  const changed = writtenBars(true);
  const long = writtenBars(true);
  const stored = writtenBars(false);
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
  expect(writtenBars(true).whole()).toBeNull();
});

test("a longer series is known from what was written as far as the thread's jobs keep no more than they may", () => {
  const shared = new SharedBars(5_000);
  const jobs = [0, 1, 2].map(() => new WrittenBars(true, shared));
  const [first, second, third] = jobs as [WrittenBars, WrittenBars, WrittenBars];
  const add = (job: WrittenBars, from: number, count: number) => {
    job.add(daysFrom(from, count));
    return job.whole()?.ts.length ?? null;
  };
  expect(add(first, 0, 2_000)).toBe(2_000);
  expect(add(first, 2_000, 2_000)).toBe(4_000);
  expect(add(second, 0, 2_001)).toBeNull();
  expect(add(third, 0, 2_000)).toBe(2_000);
  first.forget();
  expect(first.whole()).toBeNull();
  expect(add(third, 2_000, 3_000)).toBe(5_000);
  third.forget();
  third.forget();
  const [next, last] = [new WrittenBars(true, shared), new WrittenBars(true, shared)];
  expect(add(next, 0, 5_000)).toBe(5_000);
  expect(add(last, 0, 2_001)).toBeNull();
});

test("what was written is the same bars whether its parts follow each other in the same columns or not", () => {
  const bars = daysFrom(100, 60);
  const part = fc.record({ length: fc.integer({ min: 0, max: 20 }), skip: fc.nat(2), isCopy: fc.boolean() });
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
      const written = writtenBars(true);
      const places: number[] = [];
      let at = 0;
      for (const { length, skip, isCopy } of parts) {
        const [from, to] = [Math.min(at + skip, 60), Math.min(at + skip + length, 60)];
        written.add(isCopy ? copyBars(bars, from, to) : sliceBars(bars, from, to));
        for (let place = from; place < to; place++) places.push(place);
        at = to;
      }
      const expected =
        places.length === 0 ? null : places.map((place) => BAR_FIELDS.map((field) => bars[field][place]));
      for (const whole of [written.whole(), written.whole()]) {
        expect(whole && [...whole.ts.keys()].map((row) => BAR_FIELDS.map((field) => whole[field][row]))).toEqual(
          expected,
        );
      }
    }),
  );
});
