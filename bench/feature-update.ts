/**
 * The cost of one progress update, from the worker's message to the bytes for a browser: CPU time of the whole process
 * (workers included) for jobs that only report, with one connection to the live stream.
 */

import { startApp } from "../tests/helpers/app.ts";
import { atMost, report } from "./support/report.ts";

const SYMBOLS = 10;

await using app = await startApp({
  env: { BARKEEP_LOG_LEVEL: "info" },
  workerScript: new URL("./support/chatty-worker.ts", import.meta.url),
});
app.app.pool.warm();
while (app.app.pool.alive < app.app.pool.size) await Bun.sleep(5);
const abort = new AbortController();
const response = await fetch(`${app.url}/events`, { signal: abort.signal });
if (!response.ok) throw new Error(`GET /events: ${response.status}`);
let bytes = 0;
const reading = (async () => {
  for await (const chunk of response.body as ReadableStream<Uint8Array>) bytes += chunk.length;
})().catch(() => {});

async function measure(prefix: string): Promise<{ updates: number; micros: number }> {
  const { seq } = app.app.hub;
  const cpu = process.cpuUsage();
  const runId = await app.start({ symbols: Array.from({ length: SYMBOLS }, (_, i) => `${prefix}${i}`) });
  await app.waitForRun(runId, "failed");
  const { user, system } = process.cpuUsage(cpu);
  return { updates: app.app.hub.seq - seq, micros: user + system };
}

await measure("WARM");
const { updates, micros } = await measure("S");
abort.abort();
await reading;
const each = micros / updates;
report([
  {
    question: "CPU per progress update, worker to rendered bytes",
    measured: `${each.toFixed(1)} µs`,
    comparedWith: `${updates} updates, ${(bytes / 1024).toFixed(0)} KB to the viewer`,
    ...atMost(each, 50, "µs"),
  },
]);
