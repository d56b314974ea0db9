/**
 * Milliseconds until a server listens, with a new database and with an existing one, and until the command line has printed
 * its version: the single executable, compared with the checkout.
 */

import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildExecutable } from "../.ci/executable.ts";
import { atMost, type BenchResult, median, report } from "./support/report.ts";

const STARTS = 9;
const ROOT = join(import.meta.dir, "..");

const folder = mkdtempSync(join(tmpdir(), "barkeep-bench-"));
const executable = join(folder, "barkeep");
const data = join(folder, "data");

/** Milliseconds until the server listens with an existing database. */
const TARGET = 200;

/** The time until `command` has printed `word`; it is then stopped. */
async function timeUntil(word: string, command: readonly string[], isNew: boolean): Promise<number> {
  if (isNew) rmSync(data, { recursive: true, force: true });
  mkdirSync(data, { recursive: true });
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: folder, PORT: "0" };
  const start = performance.now();
  const child = Bun.spawn([...command], { cwd: data, env, stdout: "pipe", stderr: "ignore" });
  let time = Number.NaN;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    if (!text.includes(word)) continue;
    time = performance.now() - start;
    break;
  }
  child.kill("SIGTERM");
  await child.exited;
  return time;
}

async function compare(
  question: string,
  word: string,
  ours: readonly string[],
  checkout: readonly string[],
  { isNew = true, target }: { readonly isNew?: boolean; readonly target?: number } = {},
): Promise<BenchResult> {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < STARTS; round++) {
    times[0].push(await timeUntil(word, ours, isNew));
    times[1].push(await timeUntil(word, checkout, isNew));
  }
  const [own, other] = times.map(median) as [number, number];
  return {
    question,
    measured: `${own.toFixed(0)} ms`,
    comparedWith: `checkout ${other.toFixed(0)} ms`,
    ratio: (own / other).toFixed(2),
    ...atMost(own, target, "ms"),
  };
}

try {
  await buildExecutable(executable, "");
  const { size } = statSync(executable);
  const source = (name: string) => [process.execPath, "--no-env-file", join(ROOT, "src", name)];
  report([
    {
      question: "size of the executable",
      measured: `${(size / 1e6).toFixed(0)} MB`,
      comparedWith: `Bun alone ${(statSync(process.execPath).size / 1e6).toFixed(0)} MB`,
    },
    await compare("with a new database, until it listens", "listening", [executable], source("server.ts")),
    await compare("with an existing one, until it listens", "listening", [executable], source("server.ts"), {
      isNew: false,
      target: TARGET,
    }),
    await compare("barkeep --version", ".", [executable, "--version"], [...source("cli.ts"), "--version"]),
  ]);
} finally {
  rmSync(folder, { recursive: true });
}
