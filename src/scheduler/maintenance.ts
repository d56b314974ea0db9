/** What is tidied while nothing runs: old log lines, mails, runs and usage, and the database's own files. */

import { messageOf } from "../domain/errors.ts";
import { DAY } from "../domain/market/interval.ts";
import type { Log } from "../log.ts";
import { forgetMails } from "../storage/alerts/outbox.ts";
import type { Database } from "../storage/db.ts";
import { forgetBefore, tidyFile } from "../storage/maintenance.ts";
import type { JobQueue } from "./queue/job-queue.ts";

/** How long things are kept, days. */
export interface Retention {
  /** Log lines, and mails that were sent or given up. */
  readonly logDays: number;
  /** Finished runs with their jobs; bars, profiles and the coverage ledger stay for good. */
  readonly runDays: number;
}

const EVERY_MS = 60 * 60 * 1000;
/** After the start, so that a restart does not begin with cleaning. */
const FIRST_MS = 60 * 1000;

export class Maintenance {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #working: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(
    private readonly dependencies: { db: Database; log: Log; queue: JobQueue; retention: Retention },
    private readonly now: () => number = Date.now,
  ) {}

  /** Tidies a minute from now and then every hour, until it is closed. */
  start(): void {
    this.#timer = setTimeout(() => this.#tick(), FIRST_MS);
  }

  /** Tidies now, unless work is under way: it can wait, the work cannot. */
  async tidy(): Promise<void> {
    const { db, log, retention } = this.dependencies;
    if (!this.#isIdle()) return;
    try {
      const now = this.now();
      const gone = await forgetBefore(db, {
        logs: now - retention.logDays * DAY * 1000,
        runs: now - retention.runDays * DAY * 1000,
        usage: Math.floor(now / 1000) - 40 * DAY,
      });
      const mails = await forgetMails(db, now - retention.logDays * DAY * 1000);
      await tidyFile(db, () => this.#isIdle());
      if (gone.logs + gone.runs + mails > 0)
        log.write("info", `Housekeeping: ${gone.logs} log lines, ${gone.runs} old runs and ${mails} mails forgotten`);
    } catch (error) {
      log.write("warn", `Housekeeping failed and will be tried again: ${messageOf(error)}`);
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
    this.#working = this.tidy();
    this.#timer = setTimeout(() => this.#tick(), EVERY_MS);
  }
}
