/** A snapshot, and a panel as known now, of many symbols: processor time, memory, the longest stall of the main thread. */

import { startApp } from "../tests/helpers/app.ts";
import { atMost, report } from "./support/report.ts";

const SYMBOLS = Array.from({ length: 300 }, (_, n) => `S${n}`);
/** Milliseconds between two looks at the main thread. */
const LOOK = 5;

await using app = await startApp();
await app.waitForRun(await app.start({ symbols: SYMBOLS, years: 2, batch_days: 365 }), "complete");

/** Processor time of this thread in milliseconds: what others take of the machine is not in it. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

async function measure(what: string, work: () => Promise<string>): Promise<void> {
  let [stall, own, peak, last] = [0, 0, process.memoryUsage.rss(), performance.now()];
  let used = threadMs();
  const before = peak;
  const timer = setInterval(() => {
    const now = performance.now();
    stall = Math.max(stall, now - last - LOOK);
    last = now;
    own = Math.max(own, threadMs() - used);
    used = threadMs();
    peak = Math.max(peak, process.memoryUsage.rss());
  }, LOOK);
  const cpu = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  clearInterval(timer);
  report([
    {
      question: `${what} of ${SYMBOLS.length} symbols, two years of days: longest work of the main thread`,
      measured: `${own.toFixed(0)} ms of processor time, stall ${stall.toFixed(0)} ms`,
      comparedWith: `${((user + system) / 1e6).toFixed(1)} s of processor time in all, +${((peak - before) / 1e6).toFixed(0)} MB; ${result}`,
      ...atMost(own, 50, "ms"),
    },
  ]);
}

await measure("snapshot", async () => {
  const order = { name: "bench", symbols: SYMBOLS, names: "rsi_14,atr_14,sma_20", include: "ohlcv" };
  const { status, body } = await app.post("/api/snapshots", order);
  return `${status}, ${body.rows} rows in ${body.files.length} files`;
});
await measure("panel as known now", async () => {
  const query = `names=none&include=ohlcv&format=parquet&as_known_at=${new Date().toISOString()}`;
  const answer = await fetch(`${app.url}/api/panel?symbols=${SYMBOLS.join(",")}&${query}`);
  return `${answer.status}, ${(await answer.arrayBuffer()).byteLength} bytes`;
});
