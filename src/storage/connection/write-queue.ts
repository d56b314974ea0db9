/** The writes of one thread, grouped into transactions. */

import type Driver from "libsql";
import { type Fence, HOLDS_LEASE, LeaseLost } from "./fence.ts";
import type { StatementCache } from "./statement-cache.ts";
import type { WriteLock } from "./write-lock.ts";

/** No more writes are taken into a transaction after this long, milliseconds: other threads wait for its end. */
const GROUP_MS = 10;
/** How long a thread whose writes come together collects them, milliseconds: every commit writes whole pages. */
const GATHER_MS = 4;
/** How long a write waits for others that may come, milliseconds. */
const LINGER_MS = 25;
/** How long a write is tried again while another process writes, milliseconds. */
const BUSY_MS = 10_000;
const PAUSES_MS = [1, 2, 5, 10, 20, 50] as const;

interface Write {
  readonly since: number;
  run(): unknown;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Whether another process had the write lock of the file. */
export const isBusy = (error: unknown): boolean =>
  error instanceof Error && "code" in error && typeof error.code === "string" && error.code.startsWith("SQLITE_BUSY");

/**
 * What has gathered while another thread wrote goes into one transaction, each write under a savepoint of its own: one
 * that fails leaves the others alone. A write is reported as done after the commit, and a failed commit to each of the
 * writes that it held. Writes are committed in the order in which they were added.
 */
export class WriteQueue {
  #waiting: Write[] = [];
  /** Whether one of those that wait is to be committed now. */
  #isDue = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #draining = false;
  #closed = false;
  #guard: () => void = () => {};
  #fence: Fence | null = null;

  constructor(
    private readonly driver: InstanceType<typeof Driver>,
    private readonly statements: StatementCache,
    private readonly lock: WriteLock,
  ) {}

  /**
   * Runs `write` inside a transaction: at once, or, if it may wait for others, within 25 ms.
   * @returns what it returned, once that is committed
   */
  add<Result>(write: () => Result, mayWait = false): Promise<Result> {
    if (this.#closed) return Promise.reject(new Error("The database is closed"));
    return new Promise<Result>((resolve, reject) => {
      const since = performance.now();
      this.#waiting.push({ since, run: write, resolve: (result) => resolve(result as Result), reject });
      if (mayWait) this.#timer ??= setTimeout(() => this.flush(), LINGER_MS);
      else this.flush();
    });
  }

  /** Every transaction from now on checks that the server has its lease. */
  fence(lease: string, onLost?: () => void): void {
    this.#fence = { lease, onLost };
  }

  /** Every transaction from now on is begun only if `check` does not throw. */
  guard(check: () => void): void {
    this.#guard = check;
  }

  /** Commits the writes that wait. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#isDue = this.#waiting.length > 0;
    if (this.#isDue && !this.#draining) void this.#drain();
  }

  /** Runs `work` outside of a transaction while no other thread writes; `work` opens its own, if it needs one. */
  async alone<Result>(work: () => Result): Promise<Result> {
    for (let tries = 0, since = performance.now(); ; tries++) {
      await this.lock.acquire();
      try {
        return work();
      } catch (error) {
        if (!isBusy(error) || performance.now() - since > BUSY_MS) throw error;
      } finally {
        this.lock.release();
      }
      await pause(tries);
    }
  }

  /** Rejects what was not written yet. */
  close(): void {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    for (const { reject } of this.#waiting.splice(0)) reject(new Error("The database is closed"));
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    for (let tries = 0, last = 0; this.#isDue; ) {
      if (last > 1) await Bun.sleep(GATHER_MS);
      await this.lock.acquire();
      let busy: unknown;
      try {
        // A closed connection must not be used: the driver would abort the process.
        if (this.#closed) break;
        busy = this.#begin();
        if (busy === undefined) last = this.#commitGroup();
      } finally {
        this.lock.release();
      }
      if (busy === undefined) {
        tries = 0;
        this.#isDue = this.#waiting.length > 0;
        continue;
      }
      this.#rejectOverdue(busy);
      await pause(tries++);
    }
    this.#draining = false;
  }

  /** Opens a transaction; returns the error if another process writes. */
  #begin(): unknown {
    try {
      // Not prepared: a prepared statement that was refused stays open, and then nothing can be committed.
      this.#guard();
      this.driver.exec("BEGIN IMMEDIATE");
      this.#checkLease();
      return undefined;
    } catch (error) {
      if (isBusy(error)) return error;
      if (this.driver.inTransaction) this.driver.exec("ROLLBACK");
      for (const { reject } of this.#waiting.splice(0)) reject(error);
      return undefined;
    }
  }

  /** @throws LeaseLost if another server has the database */
  #checkLease(): void {
    if (this.#fence === null || this.statements.rows(HOLDS_LEASE, [this.#fence.lease]).length > 0) return;
    this.#fence.onLost?.();
    throw new LeaseLost();
  }

  #rejectOverdue(error: unknown): void {
    const now = performance.now();
    const kept: Write[] = [];
    for (const write of this.#waiting.splice(0)) {
      if (now - write.since > BUSY_MS) write.reject(error);
      else kept.push(write);
    }
    this.#waiting.unshift(...kept);
  }

  /** Returns how many writes were in the group. */
  #commitGroup(): number {
    const { statements, driver } = this;
    const until = performance.now() + GROUP_MS;
    const settled: (() => void)[] = [];
    const held: Write[] = [];
    try {
      do {
        const write = this.#waiting.shift();
        if (write === undefined) break;
        held.push(write);
        this.#runOne(write, settled, held.length > 1 || this.#waiting.length > 0);
      } while (performance.now() < until);
      if (driver.inTransaction) statements.run("COMMIT", []);
    } catch (error) {
      if (driver.inTransaction) statements.run("ROLLBACK", []);
      for (const { reject } of held) reject(error);
      return held.length;
    }
    for (const settle of settled) settle();
    return held.length;
  }

  /** @throws what ended the whole transaction */
  #runOne({ run, resolve, reject }: Write, settled: (() => void)[], grouped: boolean): void {
    const { statements, driver } = this;
    if (!grouped) {
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
      if (!driver.inTransaction) throw error;
      statements.run("ROLLBACK TO one", []);
      settled.push(() => reject(error));
    }
    statements.run("RELEASE one", []);
  }
}

const pause = (tries: number) => Bun.sleep(PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)]!);
