/**
 * Deletes old log lines, mails, runs and usage while no job runs, and tidies the database files, on a thread of its own;
 * deletes login sessions that are over, and puts stored moments right that lie in the future.
 */

import { messageOf } from "../../domain/errors.ts";
import { DAY } from "../../domain/market/interval.ts";
import { threadModule } from "../../installation.ts";
import type { Log } from "../../log.ts";
import { deleteOldSessions } from "../../storage/access/sessions.ts";
import type { Database } from "../../storage/db.ts";
import { correctFutureMoments } from "../../storage/future-moments.ts";
import { staleStatistics } from "../../storage/maintenance.ts";
import type { JobDispatcher } from "../queue/dispatcher.ts";
import type { FromMaintenanceWorker, ToMaintenanceWorker } from "./worker.ts";

/** How long things are kept, days. */
interface Retention {
  /** Log lines, and mails that were sent or given up. */
  readonly logDays: number;
  /** Finished runs with their jobs; bars, profiles and the coverage ledger are never deleted. */
  readonly runDays: number;
}

const WORKER = threadModule("scheduler/maintenance");
const EVERY_MS = 60 * 60 * 1000;
/** Milliseconds from the start to the first time, so that a restart is not slowed down. */
const FIRST_MS = 60 * 1000;
/** Milliseconds between two looks whether jobs have begun meanwhile. */
const LOOK_MS = 50;

type Tidy = Extract<ToMaintenanceWorker, { type: "tidy" }>;
type Tidied = Extract<FromMaintenanceWorker, { type: "done" }>;

interface Dependencies {
  readonly db: Database;
  readonly log: Log;
  readonly dispatcher: JobDispatcher;
  readonly retention: Retention;
  settings(): Tidy["settings"];
}

export class Maintenance {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #working: Promise<void> = Promise.resolve();
  #closed = false;
  #stop = () => {};
  /** How far the clock was set forwards, milliseconds: ages are counted without it. */
  #ahead = 0;

  constructor(
    private readonly dependencies: Dependencies,
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

  /** Tidies after what is under way, unless jobs are waiting or running. */
  tidySoon(): void {
    this.#working = this.#working.then(() => this.tidy());
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
      const before = {
        logs: now - retention.logDays * DAY * 1000,
        runs: now - retention.runDays * DAY * 1000,
        usage: Math.floor(now / 1000) - 40 * DAY,
      };
      await deleteOldSessions(db, now);
      const { logs, runs, mails } = await this.#onThread(before, await staleStatistics(db));
      if (logs + runs + mails > 0)
        log.write("info", `Maintenance: deleted ${logs} log lines, ${runs} old runs and ${mails} mails`);
    } catch (error) {
      log.write("warn", `Maintenance failed and will be tried again: ${messageOf(error)}`);
    }
  }

  /** Ends the thread after what it deletes just now. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#stop();
    await this.#working;
  }

  async #onThread(before: Tidy["before"], statistics: readonly string[]): Promise<Tidied> {
    const thread = new Worker(WORKER, { name: "barkeep-maintenance" });
    const send = (message: ToMaintenanceWorker) => thread.postMessage(message);
    const end = Promise.withResolvers<Tidied>();
    const closed = new Promise<void>((resolve) => thread.addEventListener("close", () => resolve(), { once: true }));
    thread.addEventListener("error", ({ message }) => end.reject(new Error(message)));
    thread.addEventListener("close", () => end.reject(new Error("the thread ended")));
    thread.addEventListener("message", ({ data }: MessageEvent<FromMaintenanceWorker>) => {
      if (data.type === "done") end.resolve(data);
      else end.reject(new Error(data.message));
    });
    this.#stop = () => send({ type: "stop" });
    send({ type: "tidy", settings: this.dependencies.settings(), before, statistics });
    if (this.#closed) this.#stop();
    const look = setInterval(() => {
      if (!this.#isIdle()) send({ type: "jobs" });
    }, LOOK_MS);
    try {
      return await end.promise;
    } finally {
      clearInterval(look);
      this.#stop = () => {};
      await closed;
    }
  }

  #isIdle(): boolean {
    const { waiting, active } = this.dependencies.dispatcher.counts();
    return !this.#closed && waiting + active === 0;
  }

  #tick(): void {
    this.#working = this.correctClock().then(() => this.tidy());
    this.#timer = setTimeout(() => this.#tick(), EVERY_MS);
  }
}
