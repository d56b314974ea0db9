/** A worker on another machine: its threads, the orders that it has not received yet, and what is known of it. */

import type { QueueState } from "../../domain/hosts/host-state.ts";
import { SlidingSum } from "../../domain/sliding-sum.ts";
import type { StopReason, SymbolTask, ToWorker } from "../../pipeline/messages.ts";
import type { Order, Registration, Report } from "../../pipeline/remote/protocol.ts";
import type { Assignment } from "../../pipeline/workers/assignment.ts";
import type { PoolThread } from "../../pipeline/workers/worker-handle.ts";

/** How long a stop waits until jobs on other machines have stored what is under way, milliseconds. */
const STOP_MS = 5_000;

/** Orders that may wait for a worker; with more of them it counts as disconnected. */
const MAX_ORDERS = 20_000;

/** What decides whether a worker accepts a job. */
export type JobLabels = Pick<SymbolTask, "provider" | "repairProvider" | "interval">;

/** What is known of a worker when it registers. */
export interface HostOptions {
  readonly session: string;
  readonly registration: Registration;
  /** The name of its token. */
  readonly token: string;
  /** The address that it sends from. */
  readonly address: string;
  /** Whether keys of providers may be sent to it: over TLS, or on this machine or a private network. */
  readonly mayHaveKeys: boolean;
  /** Epoch milliseconds. */
  readonly now: number;
}

export class Host {
  readonly threads = new Map<number, RemoteThread>();
  /** When it was last heard of, epoch milliseconds and milliseconds of `performance.now()`. */
  lastSeen: number;
  /** Milliseconds of `performance.now()`. */
  readonly cameAt = performance.now();
  #heardAt = this.cameAt;
  /** Whether it has reported anything since it registered. */
  hasReported = false;
  /** The memory of its process, bytes. */
  memory = 0;
  /** Bars that its jobs have stored. */
  bars = 0;
  readonly #barRate = new SlidingSum(5_000, 12, Date.now());
  /** Jobs that have ended here. */
  ended = 0;
  /** Whether it reaches the job queue; `null`: it takes no keys from there. */
  #queue: QueueState | null = null;
  /** Whether keys that the server leaves to it reach it: not if the last one was for others, or it reads another queue. */
  #claimsOwn = true;
  /** Jobs that it has taken from the queue. */
  taken = 0;
  /** Whether it is given no more jobs. */
  isDraining = false;
  /** Whether it has sent nothing for some seconds: it gets no jobs, and whether it still works is not known. */
  isSilent = false;
  /** Whether its jobs were stopped, because it ends. */
  isLeaving = false;
  #received = 0;
  #numbered = 0;
  #orders: Order[] = [];
  #waiting: (() => void) | null = null;

  constructor(readonly options: HostOptions) {
    this.lastSeen = options.now;
  }

  get name(): string {
    return this.options.registration.host;
  }

  get jobs(): number {
    return this.threads.values().reduce((sum, { jobs }) => sum + jobs.size, 0);
  }

  countBars(bars: number): void {
    this.bars += bars;
    this.#barRate.add(bars, Date.now());
  }

  get queue(): QueueState | null {
    return this.#queue;
  }

  set queue(state: QueueState | null) {
    if (state !== this.#queue) this.#claimsOwn = true;
    this.#queue = state;
  }

  /** Records whether the last key was one for this worker; not so if a key that was left to it never reached it. */
  claimed(isOwn: boolean): void {
    this.#claimsOwn = isOwn;
  }

  /** Whether it takes its jobs from the queue, so that the server leaves keys to it. */
  get takesKeys(): boolean {
    return this.#queue === "up" && this.#claimsOwn && !this.isDraining && !this.isSilent;
  }

  get hasRoom(): boolean {
    return !this.isDraining && !this.isSilent && this.jobs < this.options.registration.jobs;
  }

  /** Over the last minute. */
  get barsPerSecond(): number {
    return this.#barRate.perMinute(Date.now()) / 60;
  }

  /** All reports up to this number have been taken. */
  get received(): number {
    return this.#received;
  }

  /** Whether nothing was heard of it for `milliseconds`, or it leaves its orders unread. */
  isGone(milliseconds: number): boolean {
    return this.silence > milliseconds || this.#orders.length > MAX_ORDERS;
  }

  /** Milliseconds of `performance.now()`. */
  get lastHeardAt(): number {
    return this.#heardAt;
  }

  /** How long it has been silent, milliseconds. */
  get silence(): number {
    return performance.now() - this.#heardAt;
  }

  heard(now: number, memory: number): void {
    this.lastSeen = now;
    this.#heardAt = performance.now();
    this.hasReported = true;
    this.memory = memory;
  }

  /** Those of numbered reports that were not taken before. */
  fresh(first: number, reports: readonly Report[]): readonly Report[] {
    const known = Math.max(0, this.#received - first + 1);
    // An earlier report is missing: the worker sends all of them again.
    if (first > this.#received + 1) return [];
    this.#received = Math.max(this.#received, first - 1 + reports.length);
    return reports.slice(known);
  }

  /** Whether it accepts such jobs; its threads say whether there is room for one. */
  takes({ provider, repairProvider, interval }: JobLabels): boolean {
    const { providers, intervals } = this.options.registration;
    const isListed = (each: string | null) => each === null || providers === null || providers.includes(each);
    return (
      this.hasRoom &&
      isListed(provider) &&
      isListed(repairProvider) &&
      (intervals === null || intervals.includes(interval))
    );
  }

  order(thread: number, order: Order["order"]): void {
    this.#numbered += 1;
    this.#orders.push({ number: this.#numbered, thread, order });
    this.#waiting?.();
  }

  /** Drops the orders that have arrived; returns the others. */
  ordersAfter(arrived: number): readonly Order[] {
    this.#orders = this.#orders.filter(({ number }) => number > arrived);
    return this.#orders;
  }

  /** Resolves with the next order, after `milliseconds` at the latest, or when a later request waits instead. */
  async nextOrder(milliseconds: number): Promise<void> {
    this.#waiting?.();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    this.#waiting = resolve;
    await promise;
    clearTimeout(timer);
    if (this.#waiting === resolve) this.#waiting = null;
  }

  /** Ends a request that waits for orders. */
  wake(): void {
    this.#waiting?.();
  }
}

/** What a task needs before it can be sent: the attempt, and the provider's settings. */
type Prepare = (thread: RemoteThread, order: Extract<ToWorker, { type: "task" }>) => void;

/** A thread of a worker on another machine, as the pool sees it. */
export class RemoteThread implements PoolThread {
  readonly jobs = new Map<number, Assignment>();
  readonly ready = true;
  inTrouble = false;
  /** The attempts of its jobs, by job. */
  readonly attempts = new Map<number, string>();
  /** Jobs that were stopped before their task was sent. */
  readonly stopped = new Map<number, StopReason>();

  constructor(
    readonly host: Host,
    readonly number: number,
    private readonly mayTake: (host: Host, task: SymbolTask) => boolean,
    private readonly prepare: Prepare,
  ) {}

  get isSilent(): boolean {
    return this.host.isSilent;
  }

  get hasRoom(): boolean {
    return this.host.hasRoom;
  }

  takes(task: SymbolTask): boolean {
    return this.mayTake(this.host, task);
  }

  send(message: ToWorker): void {
    // Variables of providers are sent with the first task that needs them.
    if (message.type === "configure" || message.type === "storage_recovered" || message.type === "close") return;
    if (message.type === "task") this.prepare(this, message);
    else if (message.type === "stop" && !this.attempts.has(message.jobId))
      this.stopped.set(message.jobId, message.reason);
    else this.host.order(this.number, message);
  }

  async shutDown(): Promise<void> {
    const jobs = [...this.jobs.values()];
    for (const { task } of jobs) this.send({ type: "stop", jobId: task.jobId, reason: "shutdown" });
    const late = setTimeout(() => {
      for (const job of jobs) job.resolve({ kind: "stopped", reason: "shutdown" });
    }, STOP_MS);
    await Promise.allSettled(jobs.map(({ outcome }) => outcome));
    clearTimeout(late);
  }
}
