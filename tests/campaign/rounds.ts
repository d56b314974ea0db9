/** One round of each kind of disturbance. Each starts a server and leaves none. */

import { Database } from "bun:sqlite";
import { fileURLToPath } from "node:url";
import { LEASE_KEY } from "../../src/storage/connection/fence.ts";
import { startFaultyProxy } from "../fakes/faulty-proxy.ts";
import { startHrana } from "../fakes/hrana.ts";
import { breakOff, html, reply, truncated } from "../fakes/vendors/faults.ts";
import { dropped } from "../fakes/vendors/relay.ts";
import type { ServerProcess } from "../helpers/server.ts";
import { workers } from "./workers.ts";
import type { World } from "./world.ts";

export interface Round {
  readonly world: World;
  /** A number from 0 to 1, the same for the same seed and round. */
  readonly random: () => number;
}

/** One life in six ends while the server starts. */
const STARTING = 1 / 6;
const START_MS = 400;
const WORK_MS = 1_300;
/** How long a server may take to notice that it lost its lease, or to answer, ms. */
const WAIT_LIMIT_MS = 30_000;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} within ${WAIT_LIMIT_MS / 1000} s`)), WAIT_LIMIT_MS);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** How long a server that listens may work, ms: longer on a machine that is busy. */
async function spanAfter(server: ServerProcess): Promise<number> {
  const spawnedAt = performance.now();
  await within(server.listening, "the server does not listen");
  return Math.max(WORK_MS, 1.5 * (performance.now() - spawnedAt));
}

/** A server that listens and has worked for a random time; it is killed in the end. */
async function working({ world, random }: Round, more: Record<string, string> = {}) {
  const server = world.spawn(more);
  const span = await spanAfter(server);
  const client = await server.listening;
  await Bun.sleep(random() * span);
  return { server, client, [Symbol.asyncDispose]: () => server.kill() };
}

/** The server is killed at a random moment: while it starts, or while it works. */
async function kill({ world, random }: Round): Promise<string> {
  const server = world.spawn();
  const isStarting = random() < STARTING;
  if (isStarting) server.listening.catch(() => {});
  const after = random() * (isStarting ? START_MS : await spanAfter(server));
  await Bun.sleep(after);
  await server.kill();
  return `killed ${Math.round(after)} ms after ${isStarting ? "its start" : "it listened"}`;
}

/** A connection of another process than the server's, closed at the end of its block and not when it is collected. */
function connect(world: World) {
  const connection = new Database(fileURLToPath(world.folder.database("campaign.db")));
  return {
    run(sql: string, ...values: (string | number)[]) {
      const statement = connection.prepare(sql);
      try {
        statement.run(...values);
      } finally {
        statement.finalize();
      }
    },
    [Symbol.dispose]: () => connection.close(true),
  };
}

/** As if the server had been suspended for longer than its lease lasts, on a machine that is not this one. */
async function expireLease(world: World, suspended: ServerProcess): Promise<void> {
  using other = connect(world);
  for (;;) {
    try {
      other.run(
        "UPDATE settings SET value = json_set(value, '$.host', 'elsewhere'), updated_at = ? WHERE key = ?",
        Date.now() - 10 * MINUTE_MS,
        LEASE_KEY,
      );
      return;
    } catch (error) {
      if (!String(error).includes("locked")) throw error;
      // It was suspended in a transaction: it ends that first.
      suspended.process.kill("SIGCONT");
      await Bun.sleep(5);
      suspended.process.kill("SIGSTOP");
    }
  }
}

/** The server is suspended past its lease, another one takes over, and the first one goes on. */
async function suspend(round: Round): Promise<string> {
  const { world, random } = round;
  await using first = await working(round);
  first.server.process.kill("SIGSTOP");
  const refused = world.spawn();
  const words = await within(
    refused.listening.then(
      () => "",
      (error: Error) => error.message,
    ),
    "a second server neither starts nor is refused",
  );
  await refused.kill();
  // One that was suspended in a transaction has the file itself.
  if (!/works on this database|database is locked/.test(words))
    throw new Error(`a second server beside a suspended one: ${words}`);
  await expireLease(world, first.server);
  await using second = await working(round);
  // Its clocks do not show that its lease is over, as they would have after the 15 s that this round spares.
  const from = Date.now();
  first.server.process.kill("SIGCONT");
  const code = await within(first.server.process.exited, "the first server does not end after its lease was lost");
  world.unaware.push({ from, to: Date.now() });
  if (code !== 1) throw new Error(`the server that lost its lease ended with ${code}`);
  if ((await second.client.get("/healthz")).status !== 200) throw new Error("the second server is not healthy");
  await Bun.sleep((random() * WORK_MS) / 2);
  return "suspended; another took over";
}

/** Another process holds the write lock while the server works; half of the servers are killed meanwhile. */
async function lock(round: Round): Promise<string> {
  const { world, random } = round;
  await using life = await working(round);
  using other = connect(world);
  other.run("PRAGMA busy_timeout = 10000");
  other.run("BEGIN IMMEDIATE");
  const held = Math.round(100 + random() * 2_000);
  await Bun.sleep(held);
  const { status } = await within(life.client.get("/healthz"), "the server does not answer while it is locked out");
  if (status !== 200) throw new Error(`/healthz answers ${status} while another process has the lock`);
  if (random() < 0.5) await life.server.kill();
  other.run("ROLLBACK");
  await Bun.sleep((random() * WORK_MS) / 2);
  return `locked out for ${held} ms`;
}

/** Few enough to be used up while one server works. */
const CLOCK_PER_MINUTE = 20;

/** The most arrivals (epoch ms) in a minute that ends with one from place `first` on. */
export function busiestSince(arrivals: readonly number[], first: number): number {
  let most = 0;
  for (let end = first, start = 0; end < arrivals.length; end++) {
    while (arrivals[end]! - arrivals[start]! >= MINUTE_MS) start++;
    most = Math.max(most, end - start + 1);
  }
  return most;
}

const STEPS = [60 * MINUTE_MS, DAY_MS, 7 * DAY_MS].flatMap((step) => [step, -step]);
const CLOCK = fileURLToPath(new URL("../fakes/stepping-clock.ts", import.meta.url));

/** The wall clock is wrong from the start, steps while the server works, or both; then the server is killed. */
async function clock(round: Round): Promise<string> {
  const { random } = round;
  const pick = () => (random() < 0.3 ? 0 : STEPS[Math.floor(random() * STEPS.length)]!);
  const [offset, step] = [pick(), pick()];
  const before = round.world.vendor.arrivals.length;
  await using life = await working(round, {
    BUN_OPTIONS: `--preload ${CLOCK}`,
    CLOCK_OFFSET_MS: `${offset}`,
    CLOCK_STEP_MS: `${step}`,
    MASSIVE_PER_MINUTE: `${CLOCK_PER_MINUTE}`,
  });
  life.server.process.kill("SIGUSR2");
  await Bun.sleep(random() * WORK_MS);
  // Those of earlier servers count: the limit holds over a restart, whatever the clocks say.
  const most = busiestSince(round.world.vendor.arrivals, before);
  if (most > CLOCK_PER_MINUTE) throw new Error(`${most} requests in a minute at a limit of ${CLOCK_PER_MINUTE}`);
  const { status } = await within(life.client.get("/healthz"), "the server does not answer after its clock was set");
  if (status !== 200) throw new Error(`/healthz answers ${status} after the clock was set`);
  return `clock off by ${offset / MINUTE_MS} min, then set by ${step / MINUTE_MS} min`;
}

const json = { "content-type": "application/json" };
/** Answers that are requested again. */
const FAULTS = {
  "a page": html(200),
  "an error page": html(502),
  "an empty 500": reply(500, ""),
  "half an answer": truncated(),
  "a connection broken in the body": breakOff(),
  "a connection broken before the headers": dropped(),
  "JSON of another shape": reply(200, { status: "OK", results: "soon" }),
  "an empty object": reply(200, {}),
  "deep nesting": reply(200, "[".repeat(100_000), json),
  "a 429 with a negative wait": reply(429, { status: "ERROR" }, { "retry-after": "-5" }),
  "a 429 with a wait that is no number": reply(429, { status: "ERROR" }, { "retry-after": "soon" }),
} as const;

/** The vendor answers a request or two with nonsense; then the server is killed, or stopped so that nothing is under way. */
async function vendor(round: Round): Promise<string> {
  const { world, random } = round;
  const names = Object.keys(FAULTS) as (keyof typeof FAULTS)[];
  const chosen = Array.from(
    { length: 1 + Math.floor(random() * 2) },
    () => names[Math.floor(random() * names.length)]!,
  );
  // After some answers connections are kept.
  const before = Array.from({ length: Math.floor(random() * 4) }, () => () => null);
  world.vendor.script.push(...before, ...chosen.map((name) => FAULTS[name]));
  await using life = await working(round);
  await Bun.sleep(random() * WORK_MS);
  if (random() < 0.5) await within(life.server.stop(), "the server does not stop");
  const left = world.vendor.script.splice(0).length;
  return `the vendor sent ${chosen.slice(0, Math.max(0, chosen.length - left)).join(" and ") || "nothing wrong"}`;
}

/** The disk of the database is full while the server works; half of the servers are killed meanwhile. */
async function full(round: Round): Promise<string> {
  const { world, random } = round;
  if (!world.isSmallDisk) return "no file system may be mounted here: no disk was full";
  await using life = await working(round);
  world.fillDisk();
  try {
    await Bun.sleep(200 + random() * 2_000);
    const { status } = await within(life.client.get("/healthz"), "the server does not answer while its disk is full");
    if (status !== 200) throw new Error(`/healthz answers ${status} while the disk is full`);
    if (random() < 0.5) await life.server.kill();
  } finally {
    world.freeDisk();
  }
  await Bun.sleep(random() * WORK_MS);
  return "the disk was full";
}

/** The same database behind a libSQL server, with a network between that loses, delays and refuses requests. */
async function remote(round: Round): Promise<string> {
  const { world, random } = round;
  const path = fileURLToPath(world.folder.database("campaign.db"));
  await using hrana = asDisposable(startHrana(undefined, path));
  await using proxy = asDisposable(startFaultyProxy(hrana.url));
  await using life = await working(round, { BARKEEP_DB_URL: proxy.url });
  const manner = (["down", "lose", "hang"] as const)[Math.floor(random() * 3)]!;
  const count = 1 + Math.floor(random() * 20);
  proxy.fail(manner, count);
  await Bun.sleep(random() * WORK_MS);
  const { status } = await within(life.client.get("/healthz"), "the server does not answer while its database is away");
  if (status !== 200) throw new Error(`/healthz answers ${status} while the database is away`);
  proxy.heal();
  await Bun.sleep(random() * WORK_MS);
  await life.server.kill();
  return `over a network that failed ${count} times (${manner})`;
}

const asDisposable = <T extends { close(): Promise<void> }>(of: T) =>
  Object.assign(of, { [Symbol.asyncDispose]: () => of.close() });

/** Each returns what it did, in words. */
export const ROUNDS: Readonly<Record<string, (round: Round) => Promise<string>>> = {
  kill,
  suspend,
  lock,
  clock,
  vendor,
  full,
  remote,
  workers,
};
