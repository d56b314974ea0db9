/**
 * One export in a process of its own, so that its memory can be measured: reads the stream of the export thread as a
 * route does, and prints what it cost as JSON. Arguments: the database's URL, the request as JSON, and a file to keep the
 * export in, which is written in the measured time.
 */

import type { ExportRequest } from "../../src/pipeline/exports/export-table.ts";
import { Exporter } from "../../src/pipeline/exports/exporter.ts";
import { WriteLock } from "../../src/storage/connection/file/write-lock.ts";

export interface ExportCost {
  readonly seconds: number;
  readonly bytes: number;
  /** The most memory seen at a piece, above that of the idle process with the thread running, in bytes. */
  readonly growth: number;
  /** The longest time that the main thread, which passes the pieces on, answered nothing, in seconds. */
  readonly stall: number;
}

const [dbUrl, text, kept] = process.argv.slice(2) as [string, string, string?];
const file = kept === undefined ? undefined : Bun.file(kept).writer();
const request: ExportRequest = JSON.parse(text);
const exporter = new Exporter({
  dbUrl,
  dbToken: undefined,
  dbFile: null,
  lease: "",
  writeLock: new WriteLock().shared,
  providerValues: {},
  secrets: [],
  sessions: {},
});

/** Bytes of the export, and the peak of this process's memory. (Its `maxRSS` would begin with that of its parent.) */
async function read(request: ExportRequest): Promise<{ bytes: number; peak: number }> {
  let bytes = 0;
  let peak = 0;
  for await (const piece of new Response(await exporter.body(request)).body!) {
    bytes += piece.length;
    if (file !== undefined && isMeasured) await file.write(piece);
    peak = Math.max(peak, process.memoryUsage.rss());
  }
  return { bytes, peak };
}

let isMeasured = false;
await read({ ...request, from: 0, to: 1 });
const TICK_MS = 2;
let stall = 0;
let lastTick = performance.now();
const ticks = setInterval(() => {
  const now = performance.now();
  stall = Math.max(stall, (now - lastTick - TICK_MS) / 1000);
  lastTick = now;
}, TICK_MS);
isMeasured = true;
const idle = process.memoryUsage.rss();
const start = performance.now();
const { bytes, peak } = await read(request);
await file?.end();
const seconds = (performance.now() - start) / 1000;
clearInterval(ticks);
await exporter.close();
console.log(JSON.stringify({ seconds, bytes, growth: peak - idle, stall } satisfies ExportCost));
