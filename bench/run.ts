/** Runs every bench of this folder in a process of its own, and prints their results as one table. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../tests/helpers/folder.ts";
import type { BenchResult } from "./support/report.ts";

using folder = temporaryFolder();
const answers = join(folder.path, "answers.jsonl");
const files = readdirSync(import.meta.dir)
  .filter((name) => name.endsWith(".ts") && name !== "run.ts")
  .toSorted();
let failed = 0;
for (const name of files) {
  console.log(`— ${name}`);
  const child = Bun.spawn([process.execPath, "--no-env-file", join(import.meta.dir, name)], {
    env: { ...process.env, BENCH_ANSWERS: answers },
    stdout: "inherit",
    stderr: "inherit",
  });
  if ((await child.exited) !== 0) failed += 1;
}
const text = (await Bun.file(answers).exists()) ? await Bun.file(answers).text() : "";
const lines = text.split("\n").filter((line) => line !== "");
const all = lines.map((line): BenchResult => JSON.parse(line));
console.table(all.map(({ missed, ...result }) => result));
const missed = all.filter((result) => result.missed);
for (const { question, measured, target } of missed) console.log(`Missed: ${question}: ${measured}, target ${target}`);
if (missed.length === 0) console.log("Every decided target is met");
if (failed > 0) console.log(`${failed} of ${files.length} failed`);
process.exit(failed > 0 ? 1 : 0);
