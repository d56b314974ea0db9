/**
 * Deletes old log lines, mails, runs and usage while no job runs, and tidies the database files; puts stored moments right
 * that lie in the future.
 */

import { messageOf } from "../domain/errors.ts";
import { DAY } from "../domain/market/interval.ts";
import type { Log } from "../log.ts";
import { deleteMails } from "../storage/alerts/outbox.ts";
import type { Database } from "../storage/db.ts";
import { correctFutureMoments } from "../storage/future-moments.ts";
import { deleteBefore, tidyFile } from "../storage/maintenance.ts";
import type { JobQueue } from "./queue/job-queue.ts";

/** How long things are kept, days. */
export interface Retention {
  /** Log lines, and mails that were sent or given up. */
  readonly logDays: number;
  /** Finished runs with their jobs; bars, profiles and the coverage ledger are never deleted. */
  readonly runDays: number;
}

const EVERY_MS = 60 * 60 * 1000;
/** Milliseconds from the start to the first time, so that a restart is not slowed down. */
const FIRST_MS = 60 * 1000;

export class Maintenance {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #working: Promise<void> = Promise.resolve();
  #closed = false;
  /** How far the clock was set forwards, milliseconds: ages are counted without it. */
  #ahead = 0;

  constructor(
    private readonly dependencies: { db: Database; log: Log; queue: JobQueue; retention: Retention },
    private readonly now: () => number = Date.now,
  ) {}

  /** Tidies a minute from now and then every hour, until it is closed. */
  start(): void {
    this.#timer = setTimeout(() => this.#tick(), FIRST_MS);
  }

  /** Takes note that the clock was set by `by` milliseconds; what a clock set forwards makes old is kept until a restart. */
  clockSet(by: number): void {
    this.#ahead = Math.max(0, this.#ahead + by);
  }

  /** Puts moments right that lie in the future, because the clock was set back. */
  correctClock(): Promise<void> {
    this.#working = this.#working.then(() => this.#correct());
    return this.#working;
  }

  async #correct(): Promise<void> {
    const { db, log } = this.dependencies;
    if (this.#closed) return;
    try {
      for (const line of await correctFutureMoments(db, this.now())) log.write("warn", line);
    } catch (error) {
      log.write("warn", `Stored times could not be checked and will be checked again: ${messageOf(error)}`);
    }
  }

  /** Tidies now, unless jobs are waiting or running. */
  async tidy(): Promise<void> {
    const { db, log, retention } = this.dependencies;
    if (!this.#isIdle()) return;
    try {
      const now = this.now() - this.#ahead;
      const deleted = await deleteBefore(db, {
        logs: now - retention.logDays * DAY * 1000,
        runs: now - retention.runDays * DAY * 1000,
        usage: Math.floor(now / 1000) - 40 * DAY,
      });
      const mails = await deleteMails(db, now - retention.logDays * DAY * 1000);
      await tidyFile(db, () => this.#isIdle());
      if (deleted.logs + deleted.runs + mails > 0)
        log.write(
          "info",
          `Maintenance: deleted ${deleted.logs} log lines, ${deleted.runs} old runs and ${mails} mails`,
        );
    } catch (error) {
      log.write("warn", `Maintenance failed and will be tried again: ${messageOf(error)}`);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#working;
  }

  #isIdle(): boolean {
    const { waiting, active } = this.dependencies.queue.counts();
    return !this.#closed && waiting + active === 0;
  }

  #tick(): void {
    this.#working = this.correctClock().then(() => this.tidy());
    this.#timer = setTimeout(() => this.#tick(), EVERY_MS);
  }
}
