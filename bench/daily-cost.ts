/**
 * A server over 500 symbols with two years of days, as a process of its own: what a full run, a further day and an update
 * without anything new cost a symbol and write to the disk, the first two beside the smallest program that does the same
 * (support/limit-script.ts), before and after it; then the start with that database, and the memory when idle.
 */

import { statSync } from "node:fs";
import { CALENDAR } from "../src/domain/market/calendar.ts";
import { DAY } from "../src/domain/market/interval.ts";
import { isoDate } from "../src/domain/time.ts";
import { pathOf } from "../src/storage/db.ts";
import { temporaryFolder } from "../tests/helpers/folder.ts";
import type { Client } from "../tests/helpers/http.ts";
import { atMost, type BenchResult, median, report } from "./support/report.ts";
import { processorMs, residentMb, runToEnd, START, startServer, writtenBytes } from "./support/server-process.ts";

const SYMBOLS = Array.from({ length: Number(process.argv[2] ?? 500) }, (_, i) => `S${i}`);
const STARTS = 7;
/** How long an idle server is left alone before its memory is read, milliseconds. */
const IDLE_MS = 8_000;
const MB = 1e6;

using folder = temporaryFolder();
const url = folder.database();

interface Cost {
  readonly cpuMs: number;
  readonly seconds: number;
  readonly bytes: number;
}

/** Runs to the end. */
async function run(client: Client, pid: number, request: object): Promise<Cost> {
  const [cpu, bytes, since] = [await processorMs(pid), await writtenBytes(pid), performance.now()];
  await runToEnd(client, { symbols: SYMBOLS, batch_days: 30, ...request }, 100);
  const seconds = (performance.now() - since) / 1_000;
  // What was counted is written a little later.
  await Bun.sleep(1_500);
  return { cpuMs: (await processorMs(pid)) - cpu, seconds, bytes: (await writtenBytes(pid)) - bytes };
}

/** Processor time of the limit script in its full run and its update, milliseconds. */
interface LimitCost {
  readonly full: number;
  readonly day: number;
}

async function runLimit(from: number, to: number): Promise<LimitCost> {
  using own = temporaryFolder();
  const args = [own.database(), SYMBOLS.length, from, to].map(String);
  const script = `${import.meta.dir}/support/limit-script.ts`;
  const child = Bun.spawn([...START, script, ...args], { stdin: "pipe", stderr: "inherit" });
  const output = child.stdout.getReader();
  const next = async (line: string) => {
    const { value } = await output.read();
    const text = new TextDecoder().decode(value);
    if (text !== `${line}\n`) throw new Error(`the limit script printed ${JSON.stringify(text)}, not ${line}`);
  };
  const costOf = async (mode: string) => {
    const before = await processorMs(child.pid);
    child.stdin.write(`${mode}\n`);
    child.stdin.flush();
    await next("done");
    return (await processorMs(child.pid)) - before;
  };
  await next("ready");
  const cost = { full: await costOf("full"), day: await costOf("incremental") };
  child.kill();
  await child.exited;
  return cost;
}

const answer = (question: string, cost: Cost, target: number): BenchResult => {
  const each = cost.cpuMs / SYMBOLS.length;
  return {
    question: `${SYMBOLS.length} symbols, ${question}: processor time a symbol`,
    measured: `${each.toFixed(1)} ms`,
    comparedWith: `${cost.seconds.toFixed(1)} s, ${(cost.bytes / MB).toFixed(1)} MB written`,
    ...atMost(each, target, "ms"),
  };
};

/** By how much a run costs more than the limit script, which was run before and after it. */
const besideLimit = (question: string, cost: Cost, limits: readonly number[], target?: number): BenchResult => {
  const times = cost.cpuMs / (limits.reduce((sum, limit) => sum + limit, 0) / limits.length);
  const each = limits.map((limit) => (limit / SYMBOLS.length).toFixed(1));
  return {
    question: `${SYMBOLS.length} symbols, ${question}: processor time by that of the limit script`,
    measured: `${times.toFixed(1)} times`,
    comparedWith: `limit script ${each.join(" and ")} ms a symbol`,
    ...atMost(times, target, "times"),
  };
};
const writes = (question: string, value: number, unit: string, target: number): BenchResult => ({
  question: `${SYMBOLS.length} symbols, ${question}`,
  measured: `${value.toFixed(1)} ${unit}`,
  ...atMost(value, target, unit),
});

const now = Date.now() / 1_000;
const sessions = CALENDAR.sessionsBetween("us_equity", now - 800 * DAY, now).filter(({ close }) => close + DAY <= now);
const [from, last] = [sessions.find(({ open }) => open >= now - 730 * DAY)!.date, sessions.at(-1)!.date];

{
  const before = await runLimit(from, last);
  const server = startServer(url);
  const client = await server.listening;
  const { pid } = server.process;
  // Everything but the last session, so that an update finds one new day.
  const full = await run(client, pid, { mode: "full", from: isoDate(from), to: isoDate(last) });
  const day = await run(client, pid, { mode: "incremental" });
  const idle = await run(client, pid, { mode: "incremental" });
  await server.stop();
  const after = await runLimit(from, last);
  const size = statSync(pathOf(url)).size;
  report([
    answer("full run of two years of days", full, 17),
    besideLimit("full run of two years of days", full, [before.full, after.full], 2.5),
    writes("full run: bytes written for each that it leaves", full.bytes / size, "", 3),
    answer("one new day", day, 5),
    besideLimit("one new day", day, [before.day, after.day]),
    answer("nothing new", idle, 3.5),
    writes("nothing new: written", idle.bytes / MB, "MB", 2),
  ]);
}

const starts: number[] = [];
const memory: number[] = [];
for (let round = 0; round < STARTS; round++) {
  const since = performance.now();
  const server = startServer(url);
  await server.listening;
  starts.push(performance.now() - since);
  if (round >= STARTS - 3) {
    await Bun.sleep(IDLE_MS);
    memory.push(await residentMb(server.process.pid));
  }
  await server.stop();
}
const [ms, mb] = [median(starts), Math.max(...memory)];
report([
  { question: "start with that database", measured: `${ms.toFixed(0)} ms`, ...atMost(ms, 200, "ms") },
  { question: "idle server", measured: `${mb.toFixed(0)} MB`, ...atMost(mb, 100, "MB") },
]);
