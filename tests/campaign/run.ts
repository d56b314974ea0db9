/**
 * Disturbs the server for as long as wanted and checks after each round that nothing was lost, doubled, requested twice or
 * miscounted: `bun run campaign [--rounds N] [--minutes M] [--seed S] [--kinds kill,…]`. Exits with 1 at the first fault.
 */

import { parseArgs } from "node:util";
import { finishRuns, randomFrom, unfinishedJobs } from "./contents.ts";
import { Invariants } from "./invariants.ts";
import { ROUNDS } from "./rounds.ts";
import { workersReport } from "./workers.ts";
import { idOf, World } from "./world.ts";

const DEFAULT_ROUNDS = 60;
/** Rounds between two looks into the database: without one, the next server finds the files as they were left. */
const LOOK_EVERY = 3;
/** A line is printed after so many rounds, and after a round that ends so long after the last line, ms. */
const LINE_EVERY = 10;
const LINE_MS = 10_000;
/** Jobs that wait for the next server, so that none is without work. */
const JOBS_AHEAD = 4;

const KINDS = Object.keys(ROUNDS);

function usage(problem: string): never {
  console.error(`${problem}\nbun run campaign [--rounds N] [--minutes M] [--seed S] [--kinds ${KINDS.join(",")}]`);
  process.exit(2);
}

function readOptions() {
  const text = { type: "string" } as const;
  try {
    const { values } = parseArgs({ options: { rounds: text, minutes: text, seed: text, kinds: text } });
    const number = (name: "rounds" | "minutes" | "seed", fallback: number) => {
      const value = Number(values[name] ?? fallback);
      return Number.isFinite(value) && value >= 0 ? value : usage(`--${name} is not a number`);
    };
    const kinds = (values.kinds ?? KINDS.join(",")).split(",");
    const strange = kinds.find((kind) => !KINDS.includes(kind));
    if (strange !== undefined) usage(`there is no kind ${strange}`);
    const minutes = number("minutes", 0);
    const isTimed = minutes > 0 && values.rounds === undefined;
    const rounds = isTimed ? Number.POSITIVE_INFINITY : number("rounds", DEFAULT_ROUNDS);
    return { kinds, rounds, minutes, seed: number("seed", crypto.getRandomValues(new Uint32Array(1))[0]!) };
  } catch (error) {
    return usage((error as Error).message);
  }
}

const { kinds, rounds, minutes, seed } = readOptions();
const endsAt = minutes > 0 ? performance.now() + minutes * 60_000 : Number.POSITIVE_INFINITY;
const random = randomFrom(seed);
const startedAt = performance.now();
const elapsed = () => `${((performance.now() - startedAt) / 1000).toFixed(0)} s`;
console.log(
  `Seed ${seed}, ${Number.isFinite(rounds) ? `${rounds} rounds` : `${minutes} minutes`} of ${kinds.join(", ")}`,
);

await using world = await World.create(kinds.includes("workers"));
if (world.network !== null)
  console.log(
    `Workers are cut off by ${world.network.words}; ${world.redis === null ? "there is no Redis here" : "the job queue is in Redis"}`,
  );
const invariants = new Invariants(world, !kinds.includes("clock"));
console.log(
  `${elapsed()}: the undisturbed run has ${world.calm.bars.length} bars in ${world.calm.ledger.length} batches`,
);

const counts = new Map<string, number>();
let done = 0;
/** What the last round did. */
let said = "";
/** Rounds in which the vendor was asked. */
let busy = 0;

/** Reports faults and ends; the database is kept. */
async function fail(faults: readonly string[]): Promise<never> {
  world.isKept = true;
  await world.close();
  for (const fault of faults.slice(0, 20)) console.error(`fault: ${fault}`);
  if (faults.length > 20) console.error(`and ${faults.length - 20} more`);
  console.error(`The files are in ${world.folder.path}. The same choices again (the moments differ a little):`);
  console.error(`bun run campaign --seed ${seed} --rounds ${done} --kinds ${kinds.join(",")}`);
  process.exit(1);
}

/** Checks what is stored, and stores new runs if there is little left to do. */
async function look(): Promise<void> {
  using db = await world.open();
  const faults = await invariants.check(db.database);
  if (faults.length > 0) await fail([...faults, `found after round ${done}: ${said}`]);
  while ((await unfinishedJobs(db.database)) < JOBS_AHEAD) await world.order(db.database);
}

await look();
let printedAt = performance.now();
let isStopped = false;
// The round is finished and everything is compared. One signal may arrive twice, from the shell and from its group.
const SAME_SIGNAL_MS = 1_000;
let signalledAt = Number.POSITIVE_INFINITY;
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => {
    if (performance.now() - signalledAt > SAME_SIGNAL_MS) process.exit(130);
    isStopped = true;
    signalledAt = Math.min(signalledAt, performance.now());
  });
while (done < rounds && !isStopped && performance.now() < endsAt) {
  const kind = kinds[Math.floor(random() * kinds.length)]!;
  done += 1;
  const asked = world.asked;
  try {
    said = await ROUNDS[kind]!({ world, random });
  } catch (error) {
    // The signal went to the group: the server ended too.
    if (isStopped) break;
    await fail([`round ${done} (${kind}): ${error instanceof Error ? error.message : error}`]);
  }
  if (world.asked > asked) busy += 1;
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
  if (kind !== "kill" || done % LOOK_EVERY === 0) await look();
  if (done % LINE_EVERY === 0 || performance.now() - printedAt > LINE_MS) {
    printedAt = performance.now();
    console.log(
      `${elapsed()}: round ${done} (${kind}: ${said}); ${invariants.totals.compared} runs equal, ${world.received} requests`,
    );
  }
}

const ids = Array.from({ length: world.ordered }, (_, run) => idOf(run));
const code = await finishRuns(world.spawn(), ids);
if (code !== 0) await fail([`the last server ended with ${code}`]);
{
  using db = await world.open();
  const faults = await invariants.checkAll(db.database);
  if (faults.length > 0) await fail(faults);
}
const { compared, batches, bars } = invariants.totals;
const times = [...counts].map(([kind, count]) => `${count} × ${kind}`).join(", ");
console.log(`${elapsed()}: ${done} rounds (${times}). ${compared} runs are equal to the undisturbed one:`);
console.log(`${bars} bars in ${batches} batches: 0 lost, 0 doubled, 0 requested again.`);
console.log(
  `${world.received} requests received, in ${busy} of the rounds; ${invariants.surplus} more are counted, none less.`,
);
if (world.network !== null) console.log(workersReport());
