/** A server and two workers on "other machines": any of them is killed again and again, and a worker sleeps past its lease. */

import { hashSecret, newSecret } from "../../src/auth.ts";
import { saveToken } from "../../src/storage/access/tokens.ts";
import { spawnWorker, startProxy } from "../cli/worker/workers.ts";
import type { ServerProcess } from "../helpers/server.ts";
import { unfinishedJobs } from "./contents.ts";
import { busiestSince, type Round, within } from "./rounds.ts";

/** Jobs that are not finished when a round begins: at least the first, at most the sum. */
const JOBS = [20, 40] as const;
/** Reached in some of the rounds in which nothing is suspended. */
const PER_MINUTE = 1_200;
/** Machines are killed for this long, one after each pause, ms. */
const KILLING_MS = 9_000;
const PAUSE_MS = [500, 2_500] as const;
/** How often a worker is suspended as well, and for how long, ms: a worker is lost after 20 s. */
const SUSPENDED = 1 / 3;
const SUSPENDED_MS = 21_500;
/** How late the vendor answers then: no job ends before the worker is lost, ms. */
const SUSPENDED_LATENCY_MS = 1_000;
/** What a worker that goes on may still do before the round ends, ms. */
const AWAKE_MS = 1_500;

const WORKERS = 2;

/** What the three machines of a round are now; a machine that was killed is started again at once. */
class Machines implements AsyncDisposable {
  readonly #proxy = startProxy(null);
  #server: ServerProcess | null = null;
  readonly #workers: (ReturnType<typeof spawnWorker> | null)[] = Array.from({ length: WORKERS }, () => null);
  readonly killed = { server: 0, worker: 0 };

  constructor(
    private readonly round: Round,
    private readonly secret: string,
  ) {}

  async startServer(): Promise<void> {
    this.#server = this.round.world.spawn({ MASSIVE_PER_MINUTE: `${PER_MINUTE}` });
    const { url } = await within(this.#server.listening, "the server does not listen");
    this.#proxy.target = url;
  }

  startWorker(index: number): void {
    this.#workers[index] = spawnWorker(this.#proxy.url, this.secret, "--name", `machine ${index}`);
  }

  async killServer(): Promise<void> {
    this.#proxy.target = null;
    await this.#server?.kill();
    this.killed.server += 1;
    await this.startServer();
  }

  async killWorker(index: number): Promise<void> {
    await this.#workers[index]?.[Symbol.asyncDispose]();
    this.killed.worker += 1;
    this.startWorker(index);
  }

  signal(index: number, signal: "SIGSTOP" | "SIGCONT"): void {
    this.#workers[index]?.child.kill(signal);
  }

  /** The address of the server, as long as nothing has ended that was not killed. */
  get address(): string {
    for (const [index, worker] of this.#workers.entries())
      if (worker !== null && worker.child.exitCode !== null)
        throw new Error(`worker ${index} ended by itself with ${worker.child.exitCode}`);
    if (this.#server?.process.exitCode != null)
      throw new Error(`the server ended by itself with ${this.#server.process.exitCode}`);
    return this.#proxy.target!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) await worker?.[Symbol.asyncDispose]();
    await this.#server?.kill();
    await this.#proxy[Symbol.asyncDispose]();
  }
}

/** Stores a token for workers, and so many runs that all machines have something to do. */
async function prepare({ world, random }: Round): Promise<string> {
  const secret = newSecret("bk_");
  using db = await world.open();
  await saveToken(db.database, {
    name: secret.slice(0, 12),
    scope: "worker",
    hash: hashSecret(secret),
    expiresAt: null,
  });
  const wanted = JOBS[0] + random() * JOBS[1];
  while ((await unfinishedJobs(db.database)) < wanted) await world.order(db.database);
  return secret;
}

/** Any of the three machines is killed every few moments; in some rounds a worker is suspended past its lease meanwhile. */
export async function workers(round: Round): Promise<string> {
  const { world, random } = round;
  const secret = await prepare(round);
  const before = world.vendor.arrivals.length;
  await using machines = new Machines(round, secret);
  await machines.startServer();
  for (let index = 0; index < WORKERS; index++) machines.startWorker(index);
  const isSuspending = random() < SUSPENDED;
  using _ = isSuspending ? world.slow(SUSPENDED_LATENCY_MS) : null;
  const pause = () => Bun.sleep(PAUSE_MS[0] + random() * PAUSE_MS[1]);
  for (const end = performance.now() + KILLING_MS; performance.now() < end; ) {
    await pause();
    const victim = Math.floor(random() * (WORKERS + 1));
    if (victim === WORKERS) await machines.killServer();
    else await machines.killWorker(victim);
  }
  if (isSuspending) {
    // It has jobs by then. The server stays: another would not know the worker at all.
    await pause();
    machines.signal(0, "SIGSTOP");
    for (const end = performance.now() + SUSPENDED_MS; performance.now() < end; ) {
      await pause();
      if (random() < 0.2) await machines.killWorker(1);
    }
    machines.signal(0, "SIGCONT");
    await Bun.sleep(AWAKE_MS);
  }
  const health = await within(fetch(`${machines.address}/healthz`), "the server does not answer under its workers");
  if (health.status !== 200) throw new Error(`/healthz answers ${health.status} under its workers`);
  const most = busiestSince(world.vendor.arrivals, before);
  if (most > PER_MINUTE) throw new Error(`${most} requests in a minute at a limit of ${PER_MINUTE}`);
  const { server, worker } = machines.killed;
  const suspended = isSuspending ? ", a worker suspended past its lease" : "";
  return `${server} servers and ${worker} workers killed${suspended}; ${world.vendor.arrivals.length - before} requests`;
}
