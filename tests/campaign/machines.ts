/** The server and its workers in one round, on "other machines": whichever is killed is started again at once. */

import { dirname } from "node:path";
import { executable } from "../helpers/bundle/programs.ts";
import { CHILD_ENV, endOf, type ServerProcess } from "../helpers/server.ts";
import { Front } from "./front.ts";
import type { Cut, Network } from "./network.ts";
import { within } from "./rounds.ts";
import type { World } from "./world.ts";

export const WORKERS = 2;

/** How often the server's list of hosts is read, and how long a worker may take to be lost, or to come, ms. */
const LOOK_MS = 100;
const LOST_MS = 60_000;

const nameOf = (worker: number) => `machine ${worker}`;

export class Machines implements AsyncDisposable {
  readonly front: Front;
  #server: ServerProcess | null = null;
  readonly #workers: (Bun.Subprocess<"ignore", "ignore", "pipe"> | null)[] = Array.from(
    { length: WORKERS },
    () => null,
  );
  readonly killed = { server: 0, worker: 0 };

  private constructor(
    private readonly world: World,
    private readonly network: Network,
    private readonly secret: string,
    private readonly settings: Readonly<Record<string, string>>,
  ) {
    this.front = new Front(network);
  }

  /** @param settings of the server, beside those of the world */
  static async start(
    world: World,
    network: Network,
    secret: string,
    settings: Readonly<Record<string, string>>,
  ): Promise<Machines> {
    const machines = new Machines(world, network, secret, settings);
    await network.connect(machines.front.port);
    await machines.#startServer();
    for (let worker = 0; worker < WORKERS; worker++) machines.#startWorker(worker);
    for (let worker = 0; worker < WORKERS; worker++) await machines.untilBack(worker);
    return machines;
  }

  get #queue(): Record<string, string> {
    const { BARKEEP_QUEUE } = this.settings;
    return BARKEEP_QUEUE === undefined ? {} : { BARKEEP_QUEUE };
  }

  async #startServer(): Promise<void> {
    this.#server = this.world.spawn(this.settings);
    const { url } = await within(this.#server.listening, "the server does not listen");
    this.front.target = url;
  }

  #startWorker(worker: number): void {
    const { url, command } = this.network.of(worker);
    const program = [executable(), "worker", "--server", url];
    this.#workers[worker] = Bun.spawn([...command, ...program, "--threads", "1", "--name", nameOf(worker)], {
      ...{ cwd: dirname(executable()), stdin: "ignore", stdout: "ignore", stderr: "pipe" },
      // One takes jobs from the queue itself, the other is handed them.
      env: { ...CHILD_ENV, BARKEEP_TOKEN: this.secret, ...(worker === 0 && this.#queue) },
    });
  }

  async killServer(): Promise<void> {
    this.front.target = null;
    this.front.takeFrom();
    await this.#server?.kill();
    this.killed.server += 1;
    await this.#startServer();
  }

  async killWorker(worker: number): Promise<void> {
    await this.#endWorker(worker);
    this.killed.worker += 1;
    this.#startWorker(worker);
  }

  async #endWorker(worker: number): Promise<void> {
    const child = this.#workers[worker];
    this.#workers[worker] = null;
    child?.kill("SIGKILL");
    await child?.exited;
  }

  signal(worker: number, signal: "SIGSTOP" | "SIGCONT"): void {
    this.#workers[worker]?.kill(signal);
  }

  cut(worker: number, manner: Cut): void {
    this.network.cut(worker, manner);
  }

  heal(worker: number): void {
    this.network.heal(worker);
  }

  /** Waits until the server has given a worker up; what that sends for its jobs from now on is late. */
  async untilLost(worker: number): Promise<void> {
    for (const end = performance.now() + LOST_MS; ; await Bun.sleep(LOOK_MS)) {
      if (!(await this.#hosts()).some(({ id, name }) => id !== null && name === nameOf(worker))) break;
      if (performance.now() > end) throw new Error(`${nameOf(worker)} is not lost after ${LOST_MS / 1_000} s`);
    }
    this.front.takeFrom(nameOf(worker));
  }

  /** Waits until a worker is there, or there again because a suspension or a cut is over. */
  async untilBack(worker: number): Promise<void> {
    for (const end = performance.now() + LOST_MS; ; await Bun.sleep(LOOK_MS)) {
      if ((await this.#hosts()).some(({ name, status }) => name === nameOf(worker) && status === "working")) return;
      if (performance.now() > end) throw new Error(`${nameOf(worker)} does not come: ${await this.#wordsOf(worker)}`);
    }
  }

  /** What a worker has said; it is ended for that. */
  async #wordsOf(worker: number): Promise<string> {
    const child = this.#workers[worker];
    await this.#endWorker(worker);
    return child == null ? "" : await new Response(child.stderr).text();
  }

  async #hosts(): Promise<{ id: number | null; name: string; status: string }[]> {
    const answer = await within(fetch(`${this.front.target}/api/hosts`), "the server does not show its hosts");
    return ((await answer.json()) as { hosts: { id: number | null; name: string; status: string }[] }).hosts;
  }

  /** Throws if a process has ended that was not killed. */
  async check(): Promise<void> {
    for (const [worker, child] of this.#workers.entries()) {
      if (child === null || (child.exitCode === null && child.signalCode === null)) continue;
      const end = endOf(child.signalCode, child.exitCode);
      throw new Error(`${nameOf(worker)} ended by itself, ${end}: ${await this.#wordsOf(worker)}`);
    }
    const { exitCode, signalCode, stderr } = this.#server!.process;
    if (exitCode !== null || signalCode !== null)
      throw new Error(
        `the server ended by itself, ${endOf(signalCode, exitCode)}: ${await new Response(stderr).text()}`,
      );
    const { status } = await within(
      fetch(`${this.front.target}/healthz`),
      "the server does not answer under its workers",
    );
    if (status !== 200) throw new Error(`/healthz answers ${status} under its workers`);
    const [fault] = this.front.faults;
    if (fault !== undefined) throw new Error(fault);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let worker = 0; worker < WORKERS; worker++) await this.#endWorker(worker);
    this.front.target = null;
    await this.#server?.kill();
    await this.front[Symbol.asyncDispose]();
  }
}
