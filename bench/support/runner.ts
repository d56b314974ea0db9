/** Runs benches one after the other, each in a process group of its own and for a limited time. */

import { join } from "node:path";
import { temporaryFolder } from "../../tests/helpers/folder.ts";
import type { BenchResult } from "./report.ts";

/** How long a bench that is told to end may take for it, milliseconds. */
const END_MS = 5_000;

export interface Bench {
  readonly name: string;
  /** Its script. */
  readonly path: string;
  readonly args?: readonly string[];
  /** How long it may take, milliseconds. */
  readonly limitMs: number;
}

export interface BenchRun {
  /** What all of them have measured, also those that did not end. */
  readonly results: readonly BenchResult[];
  /** Those that did not end well, with the reason. */
  readonly failures: readonly { readonly name: string; readonly reason: string }[];
}

/** Runs all of them; one that fails or takes too long is ended with its children, and the next one begins. */
export async function runBenches(benches: readonly Bench[], announce: (line: string) => void): Promise<BenchRun> {
  using folder = temporaryFolder();
  const results: BenchResult[] = [];
  const failures: { name: string; reason: string }[] = [];
  for (const [at, bench] of benches.entries()) {
    announce(`— ${bench.name}, at most ${minutes(bench.limitMs)}`);
    const answers = join(folder.path, `${at}.jsonl`);
    const reason = await run(bench, answers);
    if (reason !== null) failures.push({ name: bench.name, reason });
    results.push(...(await readResults(answers)));
  }
  return { results, failures };
}

/** Runs one bench; `null` if it ended well, otherwise why not. */
async function run({ path, args = [], limitMs }: Bench, answers: string): Promise<string | null> {
  const child = Bun.spawn([process.execPath, "--no-env-file", path, ...args], {
    env: { ...process.env, BENCH_ANSWERS: answers },
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit",
    // A group of its own, so that the servers that it has started end with it.
    detached: true,
  });
  const exited = child.exited;
  const isOver = await endsWithin(exited, limitMs);
  if (!isOver) {
    signal(child.pid, "SIGTERM");
    await endsWithin(exited, END_MS);
  }
  signal(child.pid, "SIGKILL");
  const code = await exited;
  if (!isOver) return `it took longer than ${minutes(limitMs)}`;
  return code === 0 ? null : `it ended with ${child.signalCode ?? `code ${code}`}`;
}

async function endsWithin(exited: Promise<unknown>, ms: number): Promise<boolean> {
  const limit = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => limit.resolve(false), ms);
  const isOver = await Promise.race([exited.then(() => true), limit.promise]);
  clearTimeout(timer);
  return isOver;
}

/** Sends a signal to what is left of a process group. */
function signal(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(-group, name);
  } catch {
    // Nothing is left of it.
  }
}

/** A bench that was killed may have left half a line. */
async function readResults(path: string): Promise<BenchResult[]> {
  const file = Bun.file(path);
  if (!(await file.exists())) return [];
  return (await file.text())
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

const minutes = (ms: number) => (ms < 60_000 ? `${ms / 1_000} s` : `${Math.round(ms / 60_000)} min`);

/** What was measured, what was missed, and what did not end. */
export function summary({ results, failures }: BenchRun): string {
  const missed = results.filter((result) => result.missed);
  const decided = results.filter((result) => result.missed !== undefined);
  const lines = [
    Bun.inspect.table(results.map(({ missed: _, ...result }) => result)),
    `${results.length} results, ${decided.length} of them decide a target, ${missed.length} miss it`,
    ...missed.map(({ question, measured, target }) => `Missed: ${question}: ${measured}, target ${target}`),
    ...failures.map(({ name, reason }) => `Not measured to the end: ${name}: ${reason}`),
  ];
  return lines.join("\n");
}
