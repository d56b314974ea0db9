/**
 * A file of a million minutes, from CSV to stored bars, features and a profile, in a server of its own: its fetch stage beside
 * the smallest program that parses and stores the same file (support/csv-limit.ts), run before and after it, and the whole
 * beside the rate at which the driver alone inserts its rows. `bun bench/minutes.ts [rows]`
 */

import { dirname, join } from "node:path";
import { sliceBars } from "../src/domain/market/bars.ts";
import { CALENDAR } from "../src/domain/market/calendar.ts";
import { DAY } from "../src/domain/market/interval.ts";
import { demoBars } from "../src/providers/demo/demo-bars.ts";
import { DemoPath } from "../src/providers/demo/price-path.ts";
import { openDatabase } from "../src/storage/db.ts";
import { temporaryFolder } from "../tests/helpers/folder.ts";
import type { CsvLimit } from "./support/csv-limit.ts";
import { atLeast, report, short } from "./support/report.ts";
import { peakMb, processorMs, residentMb, runToEnd, START, startServer } from "./support/server-process.ts";

const ROWS = Number(process.argv[2] ?? 1_000_000);
const MOST_MB = 250;
const MOST_TIMES = 2;

const end = Date.UTC(2026, 0, 1) / 1_000;
const start = end - 4_200 * DAY;
const path = new DemoPath("BENCH", "us_equity", CALENDAR, start);
const minutes = demoBars(path.traits, path.days(start, end), "1m");
const bars = sliceBars(minutes, minutes.ts.length - ROWS, minutes.ts.length);

using folder = temporaryFolder();
const file = join(folder.path, "BENCH-1m.csv");
const lines = ["time,open,high,low,close,volume"];
for (let i = 0; i < ROWS; i++) {
  const time = new Date(bars.ts[i]! * 1_000).toISOString().replace(".000", "");
  lines.push([time, bars.open[i], bars.high[i], bars.low[i], bars.close[i], bars.volume[i]].join());
}
await Bun.write(file, `${lines.join("\n")}\n`);

async function runLimit() {
  using own = temporaryFolder();
  const script = join(import.meta.dir, "support/csv-limit.ts");
  const child = Bun.spawn([...START, script, file, own.database()], { stderr: "inherit" });
  const { stored, ...limit } = (await new Response(child.stdout).json()) as CsvLimit;
  if (stored !== ROWS) throw new Error(`the limit stored ${stored} rows, not ${ROWS}`);
  return limit;
}

/** Seconds of the fetch stage and of all, processor time and memory of the server's process. */
async function runServer() {
  const url = folder.database();
  const server = startServer(url, { BARKEEP_CSV_DIR: dirname(file) });
  const client = await server.listening;
  const { pid } = server.process;
  const [idle, cpu, since] = [await residentMb(pid), await processorMs(pid), performance.now()];
  const from = new Date(bars.ts[0]! * 1_000).toISOString().slice(0, 10);
  const range = { from, to: "2026-01-01" };
  await runToEnd(client, { symbols: ["BENCH"], provider: "files", interval: "1m", batch_days: 30, ...range }, 20);
  const seconds = (performance.now() - since) / 1_000;
  const costs = { cpu: ((await processorMs(pid)) - cpu) / 1_000, peak: await peakMb(pid), idle };
  await server.stop();
  const db = await openDatabase(url);
  const [[stored, stages]] = (await db.rows("SELECT data_points, stage_ms FROM jobs", [])) as [[number, string]];
  db.close();
  if (stored !== ROWS) throw new Error(`${stored} bars were stored, not ${ROWS}`);
  return { ...costs, seconds, fetch: JSON.parse(stages).fetch / 1_000 };
}

const before = await runLimit();
const own = await runServer();
const after = await runLimit();
const limit = (before.seconds + after.seconds) / 2;
const inserts = (before.inserts + after.inserts) / 2;
const times = own.fetch / limit;
report([
  {
    question: `${short(ROWS)} minutes of a CSV file: fetch stage, by a parser of bytes with inserts`,
    measured: `${own.fetch.toFixed(2)} s, at most ${own.peak.toFixed(0)} MB`,
    comparedWith: `limit ${before.seconds.toFixed(2)} and ${after.seconds.toFixed(2)} s; idle server ${own.idle.toFixed(0)} MB`,
    ratio: times.toFixed(2),
    target: `<= ${MOST_TIMES} times, <= ${MOST_MB} MB`,
    missed: times > MOST_TIMES || own.peak > MOST_MB,
  },
  {
    question: "the same, with features and profile: bars a second, by those that the driver inserts",
    measured: `${short(ROWS / own.seconds)}, ${own.seconds.toFixed(2)} s, ${own.cpu.toFixed(1)} s of processor time`,
    comparedWith: `driver alone ${short(ROWS / inserts)}`,
    ratio: (inserts / own.seconds).toFixed(2),
    ...atLeast(inserts / own.seconds, 0.55),
  },
]);
