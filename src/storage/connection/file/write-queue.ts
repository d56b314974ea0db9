/** The writes of one thread, grouped into transactions. */

import type Driver from "libsql";
import { faultOf, type StorageFault } from "../../../domain/errors.ts";
import { type Fence, HOLDS_LEASE, LeaseLost } from "../fence.ts";
import { Retries } from "../retries.ts";
import { StorageUnavailable, storageFault } from "../trouble.ts";
import { waitLimitEnd } from "../wait-limit.ts";
import type { StatementCache } from "./statement-cache.ts";
import type { WriteLock } from "./write-lock.ts";

/** No more writes are taken into a transaction after this long, milliseconds: other threads wait for its end. */
const GROUP_MS = 10;
/** How long a thread whose writes come together collects them, milliseconds: every commit writes whole pages. */
const GATHER_MS = 4;
/** How long work outside of a transaction is tried again while another process writes, milliseconds. */
const ALONE_MS = 10_000;

interface Write {
  /** When its caller gives up, milliseconds of `performance.now()`. */
  readonly until: number;
  run(): unknown;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Whether another process had the write lock of the file. */
export const isBusy = (error: unknown): boolean => storageFault(error)?.kind === "locked";

/**
 * What has gathered while another thread wrote goes into one transaction, in the order in which it was added. If a write
 * fails, all are run again, each under a savepoint, so that the others go on. A write is reported as done after the
 * commit. While the database is in trouble they wait, until it is over or their callers give up.
 */
export class WriteQueue {
  #waiting: Write[] = [];
  /** Whether one of those that wait is to be committed now. */
  #isDue = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #draining = false;
  /** How many of those that wait are to be run under savepoints, because one of them has failed. */
  #suspects = 0;
  #closed = false;
  #guard: (isSuspect: boolean) => void = () => {};
  #fence: Fence | null = null;
  /** When every write gives up, milliseconds of `performance.now()`. */
  #end = Number.POSITIVE_INFINITY;

  constructor(
    private readonly driver: InstanceType<typeof Driver>,
    private readonly statements: StatementCache,
    private readonly lock: WriteLock,
    /** How long a write waits for others that may come, milliseconds. */
    private readonly lingerMs: number,
    readonly retries = new Retries(),
  ) {}

  /**
   * Runs `write` inside a transaction: at once, or, if it may wait for others, a little later.
   * @returns what it returned, once that is committed
   * @throws StorageUnavailable if the database is in trouble for longer than the caller waits; it was not run then
   */
  add<Result>(write: () => Result, mayWait = false): Promise<Result> {
    if (this.#closed) return Promise.reject(new Error("The database is closed"));
    return new Promise<Result>((resolve, reject) => {
      const until = waitLimitEnd();
      this.#waiting.push({ until, run: write, resolve: (result) => resolve(result as Result), reject });
      this.retries.limit(until);
      if (mayWait) this.#timer ??= setTimeout(() => this.flush(), this.lingerMs);
      else this.flush();
    });
  }

  /** Every transaction from now on checks that the server has its lease. */
  fence(lease: string, onLost?: () => void): void {
    this.#fence = { lease, onLost };
  }

  /** Every transaction from now on is begun only if `check` does not throw; `isSuspect` after a fault, which it may explain. */
  guard(check: (isSuspect: boolean) => void): void {
    this.#guard = check;
  }

  /** Commits the writes that wait. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#isDue = this.#waiting.length > 0;
    if (this.#isDue && !this.#draining) void this.#drain();
  }

  /** When somebody who is patient until `until` has to give up: earlier if all are in a hurry, or at once if it is closed. */
  latest(until: number): number {
    return this.#closed ? 0 : Math.min(until, this.#end);
  }

  /** No write waits for longer than `milliseconds` from now. */
  hurry(milliseconds: number): void {
    this.#end = performance.now() + milliseconds;
    this.retries.wake();
  }

  /** Runs `work` outside of a transaction while no other thread writes; `work` opens its own, if it needs one. */
  async alone<Result>(work: () => Result): Promise<Result> {
    const retries = new Retries();
    for (const since = performance.now(); ; ) {
      await this.lock.acquire();
      try {
        return work();
      } catch (error) {
        if (!isBusy(error) || performance.now() - since > ALONE_MS) throw error;
        retries.failed(faultOf("locked"));
      } finally {
        this.lock.release();
      }
      await retries.pause();
    }
  }

  /** Rejects what was not written yet. */
  close(): void {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.retries.wake();
    for (const { reject } of this.#waiting.splice(0)) reject(new Error("The database is closed"));
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    for (let last = 0; this.#isDue; ) {
      if (last > 1) await Bun.sleep(GATHER_MS);
      await this.lock.acquire();
      let fault: StorageFault | null;
      try {
        // A closed connection must not be used: the driver would abort the process.
        if (this.#closed) break;
        const held: Write[] = [];
        fault = this.#begin() ?? this.#commitGroup(held);
        last = held.length;
      } finally {
        this.lock.release();
      }
      if (fault === null) {
        if (last > 0) this.retries.succeeded();
      } else {
        this.retries.failed(fault);
        this.#rejectOverdue(fault);
        if (this.#waiting.length > 0) await this.retries.pause(this.#earliestEnd());
      }
      this.#isDue = this.#waiting.length > 0;
    }
    this.#draining = false;
  }

  /** Opens a transaction; returns the fault that prevents it. */
  #begin(): StorageFault | null {
    try {
      // Not prepared: a prepared statement that was refused stays open, and then nothing can be committed.
      this.#guard(false);
      this.driver.exec("BEGIN IMMEDIATE");
      this.#checkLease();
      return null;
    } catch (error) {
      this.#rollBack();
      const fault = this.#explain(error);
      if (fault === null) for (const { reject } of this.#waiting.splice(0)) reject(error);
      return fault;
    }
  }

  /** The fault behind an error; what has become of the file says more than SQLite does. */
  #explain(error: unknown): StorageFault | null {
    const fault = storageFault(error);
    if (fault === null || fault.kind === "locked") return fault;
    try {
      this.#guard(true);
      return fault;
    } catch (cause) {
      return storageFault(cause) ?? fault;
    }
  }

  /** @throws LeaseLost if another server has the database */
  #checkLease(): void {
    if (this.#fence === null || this.statements.rows(HOLDS_LEASE, [this.#fence.lease]).length > 0) return;
    this.#fence.onLost?.();
    throw new LeaseLost();
  }

  #rejectOverdue(fault: StorageFault): void {
    const now = performance.now();
    const kept: Write[] = [];
    for (const write of this.#waiting.splice(0)) {
      if (now >= Math.min(write.until, this.#end)) write.reject(new StorageUnavailable(fault));
      else kept.push(write);
    }
    this.#waiting.unshift(...kept);
  }

  /** When the first of those that wait gives up. */
  #earliestEnd(): number {
    return this.#waiting.reduce((earliest, { until }) => Math.min(earliest, until), this.#end);
  }

  /**
   * Moves those that wait to `held` and commits them; returns the fault that prevents it, and they wait again. They also do
   * if one of several has failed, then under savepoints: these copy each page that a write changes.
   */
  #commitGroup(held: Write[]): StorageFault | null {
    const { statements, driver } = this;
    const until = performance.now() + GROUP_MS;
    const settled: (() => void)[] = [];
    const suspects = this.#suspects;
    this.#suspects = 0;
    try {
      do {
        const write = this.#waiting.shift();
        if (write === undefined) break;
        held.push(write);
        this.#runOne(write, settled, suspects > 0);
        // None comes after the suspects: one more that failed would take them with it.
      } while (suspects > 0 ? held.length < suspects : performance.now() < until);
      if (driver.inTransaction) statements.run("COMMIT", []);
    } catch (error) {
      this.#rollBack();
      const fault = this.#explain(error);
      if (fault !== null) this.#waiting.unshift(...held);
      else if (suspects === 0 && held.length > 1) {
        this.#suspects = held.length;
        this.#waiting.unshift(...held.splice(0));
      } else for (const { reject } of held) reject(error);
      return fault;
    }
    for (const settle of settled) settle();
    return null;
  }

  #rollBack(): void {
    try {
      if (this.driver.inTransaction) this.driver.exec("ROLLBACK");
    } catch {
      // SQLite ends a transaction by itself when it cannot go on; the error that led here says why.
    }
  }

  /** @throws what ended the whole transaction */
  #runOne({ run, resolve, reject }: Write, settled: (() => void)[], isSuspect: boolean): void {
    const { statements, driver } = this;
    if (!isSuspect) {
      const result = run();
      settled.push(() => resolve(result));
      return;
    }
    statements.run("SAVEPOINT one", []);
    try {
      const result = run();
      settled.push(() => resolve(result));
    } catch (error) {
      // With a full disk, for example, SQLite has rolled back everything.
      if (!driver.inTransaction || storageFault(error) !== null) throw error;
      statements.run("ROLLBACK TO one", []);
      settled.push(() => reject(error));
    }
    statements.run("RELEASE one", []);
  }
}
