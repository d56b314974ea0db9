/**
 * How cost grows: a full run of two years of days of 100 to 5,000 symbols, and of 1 to 20 years of minutes of one symbol, each
 * into an empty database. `bun bench/growth.ts 100 500 1y` measures these alone.
 */

import { statSync } from "node:fs";
import { pathOf } from "../src/storage/db.ts";
import { temporaryFolder } from "../tests/helpers/folder.ts";
import { atMost, type BenchResult, report } from "./support/report.ts";
import { peakMb, processorMs, residentMb, runToEnd, startServer } from "./support/server-process.ts";

const SYMBOLS = [100, 500, 2_000, 5_000];
const YEARS = [1, 5, 20];
/** Most bytes of the database for each bar. */
const BAR_BYTES = 120;
/** How long a server is left alone after its run before its memory is read, milliseconds; its threads stay longer. */
const IDLE_MS = 12_000;

async function measure(symbols: number, years: number, interval: "1d" | "1m"): Promise<BenchResult> {
  using folder = temporaryFolder();
  const url = folder.database();
  const server = startServer(url);
  const client = await server.listening;
  const { pid } = server.process;
  const before = await processorMs(pid);
  const order = {
    symbols: Array.from({ length: symbols }, (_, i) => `S${i}`),
    ...{ years, interval, batch_days: interval === "1d" ? 365 : 30 },
  };
  const { data_points: bars } = await runToEnd(client, order, 200);
  const cpuMs = (await processorMs(pid)) - before;
  const peak = await peakMb(pid);
  await Bun.sleep(IDLE_MS);
  const idle = await residentMb(pid);
  await server.stop();
  const bytes = statSync(pathOf(url)).size;
  return {
    question:
      interval === "1d"
        ? `${symbols} symbols, ${years} years of days`
        : `a symbol, ${years} years of minutes (${bars} bars)`,
    measured:
      interval === "1d"
        ? `${(cpuMs / symbols).toFixed(1)} ms of processor time a symbol`
        : `${((cpuMs * 1_000) / bars).toFixed(1)} µs of processor time a bar`,
    comparedWith: `${(bytes / 1e6).toFixed(0)} MB on disk; memory ${peak.toFixed(0)} MB at most, ${idle.toFixed(0)} MB ${IDLE_MS / 1_000} s afterwards`,
    ratio: `${(bytes / bars).toFixed(0)} bytes a bar`,
    ...atMost(bytes / bars, BAR_BYTES, "bytes a bar"),
  };
}

const chosen = process.argv.slice(2);
const isChosen = (name: string) => chosen.length === 0 || chosen.includes(name);
for (const symbols of SYMBOLS) if (isChosen(`${symbols}`)) report([await measure(symbols, 2, "1d")]);
for (const years of YEARS) if (isChosen(`${years}y`)) report([await measure(1, years, "1m")]);
