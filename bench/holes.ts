/**
 * The cost of finding holes in two years of minutes, compared with judging and storing the same bars: of a symbol that
 * trades in every minute, and of one with a bar in two of five.
 */

import { emptyBars, sliceBars } from "../src/domain/market/bars.ts";
import { barStarts, CALENDAR } from "../src/domain/market/calendar.ts";
import { validateBars } from "../src/domain/market/validate-bars.ts";
import { findGaps, sessionsToRead } from "../src/pipeline/validation/find-gaps.ts";
import { migrateDatabase, openDatabase } from "../src/storage/db.ts";
import { seriesId } from "../src/storage/market/bars.ts";
import { countSessions, readMinutes } from "../src/storage/market/session-bars.ts";
import { storeBatch } from "../src/storage/runs/batches.ts";
import { temporaryFolder } from "../tests/helpers/folder.ts";
import { median, report } from "./support/report.ts";

const ROUNDS = 5;
const DAY = 86_400;
/** Days of a batch. */
const BATCH = 30 * DAY;
const [FROM, TO] = [Date.UTC(2022, 0, 1) / 1000, Date.UTC(2024, 0, 1) / 1000];
const sessions = CALENDAR.sessionsBetween("us_equity", FROM, TO);

using folder = temporaryFolder();
const db = await openDatabase(folder.database("holes.db"));
await migrateDatabase(db);

function barsWith(share: number) {
  const starts = sessions.flatMap((session) => barStarts(session, "1m"));
  const ts = starts.filter((_, at) => (Math.imul(at + 1, 0x9e3779b1) >>> 0) / 2 ** 32 < share);
  const bars = emptyBars(ts.length);
  for (let at = 0; at < ts.length; at++) {
    const price = Math.round(10_000 + 500 * Math.sin(at / 900)) / 100;
    bars.ts[at] = ts[at]!;
    for (const field of ["open", "close"] as const) bars[field][at] = price;
    [bars.high[at], bars.low[at], bars.volume[at]] = [price + 0.02, price - 0.02, 100 + (at % 900)];
  }
  return bars;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = Bun.nanoseconds();
  await work();
  return (Bun.nanoseconds() - start) / 1e6;
}

const results = [];
for (const [what, share] of [
  ["every minute", 1],
  ["two of five minutes", 0.4],
] as const) {
  const bars = barsWith(share);
  const [stored, found]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    const key = { symbol: `A${share}-${round}`, provider: "demo", feed: "x", adjustment: "none", sessions: "regular" };
    const id = await seriesId(db, { ...key, interval: "1m" });
    stored.push(
      await timed(async () => {
        for (let from = FROM, start = 0; from < TO; from += BATCH) {
          let end = start;
          while (end < bars.ts.length && bars.ts[end]! < from + BATCH) end++;
          const window = { from, to: from + BATCH };
          const valid = validateBars(sliceBars(bars, start, end), { interval: "1m", asOf: TO, ...window });
          await storeBatch(db, {
            seriesId: id,
            barsId: id,
            runId: "bench",
            window,
            bars: valid.bars,
            known: emptyBars(),
            rejected: valid.rejected,
            counters: { jobId: 1, apiCalls: 1, fetchMs: 1, dataPoints: end },
          });
          start = end;
        }
      }),
    );
    found.push(
      await timed(async () => {
        const counts = await countSessions(db, id, sessions, FROM);
        const examined = { sessions, interval: "1m" as const, firstBar: bars.ts[0]!, ...counts };
        const gaps = findGaps(examined, await readMinutes(db, id, sessionsToRead(examined)));
        if (gaps.length > 0) throw new Error(`${gaps.length} gaps in bars that have none`);
      }),
    );
  }
  const ratio = median(found) / median(stored);
  results.push({
    question: `holes in ${bars.ts.length.toLocaleString("en-US")} bars, ${what}`,
    measured: `${median(found).toFixed(0)} ms`,
    comparedWith: `judging and storing them: ${median(stored).toFixed(0)} ms`,
    ratio: ratio.toFixed(3),
    target: "< 0.1",
    missed: ratio >= 0.1,
  });
}
db.close();
report(results);
