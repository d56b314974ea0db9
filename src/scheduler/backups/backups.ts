/** Backs the database up at a time of the day and by hand, and keeps the newest ones. */

import { basename, resolve } from "node:path";
import { type Clock, waitAtMost } from "../../clock.ts";
import { messageOf, Refusal } from "../../domain/errors.ts";
import { utcMinute } from "../../domain/time.ts";
import { threadModule } from "../../installation.ts";
import type { Log } from "../../log.ts";
import { auditStatement, changesOf } from "../../storage/access/audit.ts";
import { recordStatements } from "../../storage/alerts/outbox.ts";
import { freeSpace } from "../../storage/connection/space.ts";
import { withoutWaitLimit } from "../../storage/connection/wait-limit.ts";
import { type Database, pathOf, readPragma, type Write } from "../../storage/db.ts";
import { settingStatement } from "../../storage/settings.ts";
import { readCron } from "../schedules/cron.ts";
import { BackupRefused, faultOfBackup, tooSmall } from "./fault.ts";
import { deleteOldest, deleteUnfinished, freePath, requireFolder } from "./files.ts";
import {
  type BackupMade,
  type BackupPlan,
  type BackupState,
  DEFAULT_KEEP,
  PLAN_KEY,
  readBackups,
  STATE_KEY,
} from "./plan.ts";
import type { FromBackupWorker, ToBackupWorker } from "./worker.ts";

const WORKER = threadModule("scheduler/backups");
/** Longest time between two polls, so that a sleep or a changed clock is noticed; later than this is late. */
const POLL_MS = 30_000;
const LATE_MS = 60_000;
/** Left free on the disk beside the copy: the database itself may be there. */
const RESERVE_BYTES = 100e6;
/** How long the end of the server waits for a thread that copies, milliseconds. */
const STOP_MS = 2_000;

interface Dependencies {
  readonly db: Database;
  readonly log: Log;
  readonly dbUrl: string;
  /** The lock of all threads that write to the database. */
  readonly writeLock: SharedArrayBuffer;
  onAlert(): void;
}

interface BackupsOptions {
  readonly clock: Clock;
  /** The free space of a folder, bytes; tests replace it. */
  readonly free?: (folder: string) => Promise<number>;
}

/** What the settings page changes. */
export type BackupChoice = Omit<BackupPlan, "database">;

export class Backups {
  #cancelTimer = () => {};
  #closed = false;
  #underway: { readonly since: number; readonly work: Promise<void> } | null = null;
  #stopThread = () => {};
  #saving: Promise<void> = Promise.resolve();

  private constructor(
    private readonly dependencies: Dependencies,
    private readonly options: BackupsOptions,
    private readonly database: string,
    private stored: BackupPlan | null,
    private state: BackupState,
  ) {}

  static async open(dependencies: Dependencies, options: BackupsOptions): Promise<Backups> {
    const { plan, state } = await readBackups(dependencies.db);
    const database = dependencies.db.local ? resolve(pathOf(dependencies.dbUrl)) : "";
    const none = { settledUntil: options.clock.now(), last: null, failure: null };
    return new Backups(dependencies, options, database, plan, state ?? none);
  }

  /** Makes up for a missed time, and backs up when it is due, until it is closed. */
  start(): void {
    if (this.dependencies.db.local) withoutWaitLimit(() => this.#poll());
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer();
    this.#stopThread();
    if (this.#underway !== null) {
      // SQLite cannot be interrupted, nor a folder on a disk that does not answer.
      await waitAtMost(this.#underway.work, STOP_MS);
    }
    await this.#saving;
  }

  /** Resolves when no backup is being made, and what came of the last is stored. */
  async idle(): Promise<void> {
    await this.#underway?.work;
    await this.#saving;
  }

  /** Whether there are files to copy: a remote database is backed up by its server. */
  get possible(): boolean {
    return this.dependencies.db.local;
  }

  get plan(): BackupChoice {
    return this.stored ?? { folder: "", at: null, keep: DEFAULT_KEEP };
  }

  /** The other database file that the plan was made for, as after a restore elsewhere; `null` if it is this one. */
  get madeFor(): string | null {
    return this.stored === null || this.stored.database === this.database ? null : this.stored.database;
  }

  get last(): BackupState["last"] {
    return this.state.last;
  }

  get failure(): BackupState["failure"] {
    return this.state.failure;
  }

  /** Since when one is being made, epoch milliseconds; `null` if none is. */
  get underwaySince(): number | null {
    return this.#underway?.since ?? null;
  }

  /** When the next one is due, epoch milliseconds; `null` if none is. */
  next(): number | null {
    return this.#times()?.next(this.options.clock.now(), 1)[0] ?? null;
  }

  /**
   * Changes the plan, for times from now on.
   * @throws Refusal at `folder`, if it cannot be used; nothing is changed then
   */
  async change(choice: BackupChoice): Promise<void> {
    const { db } = this.dependencies;
    this.#requireLocal();
    const folder = choice.folder === "" ? "" : resolve(choice.folder);
    if (folder !== "") {
      try {
        await requireFolder(folder);
      } catch (error) {
        const { reason, advice } = faultOfBackup(error);
        throw refused("folder", `${reason}. ${advice}`);
      }
    } else if (choice.at !== null) throw refused("folder", "a folder is needed for backups by the clock");
    const plan: BackupPlan = { ...choice, folder, database: this.database };
    const state = { ...this.state, settledUntil: this.options.clock.now() };
    const changes = changesOf(describe(this.plan), describe(plan));
    await db.write([
      settingStatement(db, PLAN_KEY, JSON.stringify(plan)),
      settingStatement(db, STATE_KEY, JSON.stringify(state)),
      ...(changes ? auditStatement({ action: "backup.change", subject: "backups", ...changes }) : []),
    ]);
    this.stored = plan;
    this.state = state;
    this.start();
  }

  /**
   * Begins a backup now; resolves when it has ended, well or not.
   * @throws Refusal if there is no folder, or one is being made
   */
  backUpNow(): Promise<void> {
    this.#requireLocal();
    const { stored: plan, madeFor } = this;
    if (madeFor !== null) throw new Refusal("conflict", "The folder was chosen for another database: save it first");
    if (plan === null || plan.folder === "") throw refused("folder", "choose and save a folder first");
    if (this.#underway !== null) throw new Refusal("conflict", "A backup is being made already");
    const ended = this.#begin(plan, null);
    this.#store(auditStatement({ action: "backup.make", subject: plan.folder }));
    return ended;
  }

  #requireLocal(): void {
    if (!this.possible) throw new Refusal("conflict", "A remote database is backed up on its server, not from here");
  }

  /** The times of the plan; `null` if there are none for this database. */
  #times() {
    const { at } = this.plan;
    if (at === null || this.madeFor !== null || !this.possible) return null;
    const [hour, minute] = at.split(":").map(Number);
    return readCron(`${minute} ${hour} * * *`, "UTC");
  }

  #poll(): void {
    this.#cancelTimer();
    if (this.#closed) return;
    const times = this.#times();
    if (times === null) return;
    const now = this.options.clock.now();
    if (this.state.settledUntil > now + LATE_MS) {
      this.dependencies.log.write("warn", "The last backup was due in the future: the clock was set back");
      this.state = { ...this.state, settledUntil: now - LATE_MS };
    }
    const due = times.last(now);
    if (due !== null && due > this.state.settledUntil && this.stored !== null && this.#underway === null) {
      if (now - due > LATE_MS) {
        this.dependencies.log.write("info", `Makes the backup that was due at ${utcMinute(due)}`);
      }
      void this.#begin(this.stored, due);
    }
    const next = times.next(now, 1)[0] ?? now + POLL_MS;
    this.#cancelTimer = this.options.clock.after(Math.max(1, Math.min(POLL_MS, next - now)), () => this.#poll());
  }

  /** @param due the time of the plan that it is for, or `null` */
  #begin(plan: BackupPlan, due: number | null): Promise<void> {
    const since = this.options.clock.now();
    const work = withoutWaitLimit(() => this.#make(plan, since, due)).finally(() => {
      this.#underway = null;
    });
    this.#underway = { since, work };
    return work;
  }

  async #make(plan: BackupPlan, at: number, due: number | null): Promise<void> {
    const { log, onAlert } = this.dependencies;
    const { folder } = plan;
    try {
      const last = await this.#copy(plan, at);
      if (last.note === null) log.write("info", "Backup made", null, null, last.file);
      else log.write("warn", "Backup made; old ones were not deleted", null, null, `${last.file}. ${last.note}`);
      this.#settle({ last, failure: null }, due);
    } catch (error) {
      // The next start makes it up.
      if (this.#closed) return;
      const fault = faultOfBackup(error);
      log.write("error", "The backup failed", null, null, `to ${folder}: ${fault.reason}. ${fault.advice}`);
      const failure = { ...fault, at, folder };
      this.#settle({ failure }, due, recordStatements([{ kind: "backup_failed", ...failure }]), onAlert);
    }
  }

  /** Takes over what came of a backup. */
  #settle(change: Partial<BackupState>, due: number | null, more: readonly Write[] = [], stored = () => {}): void {
    const settledUntil = Math.max(this.state.settledUntil, due ?? 0);
    this.state = { ...this.state, ...change, settledUntil };
    this.#store([settingStatement(this.dependencies.db, STATE_KEY, JSON.stringify(this.state)), ...more], stored);
  }

  /** Writes when that is possible: the disk of the database may be full too. */
  #store(statements: readonly Write[], stored = () => {}): void {
    const { db, log } = this.dependencies;
    this.#saving = this.#saving
      .then(() => withoutWaitLimit(() => db.write(statements)))
      .then(stored)
      .catch((error) => log.write("warn", `What came of a backup could not be stored: ${messageOf(error)}`));
  }

  /** Makes a file, and deletes the oldest ones when it is good. */
  async #copy({ folder, keep }: BackupPlan, at: number): Promise<BackupMade> {
    await requireFolder(folder);
    await deleteUnfinished(folder);
    const [free, needed] = [await (this.options.free ?? freeSpace)(folder), await this.#sizeOfCopy()];
    if (free < needed + RESERVE_BYTES) throw new BackupRefused(tooSmall(free, needed));
    const file = await freePath(folder, at);
    let bytes: number;
    try {
      bytes = await this.#copyTo(file);
    } catch (error) {
      if (this.#closed) await deleteUnfinished(folder).catch(() => {});
      throw error;
    }
    const note = await deleteOldest(folder, basename(file), keep).then(
      () => null,
      (error) => `Old backups could not be deleted: ${messageOf(error)}`,
    );
    return { file, bytes, at, note };
  }

  async #sizeOfCopy(): Promise<number> {
    const read = (name: string) => readPragma(this.dependencies.db, name);
    return ((await read("page_count")) - (await read("freelist_count"))) * (await read("page_size"));
  }

  /** Copies and checks on a thread of its own; the size of the file in bytes. */
  async #copyTo(path: string): Promise<number> {
    if (this.#closed) throw new Error("the server stops");
    const { dbUrl, writeLock, db } = this.dependencies;
    const database = { dbUrl, dbToken: undefined, dbFile: db.file, writeLock };
    const thread = new Worker(WORKER, { name: "barkeep-backup" });
    const end = Promise.withResolvers<number>();
    const closed = new Promise<void>((done) => thread.addEventListener("close", () => done(), { once: true }));
    thread.addEventListener("error", ({ message }) => end.reject(new Error(message)));
    thread.addEventListener("close", () => end.reject(new Error("the thread ended")));
    thread.addEventListener("message", ({ data }: MessageEvent<FromBackupWorker>) => {
      if (data.type === "done") end.resolve(data.bytes);
      else end.reject(new BackupRefused(data.fault));
    });
    this.#stopThread = () => {
      thread.terminate();
    };
    thread.postMessage({ database, path } satisfies ToBackupWorker);
    try {
      return await end.promise;
    } finally {
      this.#stopThread = () => {};
      await closed;
    }
  }
}

const refused = (field: string, message: string) =>
  new Refusal("invalid", `${field}: ${message}`, [{ path: field, message }]);

/** A plan as the audit shows it. */
const describe = ({ folder, at, keep }: BackupChoice) => ({ folder, at: at === null ? "off" : `${at} UTC`, keep });
