/**
 * Runs the benches of this folder, or those that are named (`bun run bench export features`), each in a process of its own
 * and for a limited time, and ends with the targets that are missed. `--minutes 5` shortens every limit to that.
 */

import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { type Bench, runBenches, summary } from "./support/runner.ts";

const MINUTE = 60_000;
/** Minutes on a quiet machine are a third of these at most. */
const LIMIT_MINUTES = 6;
const LIMITS: Readonly<Record<string, number>> = {
  export: 12,
  machines: 10,
  quota: 8,
  routes: 10,
  screener: 10,
  viewers: 10,
};
/** The whole of `quota` takes half an hour, because some of its limits are of a minute. */
const ARGS: Readonly<Record<string, readonly string[]>> = { quota: ["quick"] };

const { values, positionals } = parseArgs({ options: { minutes: { type: "string" } }, allowPositionals: true });
const most = Number(values.minutes ?? Number.POSITIVE_INFINITY);
if (!(most > 0)) throw new Error(`--minutes wants a number, not ${values.minutes}`);

const names = readdirSync(import.meta.dir)
  .filter((file) => file.endsWith(".ts") && file !== basename(import.meta.path))
  .map((file) => basename(file, ".ts"))
  .toSorted();
const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) throw new Error(`There is no bench ${unknown.join(", ")}: ${names.join(", ")}`);

const benches = (positionals.length > 0 ? positionals : names).map(
  (name): Bench => ({
    name,
    path: join(import.meta.dir, `${name}.ts`),
    args: ARGS[name] ?? [],
    limitMs: Math.min(most, LIMITS[name] ?? LIMIT_MINUTES) * MINUTE,
  }),
);
const all = await runBenches(benches, (line) => console.log(line));
console.log(summary(all));
process.exit(all.failures.length > 0 ? 1 : 0);
