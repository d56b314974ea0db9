/**
 * Permits that a worker has ahead of its jobs' requests, in small blocks, so that a request does not wait for the way to the
 * server. The server's limiter counts each from its lease to a minute after its answer; one that is not used is returned.
 */

import type { FromWorker, ToWorker } from "../../pipeline/messages.ts";
import { isHold } from "../../pipeline/workers/gate.ts";

/** How long a permit may wait for its request, milliseconds since it was asked for: far less than the limiter waits for its answer. */
const EXPIRY_MS = 5_000;
/** Permits of a block: as many as a job uses in a second, at most. */
const MAX_BLOCK = 8;
/** For how long none is asked for after the limiter had none to spare, milliseconds. */
const PAUSE_MS = 2_000;
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

interface JobPermits {
  readonly thread: number;
  readonly jobId: number;
  provider: string;
  cost: number;
  unused: Leased[];
  /** When the block that is under way was asked for; `null`: none is. */
  asked: Expiry | null;
  /** The leased permits of the thread's requests. */
  readonly used: Map<number, number>;
  /** When it last asked for a permit, milliseconds of `performance.now()`. */
  lastAt: number;
  isStopped: boolean;
}

interface Dependencies {
  /** Sends a report to the server. */
  report(thread: number, report: OfJob): void;
  tell(thread: number, message: ToWorker): void;
}

export class Permits {
  readonly #jobs = new Map<string, JobPermits>();
  /** Until when none of a provider is asked for, milliseconds of `performance.now()`. */
  readonly #pausedUntil = new Map<string, number>();
  #numbered = FIRST_NUMBER;

  constructor(private readonly dependencies: Dependencies) {}

  /** Takes a report of a job's thread, and sends on what the server is to know. */
  reported(thread: number, report: OfJob): void {
    const { report: send } = this.dependencies;
    const attempt = report.attempt ?? "";
    const job = this.#jobs.get(attempt);
    if (report.type === "acquire") this.#acquire(attempt, thread, report);
    else if (report.type === "settle" || report.type === "release") {
      if (job !== undefined && report.type === "settle" && isHold(report.report)) this.recall(job.provider);
      send(thread, { ...report, request: job?.used.get(report.request) ?? report.request });
    } else {
      if (report.type === "outcome") this.end(attempt);
      send(thread, report);
    }
  }

  /**
   * Takes an order of the server; false if it is for the thread.
   * @param until what the order allows ends then, epoch milliseconds: the server may have given the job to another
   */
  ordered(thread: number, order: ToWorker, until: number): boolean {
    if (order.type === "stop") {
      for (const [attempt, job] of this.#jobs) {
        if (job.thread !== thread || job.jobId !== order.jobId) continue;
        job.isStopped = true;
        this.#returnUnused(attempt, job);
      }
      return false;
    }
    if (order.type === "recall") this.recall(order.provider);
    else if (order.type === "leased") this.#leased(thread, order, until);
    else return false;
    return true;
  }

  /** The limiter holds a provider: nothing is sent with permits from before. */
  recall(provider: string): void {
    this.#pausedUntil.set(provider, performance.now() + PAUSE_MS);
    for (const [attempt, job] of this.#jobs) {
      if (job.provider !== provider) continue;
      // A block that is under way was granted before.
      if (job.asked !== null) job.asked = { steady: 0, epoch: 0 };
      this.#returnUnused(attempt, job);
    }
  }

  /** A job has ended, or was taken away. */
  end(attempt: string): void {
    const job = this.#jobs.get(attempt);
    if (job === undefined) return;
    this.#returnUnused(attempt, job);
    this.#jobs.delete(attempt);
  }

  /** Drops everything: the stay at the server is over. */
  clear(): void {
    this.#jobs.clear();
  }

  /** Returns what was not used in time. */
  returnExpired(): void {
    for (const [attempt, job] of this.#jobs) {
      const expired = job.unused.filter(({ end }) => isOver(end));
      if (expired.length === 0) continue;
      job.unused = job.unused.filter((each) => !expired.includes(each));
      this.#give(
        attempt,
        job,
        expired.map(({ number }) => number),
      );
    }
  }

  #acquire(attempt: string, thread: number, report: Acquire): void {
    const { report: send, tell } = this.dependencies;
    const { jobId, request, provider, cost } = report;
    const now = performance.now();
    let job = this.#jobs.get(attempt);
    if (job === undefined) {
      const times = { lastAt: Number.NEGATIVE_INFINITY, asked: null, isStopped: false };
      job = { thread, jobId, provider, cost, unused: [], used: new Map(), ...times };
      this.#jobs.set(attempt, job);
    }
    const interval = now - job.lastAt;
    job.lastAt = now;
    if (job.provider !== provider || job.cost !== cost) {
      this.#returnUnused(attempt, job);
      job.provider = provider;
      job.cost = cost;
    }
    this.returnExpired();
    const leased = job.unused.shift();
    if (leased === undefined) send(thread, report);
    else {
      job.used.set(request, leased.number);
      send(thread, { type: "use", jobId, attempt, request: leased.number });
      // The thread looks at it once more before it sends.
      tell(thread, { type: "granted", request, until: leased.end.epoch });
    }
    this.#lease(attempt, job, interval);
  }

  /** Asks for a block when less than half of one is left. */
  #lease(attempt: string, job: JobPermits, intervalMs: number): void {
    const block = Math.min(MAX_BLOCK, Math.floor(1_000 / Math.max(1, intervalMs)));
    const isPaused = performance.now() < (this.#pausedUntil.get(job.provider) ?? 0);
    if (block < 2 || job.asked !== null || job.isStopped || isPaused || job.unused.length > block / 2) return;
    const request = this.#numbered;
    this.#numbered += block;
    job.asked = { steady: performance.now() + EXPIRY_MS, epoch: Date.now() + EXPIRY_MS };
    const { jobId, provider, cost, thread } = job;
    this.dependencies.report(thread, { type: "lease", jobId, attempt, request, count: block, provider, cost });
  }

  #leased(thread: number, { attempt, request, count }: Extract<ToWorker, { type: "leased" }>, until: number): void {
    const job = this.#jobs.get(attempt);
    const numbers = Array.from({ length: count }, (_, at) => request + at);
    // The job has ended meanwhile: the server has taken them back with it.
    if (job?.asked == null || job.thread !== thread) return;
    const end = { ...job.asked, epoch: Math.min(job.asked.epoch, until) };
    job.asked = null;
    if (count === 0) this.#pausedUntil.set(job.provider, performance.now() + PAUSE_MS);
    if (job.isStopped || isOver(end)) this.#give(attempt, job, numbers);
    else job.unused.push(...numbers.map((number) => ({ number, end })));
  }

  #returnUnused(attempt: string, job: JobPermits): void {
    const numbers = job.unused.map(({ number }) => number);
    job.unused = [];
    this.#give(attempt, job, numbers);
  }

  #give(attempt: string, { thread, jobId }: JobPermits, requests: number[]): void {
    if (requests.length === 0) return;
    this.dependencies.report(thread, { type: "unused", jobId, attempt, requests });
  }
}

const isOver = ({ steady, epoch }: Expiry) => performance.now() >= steady || Date.now() >= epoch;
