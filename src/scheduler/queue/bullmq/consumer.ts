/**
 * Takes keys from a queue of BullMQ, one after the other, and only while this process has a place for one: the loop of
 * BullMQ itself takes as many as it may have at work, and other processes would be left without.
 */

import type { Job, Worker } from "bullmq";
import { messageOf } from "../../../domain/errors.ts";
import { GivenBack, type KeyHandler, type KeyPlace } from "../job-queue.ts";

/** The content of a job in BullMQ. */
export interface KeyData {
  readonly key: string;
}

/** A lock that another process has taken over, or a job that is gone: the server drops what is delivered twice. */
export const LOST_JOB =
  /^(?:Missing (?:key|lock) for job|Lock mismatch for job|Job \S+ is not in the|could not renew lock for)/;

interface ConsumerOptions {
  readonly handler: KeyHandler;
  /** Keys at work at once. */
  readonly concurrency: number;
  readonly place: KeyPlace;
  /** How long a key may go without a sign of this process, milliseconds. */
  readonly lockMs: number;
  /** Called when the queue cannot be reached. */
  onFailure(error: unknown): void;
}

export class Consumer {
  /** The locks of the jobs of BullMQ that are at work, by their ids. */
  readonly #locks = new Map<string, string>();
  readonly #renewal: ReturnType<typeof setInterval>;
  #taken = 0;
  #isStopped = false;
  /** Ends the wait for the end of a key. */
  #onEnd = () => {};

  constructor(
    private readonly worker: Worker<KeyData>,
    private readonly options: ConsumerOptions,
  ) {
    this.#renewal = setInterval(() => void this.#renew(), options.lockMs / 2);
    this.#takeAll().catch((error) => this.#failed(error));
  }

  /** Takes no more keys. */
  stop(): void {
    this.#isStopped = true;
  }

  /** @param force whether the queue cannot be reached any more */
  async close(force: boolean): Promise<void> {
    this.stop();
    clearInterval(this.#renewal);
    await this.worker.close(force);
  }

  async #takeAll(): Promise<void> {
    const { worker, options } = this;
    await worker.startStalledCheckTimer();
    while (!this.#isStopped) {
      while (this.#locks.size >= options.concurrency) {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#onEnd = resolve;
        await promise;
      }
      await options.place();
      if (this.#isStopped) return;
      this.#taken += 1;
      const token = `${worker.id}:${this.#taken}`;
      // Waits some seconds for one.
      const job: Job<KeyData> | undefined = await worker.getNextJob(token);
      if (job?.id === undefined) continue;
      if (this.#isStopped) await job.moveToWait(token);
      else void this.#handle(job, job.id, token);
    }
  }

  async #handle(job: Job<KeyData>, id: string, token: string): Promise<void> {
    this.#locks.set(id, token);
    let isBack = false;
    try {
      await this.options.handler(job.data.key);
    } catch (error) {
      // Otherwise it is done all the same: who handles keys reports what went wrong with them.
      isBack = error instanceof GivenBack;
    }
    this.#locks.delete(id);
    this.#onEnd();
    try {
      if (isBack) await job.moveToWait(token);
      else await job.moveToCompleted(undefined, token, false);
    } catch (error) {
      this.#failed(error);
    }
  }

  async #renew(): Promise<void> {
    if (this.#locks.size === 0) return;
    try {
      await this.worker.extendJobLocks([...this.#locks.keys()], [...this.#locks.values()], this.options.lockMs);
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (!LOST_JOB.test(messageOf(error))) this.options.onFailure(error);
  }
}
