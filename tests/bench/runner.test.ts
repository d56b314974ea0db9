/** The runner of the benches, with small ones. */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { type Bench, runBenches, summary } from "../../bench/support/runner.ts";
import { temporaryFolder } from "../helpers/folder.ts";

const REPORT = `import { report } from ${JSON.stringify(join(import.meta.dir, "../../bench/support/report.ts"))};`;
const NEVER_ENDS = "setInterval(() => {}, 1_000);";

/** Whether a process runs; one that has ended may stay listed until its parent has asked for its end. */
async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(await Bun.file(`/proc/${pid}/stat`).text());
  } catch {
    return false;
  }
}

test("benches that fail or never end are ended with their children, and the others are measured all the same", async () => {
  using folder = temporaryFolder();
  const child = join(folder.path, "child.pid");
  const scripts = {
    fails: `${REPORT} report([{ question: "before it failed", measured: "1", target: "2", missed: true }]); throw new Error("no");`,
    hangs: `${REPORT} report([{ question: "before it hung", measured: "3" }]);
      const left = Bun.spawn([process.execPath, "-e", ${JSON.stringify(NEVER_ENDS)}]);
      await Bun.write(${JSON.stringify(child)}, String(left.pid)); ${NEVER_ENDS}`,
    works: `${REPORT} report([{ question: "in time", measured: process.argv[2], target: "5", missed: false }]);`,
  };
  const benches: Bench[] = [];
  for (const [name, text] of Object.entries(scripts)) {
    const path = join(folder.path, `${name}.ts`);
    await Bun.write(path, text);
    benches.push({ name, path, args: ["4"], limitMs: name === "hangs" ? 2_000 : 60_000 });
  }
  const announced: string[] = [];
  const all = await runBenches(benches, (line) => announced.push(line));
  expect(announced).toEqual(["— fails, at most 1 min", "— hangs, at most 2 s", "— works, at most 1 min"]);
  expect(all.results.map(({ question, measured }) => [question, measured])).toEqual([
    ["before it failed", "1"],
    ["before it hung", "3"],
    ["in time", "4"],
  ]);
  expect(all.failures).toEqual([
    { name: "fails", reason: "it ended with code 1" },
    { name: "hangs", reason: "it took longer than 2 s" },
  ]);
  const left = Number(await Bun.file(child).text());
  while (await isRunning(left)) await Bun.sleep(5);
  expect(summary(all).split("\n").slice(-4)).toEqual([
    "3 results, 2 of them decide a target, 1 miss it",
    "Missed: before it failed: 1, target 2",
    "Not measured to the end: fails: it ended with code 1",
    "Not measured to the end: hangs: it took longer than 2 s",
  ]);
}, 60_000);
