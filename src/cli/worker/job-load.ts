/** How busy the threads of a worker are: counted from the reports of its jobs and the orders to them. */

import type { FromWorker, ToWorker } from "../../pipeline/messages.ts";

/** In how many milliseconds before now the jobs are counted that ended: longer than a short job and its way here take. */
const ENDED_MS = 500;
/** For how long a key that was claimed is expected to bring a job, milliseconds: the server may give it to another machine. */
const EXPECTED_MS = 1_000;

interface Load {
  readonly thread: number;
  /** What it waits for: answers of the limiter, of a provider, and those that its run shares. */
  readonly waits: Set<string>;
  isCommitting: boolean;
}

type OfJob = Extract<FromWorker, { readonly jobId: number }>;

export class JobLoad {
  readonly #jobs = new Map<string, Load>();
  /** When keys were claimed whose jobs have not come, and when the last jobs ended: milliseconds of `performance.now()`. */
  #claimed: number[] = [];
  #ends: number[] = [];
  #onChange = Promise.withResolvers<void>();

  /**
   * @param threads those of the worker
   * @param most jobs that it has at once
   */
  constructor(
    private readonly threads: number,
    private readonly most: number,
  ) {}

  /** A job begins on a thread. */
  begin(attempt: string, thread: number): void {
    this.#claimed.shift();
    this.#jobs.set(attempt, { thread, waits: new Set(), isCommitting: false });
  }

  /** A job has ended, or was taken away. */
  end(attempt: string): void {
    if (!this.#jobs.delete(attempt)) return;
    this.#ends.push(performance.now());
    this.#change();
  }

  /** A key is claimed: a job may come. */
  claim(): void {
    this.#claimed.push(performance.now());
  }

  /** A key that was claimed brings no job. */
  unclaim(): void {
    this.#claimed.pop();
    this.#change();
  }

  /** Notes what a job reports. */
  reported(report: OfJob): void {
    const job = this.#jobs.get(report.attempt ?? "");
    if (job === undefined) return;
    if (report.type === "acquire") job.waits.add(`request ${report.request}`);
    else if (report.type === "settle" || report.type === "release") job.waits.delete(`request ${report.request}`);
    else if (report.type === "share") job.waits.add(`share ${report.share}`);
    else if (report.type === "share_left") job.waits.delete(`share ${report.share}`);
    else if (report.type === "committing") job.isCommitting = report.isCommitting;
    else return;
    this.#change();
  }

  /** Notes an order to the jobs of a thread. */
  ordered(thread: number, order: ToWorker): void {
    const what =
      order.type === "refused"
        ? `request ${order.request}`
        : order.type === "share_answer" || order.type === "share_refused"
          ? `share ${order.share}`
          : null;
    if (what === null) return;
    for (const job of this.#jobs.values()) if (job.thread === thread) job.waits.delete(what);
  }

  /** Jobs that compute. */
  get computing(): number {
    return this.#jobs.values().reduce((sum, { waits, isCommitting }) => {
      return sum + (waits.size > 0 || isCommitting ? 0 : 1);
    }, 0);
  }

  /**
   * Whether there is a place for one more job: a thread is free, or will be soon, because as many jobs end while another one
   * is on its way.
   */
  hasPlace(now = performance.now()): boolean {
    this.#claimed = this.#claimed.filter((at) => now - at < EXPECTED_MS);
    this.#ends = this.#ends.filter((at) => now - at < ENDED_MS);
    const claimed = this.#claimed.length;
    if (this.#jobs.size + claimed >= this.most) return false;
    return this.computing + claimed < Math.max(this.threads, this.#ends.length);
  }

  /** Resolves with the next change that may make a place. */
  change(): Promise<void> {
    return this.#onChange.promise;
  }

  #change(): void {
    this.#onChange.resolve();
    this.#onChange = Promise.withResolvers();
  }
}
