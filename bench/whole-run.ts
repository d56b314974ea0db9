/** The duration of 100 symbols × 2 years × 1d with the demo provider without latency, from the request to the last profile. */

import { FEATURE_COUNT } from "../src/features/catalog.ts";
import { startApp } from "../tests/helpers/app.ts";
import { report, short } from "./support/report.ts";

const SYMBOLS = 100;

await using app = await startApp({ env: { BARKEEP_LOG_LEVEL: "info" } });
app.app.pool.warm();
while (app.app.pool.alive < app.app.pool.size) await Bun.sleep(5);
const cpu = process.cpuUsage();
const start = performance.now();
const runId = await app.start({ symbols: Array.from({ length: SYMBOLS }, (_, i) => `S${i}`) });
const { run } = await app.waitForRun(runId, "complete", "failed");
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(cpu);
if (run.state !== "complete") throw new Error(`the run is ${run.state}`);
report([
  {
    question: `${SYMBOLS} symbols × 2 years × 1d, ${FEATURE_COUNT} features, ${app.app.pool.size} workers`,
    measured: `${seconds.toFixed(2)} s`,
    comparedWith: `${(SYMBOLS / seconds).toFixed(0)} symbols/s, ${short(run.dataPoints / seconds)} bars/s, CPU ${((user + system) / 1e6).toFixed(1)} s`,
  },
]);
