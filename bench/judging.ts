/**
 * What judging bars in their surroundings, and looking for changes of scale, costs: the share of a run of one symbol's
 * minutes, into an empty store and over bars that are stored; validating rows, features and writing are the rest.
 */

import { type BarColumns, barsBetween } from "../src/domain/market/bars.ts";
import { CALENDAR } from "../src/domain/market/calendar.ts";
import { DAY } from "../src/domain/market/interval.ts";
import { directJobStore } from "../src/pipeline/store/direct-store.ts";
import { recordFindings } from "../src/pipeline/validation/findings.ts";
import { Surroundings } from "../src/pipeline/validation/surroundings.ts";
import { createProvider } from "../src/providers/registry.ts";
import { readSeries } from "../src/storage/market/series.ts";
import { MemoryVendor } from "../tests/fakes/memory-vendor.ts";
import { startPipeline } from "../tests/helpers/pipeline.ts";
import { median, report, short } from "./support/report.ts";

const DAYS = 365;
const ROUNDS = 5;
/** The largest share of a run. */
const MOST = 0.1;
const asOf = Date.UTC(2026, 5, 30) / 1000;

const demo = createProvider("demo", {}, CALENDAR);
const { bars } = await demo.fetchBars(
  { symbol: "ACME", interval: "1m", from: asOf - DAYS * DAY, to: asOf + DAY, asOf },
  {
    signal: new AbortController().signal,
    log: () => {},
    waiting: () => {},
    acquire: async () => ({ settle: () => {} }),
  } as never,
);

class Minutes extends MemoryVendor {
  override bars(_interval: string, from: number, to: number): BarColumns {
    return barsBetween(bars, from, to);
  }
}

let judging = 0;
const judge = Surroundings.prototype.judge;
Surroundings.prototype.judge = async function (...args) {
  const start = performance.now();
  try {
    return await judge.apply(this, args);
  } finally {
    judging += performance.now() - start;
  }
};

const shares: Record<"empty" | "stored", number[]> = { empty: [], stored: [] };
const seconds: Record<"empty" | "stored", number[]> = { empty: [], stored: [] };
for (let round = 0; round < ROUNDS; round++) {
  using pipeline = await startPipeline();
  const vendor = new Minutes();
  for (const store of ["empty", "stored"] as const) {
    judging = 0;
    const start = performance.now();
    const { kind } = await pipeline.run(vendor, { asOf, interval: "1m", days: DAYS });
    if (kind !== "done") throw new Error(`the run is ${kind}`);
    const all = performance.now() - start;
    // The run has done this too: once more, to know its time.
    const id = await pipeline.series(vendor, "1m");
    const { symbol, interval, provider, adjustment } = await readSeries(pipeline.db, id);
    const again = performance.now();
    await recordFindings(directJobStore(pipeline.db), { id, symbol, interval, provider, adjustment }, 0, {
      log() {},
      alert() {},
    });
    judging += performance.now() - again;
    shares[store].push(judging / all);
    seconds[store].push(all / 1000);
  }
}
report(
  (["empty", "stored"] as const).map((store) => {
    const share = median(shares[store]);
    return {
      question: `judging ${short(bars.ts.length)} minutes, ${store === "empty" ? "new" : "stored before"}`,
      measured: `${(share * 100).toFixed(1)} % of the run`,
      comparedWith: `the run: ${median(seconds[store]).toFixed(2)} s`,
      ratio: share.toFixed(3),
      target: `<= ${MOST}`,
      missed: share > MOST,
    };
  }),
);
