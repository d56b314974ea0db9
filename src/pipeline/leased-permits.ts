/**
 * Permits that a worker has ahead of its jobs' requests, in small blocks, so that a request does not wait for the way to the
 * limiter: to the server from another machine, to the main thread from a thread of its own. The limiter counts each from its
 * lease to a minute after its answer; one that is not used is returned.
 */

import type { QuotaReport } from "../providers/provider.ts";
import type { FromWorker, ToWorker } from "./messages.ts";

/** How long a permit may wait for its request, milliseconds since it was asked for: far less than the limiter waits for its answer. */
const EXPIRY_MS = 5_000;
/** Permits of a block: as many as a job uses in a second, at most. */
const MAX_BLOCK = 8;
/** For how long none is asked for after the limiter had none to spare, milliseconds. */
const PAUSE_MS = 2_000;
/** How often permits are looked for that were not used in time, milliseconds. */
const EXPIRY_LOOK_MS = 1_000;
/** The numbers of leased permits begin here: threads number their requests from 1. */
const FIRST_NUMBER = 1_000_000_000;

type OfJob = Extract<FromWorker, { readonly jobId: number }>;
type Acquire = Extract<OfJob, { readonly type: "acquire" }>;

interface Leased {
  readonly number: number;
  readonly end: Expiry;
}

/** By two clocks: the steady one stands still while a machine sleeps, and the other may be set. */
interface Expiry {
  readonly steady: number;
  readonly epoch: number;
}

interface Block extends Expiry {
  /** The number of its first permit. */
  readonly first: number;
}

interface JobPermits {
  readonly thread: number;
  /** What its reports are marked with. */
  readonly labels: Pick<OfJob, "jobId" | "attempt">;
  provider: string;
  cost: number;
  unused: Leased[];
  /** The block that is under way; `null`: none is. */
  asked: Block | null;
  /** The leased permits of the thread's requests. */
  readonly used: Map<number, number>;
  /** When it last asked for a permit, milliseconds of `performance.now()`. */
  lastAt: number;
  isStopped: boolean;
}

interface Dependencies {
  /** Sends a report of a thread's job to the server. */
  report(thread: number, report: OfJob): void;
  tell(thread: number, message: ToWorker): void;
}

/** Whether a provider holds further requests: nothing is sent with permits from before. */
export const isHold = ({ holdSeconds, used = {} }: QuotaReport): boolean =>
  holdSeconds !== undefined || Object.values(used).includes(Number.POSITIVE_INFINITY);

/** What tells jobs apart: on another machine their attempts. */
const keyOf = ({ jobId, attempt }: Pick<OfJob, "jobId" | "attempt">): string => attempt ?? `job ${jobId}`;

export class LeasedPermits {
  readonly #jobs = new Map<string, JobPermits>();
  /** Until when none of a provider is asked for, milliseconds of `performance.now()`. */
  readonly #pausedUntil = new Map<string, number>();
  #numbered = FIRST_NUMBER;
  #expiry: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly dependencies: Dependencies) {}

  /** Takes a report of a job's thread, and sends on what the server is to know. */
  reported(thread: number, report: OfJob): void {
    const { report: send } = this.dependencies;
    if (report.type === "acquire") this.#acquire(thread, report);
    else if (report.type === "settle" || report.type === "release") {
      const job = this.#jobs.get(keyOf(report));
      if (job !== undefined && report.type === "settle" && isHold(report.report)) this.recall(job.provider);
      send(thread, { ...report, request: job?.used.get(report.request) ?? report.request });
    } else {
      if (report.type === "outcome") this.end(report);
      send(thread, report);
    }
  }

  /**
   * Takes an order of the server; false if it is for the thread.
   * @param until what the order allows ends then, epoch milliseconds: the server may have given the job to another
   */
  ordered(thread: number, order: ToWorker, until = Number.POSITIVE_INFINITY): boolean {
    if (order.type === "stop") {
      for (const job of this.#jobs.values()) {
        if (job.thread !== thread || job.labels.jobId !== order.jobId) continue;
        job.isStopped = true;
        this.#returnUnused(job);
      }
      return false;
    }
    if (order.type === "recall") this.recall(order.provider);
    else if (order.type === "leased") this.#leased(thread, order, until);
    else return false;
    return true;
  }

  /** The limiter holds a provider, or another request waits: nothing is sent with permits from before. */
  recall(provider: string): void {
    this.#pausedUntil.set(provider, performance.now() + PAUSE_MS);
    for (const job of this.#jobs.values()) {
      if (job.provider !== provider) continue;
      // A block that is under way was granted before.
      if (job.asked !== null) job.asked = { ...job.asked, steady: 0, epoch: 0 };
      this.#returnUnused(job);
    }
  }

  /** A job has ended, or was taken away. */
  end(labels: Pick<OfJob, "jobId" | "attempt">): void {
    const job = this.#jobs.get(keyOf(labels));
    if (job === undefined) return;
    this.#returnUnused(job);
    this.#jobs.delete(keyOf(labels));
  }

  /** Drops everything: the stay at the server is over. */
  clear(): void {
    this.#jobs.clear();
    clearTimeout(this.#expiry);
    this.#expiry = undefined;
  }

  #acquire(thread: number, report: Acquire): void {
    const { report: send, tell } = this.dependencies;
    const { request, provider, cost } = report;
    const now = performance.now();
    const job = this.#jobs.getOrInsertComputed(keyOf(report), () => jobOf(thread, report));
    const interval = now - job.lastAt;
    job.lastAt = now;
    if (job.provider !== provider || job.cost !== cost) {
      this.#returnUnused(job);
      job.provider = provider;
      job.cost = cost;
    }
    this.#returnExpired(job);
    const leased = job.unused.shift();
    if (leased === undefined) send(thread, report);
    else {
      job.used.set(request, leased.number);
      send(thread, { type: "use", ...job.labels, request: leased.number });
      // The thread looks at it once more before it sends.
      tell(thread, { type: "granted", request, until: leased.end.epoch });
    }
    this.#lease(job, interval);
  }

  /** Asks for a block when less than half of one is left. */
  #lease(job: JobPermits, intervalMs: number): void {
    const count = Math.min(MAX_BLOCK, Math.floor(1_000 / Math.max(1, intervalMs)));
    if (count < 2 || job.asked !== null || job.isStopped || job.unused.length > count / 2) return;
    const now = performance.now();
    if (now < (this.#pausedUntil.get(job.provider) ?? 0)) return;
    const first = this.#numbered;
    this.#numbered += count;
    job.asked = { first, steady: now + EXPIRY_MS, epoch: Date.now() + EXPIRY_MS };
    const { labels, provider, cost, thread } = job;
    this.dependencies.report(thread, { type: "lease", ...labels, request: first, count, provider, cost });
  }

  #leased(thread: number, { request, count }: Extract<ToWorker, { type: "leased" }>, until: number): void {
    const job = this.#jobs.values().find((each) => each.thread === thread && each.asked?.first === request);
    // The job has ended meanwhile: the server has taken them back with it.
    if (job?.asked == null) return;
    const { steady, epoch } = job.asked;
    const end = { steady, epoch: Math.min(epoch, until) };
    job.asked = null;
    if (count === 0) this.#pausedUntil.set(job.provider, performance.now() + PAUSE_MS);
    for (let at = 0; at < count; at++) job.unused.push({ number: request + at, end });
    if (job.isStopped || isOver(end)) this.#returnUnused(job);
    if (job.unused.length > 0) this.#lookLater();
  }

  /** Returns what is not used in time by jobs that wait for something else. */
  #lookLater(): void {
    this.#expiry ??= setTimeout(() => {
      this.#expiry = undefined;
      for (const job of this.#jobs.values()) {
        this.#returnExpired(job);
        if (job.unused.length > 0) this.#lookLater();
      }
    }, EXPIRY_LOOK_MS);
  }

  #returnExpired(job: JobPermits): void {
    const valid = job.unused.findIndex(({ end }) => !isOver(end));
    const expired = valid < 0 ? job.unused.length : valid;
    if (expired > 0) this.#give(job, job.unused.splice(0, expired));
  }

  #returnUnused(job: JobPermits): void {
    this.#give(job, job.unused.splice(0));
  }

  #give({ thread, labels }: JobPermits, permits: readonly Leased[]): void {
    if (permits.length === 0) return;
    this.dependencies.report(thread, { type: "unused", ...labels, requests: permits.map(({ number }) => number) });
  }
}

function jobOf(thread: number, { jobId, attempt, provider, cost }: Acquire): JobPermits {
  const labels = { jobId, ...(attempt !== undefined && { attempt }) };
  const times = { lastAt: Number.NEGATIVE_INFINITY, asked: null, isStopped: false };
  return { thread, labels, provider, cost, unused: [], used: new Map(), ...times };
}

const isOver = ({ steady, epoch }: Expiry) => performance.now() >= steady || Date.now() >= epoch;
