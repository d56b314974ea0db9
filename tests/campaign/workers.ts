/**
 * A server with its job queue in Redis and two workers, of which one takes jobs from the queue itself: any of the three is
 * killed every few moments, and in each round one thing more goes wrong. Nothing that a worker sends for a job that it has lost may be stored.
 */

import { hashSecret, newSecret } from "../../src/auth.ts";
import { saveToken } from "../../src/storage/access/tokens.ts";
import { unfinishedJobs } from "./contents.ts";
import { Machines, WORKERS } from "./machines.ts";
import { CUTS } from "./network.ts";
import { busiestSince, type Round } from "./rounds.ts";

/** Jobs that are not finished when a round begins, at least. */
const JOBS = 60;
/** More than is sent in many rounds: with each start of a server, all requests of the last minute count anew. */
const PER_MINUTE = 6_000;
/** Machines are killed for this long, one after each pause, ms; longer, to the second limit, if little work is done. */
const KILLING_MS = [6_000, 20_000] as const;
const LITTLE = 40;
const PAUSE_MS = [500, 2_500] as const;
/** How late the vendor answers while a worker is away: no job ends before the worker is lost, ms. */
const AWAY_LATENCY_MS = 1_000;
/** What a worker that goes on may still do before the round ends, ms. */
const AWAKE_MS = 1_500;
/** A limit that is reached, and for how long it is, ms: longer than the minute that it is for. */
const TIGHT_PER_MINUTE = 240;
const TIGHT_MS = 90_000;
/** How long Redis is stopped, away, or a network cut, at most, ms. */
const STOPPED_MS = 12_000;
const GONE_MS = 3_000;
const CUT_MS = 4_000;

/** What has happened in all rounds so far. */
const totals = {
  ...{ servers: 0, workers: 0, suspended: 0, cuts: 0, cutPastLease: 0, redisStopped: 0, redisKilled: 0 },
  ...{ late: 0, busiest: 0, tight: 0 },
};

interface Scene extends Round {
  readonly machines: Machines;
  pause(): Promise<void>;
  pick<T>(from: readonly T[]): T;
}

/** Kills one of the three after each pause. */
async function killing(
  { world, machines, random, pause }: Scene,
  [least, most]: readonly [number, number],
  first = 0,
): Promise<void> {
  const [start, before] = [performance.now(), world.vendor.arrivals.length];
  const isOver = () => {
    const [elapsed, requests] = [performance.now() - start, world.vendor.arrivals.length - before];
    return elapsed >= most || (elapsed >= least && requests >= LITTLE);
  };
  while (!isOver()) {
    await pause();
    const victim = first + Math.floor(random() * (WORKERS + 1 - first));
    if (victim === 0) await machines.killServer();
    else await machines.killWorker(victim - 1);
  }
}

async function stopRedis({ world, random }: Scene): Promise<string> {
  const milliseconds = Math.round(500 + random() * STOPPED_MS);
  world.redis!.suspend();
  await Bun.sleep(milliseconds);
  world.redis!.resume();
  totals.redisStopped += 1;
  return `Redis stopped for ${milliseconds} ms`;
}

async function killRedis({ world, random, pause }: Scene): Promise<string> {
  const times = 1 + Math.floor(random() * 2);
  for (let time = 0; time < times; time++) {
    await pause();
    await world.redis!.kill();
    await Bun.sleep(random() * GONE_MS);
    await world.redis!.start();
    totals.redisKilled += 1;
  }
  return `Redis killed ${times}×`;
}

/** A worker is cut off for a moment, and meets the server again before it is lost. */
async function cut({ machines, random, pause, pick }: Scene): Promise<string> {
  await pause();
  const [worker, manner] = [Math.floor(random() * WORKERS), pick(CUTS)];
  machines.cut(worker, manner);
  await Bun.sleep(200 + random() * CUT_MS);
  machines.heal(worker);
  totals.cuts += 1;
  return `network cut (${manner})`;
}

/** A worker is stopped or cut off past its lease, and goes on when the server has given its jobs to others. */
async function away(scene: Scene, isCut: boolean): Promise<string> {
  const { world, machines, random, pause, pick } = scene;
  using _ = world.slow(AWAY_LATENCY_MS);
  // It has jobs by then. The server stays: another would not know the worker at all.
  await pause();
  const manner = pick(CUTS.slice(0, 2));
  if (isCut) machines.cut(0, manner);
  else machines.signal(0, "SIGSTOP");
  const lost = machines.untilLost(0);
  const others = async () => {
    if (world.redis !== null && random() < 0.5) await killRedis(scene);
    if (random() < 0.5) await machines.killWorker(1);
  };
  await Promise.all([lost, others()]);
  if (isCut) machines.heal(0);
  else machines.signal(0, "SIGCONT");
  totals[isCut ? "cutPastLease" : "suspended"] += 1;
  await machines.untilBack(0);
  await Bun.sleep(AWAKE_MS);
  return isCut ? `a worker cut off past its lease (${manner})` : "a worker stopped past its lease";
}

/** Stores a token for workers, and so many runs that all machines have something to do. */
async function prepare({ world }: Round): Promise<string> {
  const secret = newSecret("bk_");
  using db = await world.open();
  await saveToken(db.database, {
    name: secret.slice(0, 12),
    scope: "worker",
    hash: hashSecret(secret),
    expiresAt: null,
  });
  while ((await unfinishedJobs(db.database)) < JOBS) await world.order(db.database);
  return secret;
}

/** What goes wrong beside the kills, and how often. */
const BESIDE = [
  ["nothing", 10],
  ["redis stopped", 20],
  ["redis killed", 20],
  ["cut", 26],
  ["stopped", 10],
  ["cut off", 10],
  ["limit", 4],
] as const;

function chosenOf(random: () => number): (typeof BESIDE)[number][0] {
  const all = BESIDE.flatMap(([what, weight]) => Array.from({ length: weight }, () => what));
  return all[Math.floor(random() * all.length)]!;
}

async function beside(scene: Scene, chosen: ReturnType<typeof chosenOf>): Promise<string> {
  if (chosen === "stopped" || chosen === "cut off") {
    await killing(scene, KILLING_MS);
    return away(scene, chosen === "cut off");
  }
  if (chosen === "limit") {
    // Without kills of the server, which would let all requests count anew.
    totals.tight += 1;
    await Promise.all([
      killing(scene, [TIGHT_MS, TIGHT_MS], 1),
      scene.world.redis === null ? cut(scene) : killRedis(scene),
    ]);
    return `a limit of ${TIGHT_PER_MINUTE} a minute`;
  }
  const disturb = { nothing: async () => "", cut, "redis stopped": stopRedis, "redis killed": killRedis }[chosen];
  const [, said] = await Promise.all([killing(scene, KILLING_MS), disturb(scene)]);
  return said;
}

export async function workers(round: Round): Promise<string> {
  const { world, random } = round;
  const { network, redis, vendor } = world;
  if (network === null) throw new Error("the world has no network");
  const secret = await prepare(round);
  const before = vendor.arrivals.length;
  const drawn = chosenOf(random);
  const chosen = redis === null && drawn.startsWith("redis") ? "cut" : drawn;
  const limit = chosen === "limit" ? TIGHT_PER_MINUTE : PER_MINUTE;
  const settings = { MASSIVE_PER_MINUTE: `${limit}`, ...(redis !== null && { BARKEEP_QUEUE: redis.url }) };
  await using machines = await Machines.start(world, network, secret, settings);
  const pause = () => Bun.sleep(PAUSE_MS[0] + random() * PAUSE_MS[1]);
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)]!;
  const said = await beside({ ...round, machines, pause, pick }, chosen);
  await machines.check();
  const most = busiestSince(vendor.arrivals, before);
  if (most > limit) throw new Error(`${most} requests in a minute at a limit of ${limit}`);
  const { server, worker } = machines.killed;
  totals.servers += server;
  totals.workers += worker;
  totals.late += machines.front.late;
  totals.busiest = Math.max(totals.busiest, most);
  const late = machines.front.late === 0 ? "" : `, ${machines.front.late} late writes refused`;
  return `${server} servers and ${worker} workers killed${said === "" ? "" : `, ${said}`}${late}; ${vendor.arrivals.length - before} requests`;
}

/** What the rounds have been, for the end of the report. */
export function workersReport(): string {
  const { servers, workers: killed, suspended, cuts, cutPastLease, redisStopped, redisKilled } = totals;
  return [
    `Killed: ${servers} servers, ${killed} workers, Redis ${redisKilled} times (stopped ${redisStopped} times).`,
    `Workers stopped past their lease: ${suspended}, cut off past it: ${cutPastLease}, cut off for a moment: ${cuts}.`,
    `${totals.late} requests for jobs that a worker had lost, all refused.`,
    `At most ${totals.busiest} requests in a minute at limits of ${PER_MINUTE} and (${totals.tight} rounds) ${TIGHT_PER_MINUTE}.`,
  ].join("\n");
}
