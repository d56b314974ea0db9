/** Keeps the lake in step with the store: after jobs, and at times for whatever else has changed bars. */

import { type LakePlace, lakeName } from "../config/places.ts";
import { messageOf, Refusal } from "../domain/errors.ts";
import { threadModule } from "../installation.ts";
import type { Log } from "../log.ts";
import type { CheckResult } from "../pipeline/lake/check-lake.ts";
import type { FeatureWish } from "../pipeline/lake/features.ts";
import { GRACE_MS } from "../pipeline/lake/manifest.ts";
import { openLake } from "../pipeline/lake/open-lake.ts";
import type { LakeStorage } from "../pipeline/lake/storage.ts";
import type { SyncResult } from "../pipeline/lake/sync-lake.ts";
import type { FromLakeWriter, LakeTask, ToLakeWriter } from "../pipeline/lake/worker.ts";
import type { WorkerSettings } from "../pipeline/messages.ts";
import type { Database } from "../storage/db.ts";
import { countChanges } from "../storage/market/lake-changes.ts";
import { readSettings, saveSetting } from "../storage/settings.ts";

const WORKER = threadModule("pipeline/lake");
/** Milliseconds until changes that no job has reported are looked for, and a failed attempt is made again. */
const POLL_MS = 60_000;
/** Milliseconds between the end of a job and the writing: jobs that end together are written together. */
const GATHER_MS = 500;

interface Dependencies {
  readonly db: Database;
  readonly log: Log;
  /** `undefined`: there is no lake. */
  readonly place: LakePlace | undefined;
  readonly features: FeatureWish;
  settings(): WorkerSettings;
}

/** The setting that keeps the failure, for the doctor and for the next start. */
const FAILURE_KEY = "lake_failure";

/** Why the lake could not be written, and since when attempts fail so (epoch milliseconds). */
export interface LakeFailure {
  readonly at: number;
  readonly reason: string;
}

/** The failure that a server has stored; `null` if its last attempt was good. */
export async function storedFailure(db: Database): Promise<LakeFailure | null> {
  const [row] = await readSettings(db, FAILURE_KEY);
  return row === undefined ? null : (JSON.parse(row.value) as LakeFailure);
}

type OnStep = (done: number, total: number) => void;
type Result = Extract<FromLakeWriter, { type: "synced" | "checked" }>;

/** The answer to a request without which there is no lake. */
export const noLake = () => new Refusal("not_found", "There is no lake: BARKEEP_LAKE is not set");

export class Lake {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #work: Promise<void> = Promise.resolve();
  #isDue = false;
  #isAtWork = false;
  #closed = false;
  #isAsked = false;
  /** Whether files may lie there that no manifest names: at the start, and after a failure. */
  #mayHaveOrphans = true;
  /** When files were last rewritten, by a steady clock: those that they replace are deleted after the grace. */
  #replacedAt: number | null = null;
  #stop = () => {};
  #failure: LakeFailure | null = null;
  #bytes: number | null = null;

  readonly #storage: LakeStorage | undefined;

  constructor(private readonly dependencies: Dependencies) {
    const { place } = dependencies;
    // A person waits for these answers.
    this.#storage = place && openLake(place, { waits: [250], deadline: 15_000 });
  }

  /** Its place as it may be shown; `undefined` if there is no lake. */
  get name(): string | undefined {
    return this.dependencies.place && lakeName(this.dependencies.place);
  }

  /** Its files, for readers. @throws Refusal without a lake */
  get storage(): LakeStorage {
    if (this.#storage === undefined) throw noLake();
    return this.#storage;
  }

  /** `null` if the last attempt did not fail. */
  get failure(): LakeFailure | null {
    return this.#failure;
  }

  /** The size of its files after the last attempt that did not fail; `null` before the first since the start. */
  get bytes(): number | null {
    return this.#bytes;
  }

  /** How many years of bars are not in the lake in their present state. */
  pending(): Promise<number> {
    return countChanges(this.dependencies.db);
  }

  /** How many series have features that are to be written. */
  async pendingFeatures(): Promise<number> {
    // Loaded when it is needed: it brings the writers of the lake, which belong to its thread.
    const { waitingFeatures } = await import("../pipeline/lake/sync-lake.ts");
    return waitingFeatures(this.dependencies.db);
  }

  /** Writes what has changed while no server ran, and looks for changes until it is closed. */
  async start(): Promise<void> {
    if (this.#storage === undefined) return;
    this.#failure = await storedFailure(this.dependencies.db);
    this.notify();
  }

  /** Bars may have changed. */
  notify(): void {
    if (this.#storage === undefined || this.#closed) return;
    this.#isDue = true;
    if (!this.#isAtWork) this.#after(GATHER_MS);
  }

  /** Resolves when nothing is being written and nothing is due. */
  async idle(): Promise<void> {
    while (this.#isDue || this.#isAtWork) {
      clearTimeout(this.#timer);
      if (!this.#isAtWork) this.#begin();
      await this.#work;
    }
  }

  /**
   * Rebuilds all of the lake, after what is being written now.
   * @throws Refusal without a lake, and while it is rebuilt or checked already
   */
  rebuild(onStep: OnStep): Promise<SyncResult> {
    return this.#asked(() => this.#write(true, onStep));
  }

  /**
   * Compares the lake with its manifest and with the store; nothing is written meanwhile.
   * @param signal ends it
   * @throws Refusal without a lake, and while it is rebuilt or checked already
   */
  check(onStep: OnStep, signal: AbortSignal): Promise<CheckResult> {
    return this.#asked(async () => {
      const end = await this.#run({ type: "check" }, onStep, signal);
      if (end.type !== "checked") throw new Error("the thread did something else");
      return end.result;
    });
  }

  /** What was asked for, alone. */
  async #asked<T>(work: () => Promise<T>): Promise<T> {
    if (this.#storage === undefined) throw noLake();
    if (this.#isAsked) throw new Refusal("conflict", "The lake is being rebuilt or checked already");
    this.#isAsked = true;
    try {
      while (this.#isAtWork) await this.#work;
      if (this.#closed) throw new Refusal("unavailable", "The server stops");
      const done = Promise.withResolvers<T>();
      done.promise.catch(() => {});
      this.#occupy(() => work().then(done.resolve, done.reject));
      return await done.promise;
    } finally {
      this.#isAsked = false;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#stop();
    await this.#work;
  }

  #after(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#begin(), ms);
  }

  #begin(): void {
    if (this.#closed || this.#isAtWork) return;
    this.#occupy(() => this.#poll());
  }

  #occupy(work: () => Promise<void>): void {
    clearTimeout(this.#timer);
    this.#isAtWork = true;
    this.#work = work().finally(() => {
      this.#isAtWork = false;
      if (!this.#closed) this.#after(this.#isDue ? GATHER_MS : POLL_MS);
    });
  }

  async #poll(): Promise<void> {
    this.#isDue = false;
    try {
      const isOver = this.#replacedAt !== null && performance.now() - this.#replacedAt > GRACE_MS;
      if (!this.#mayHaveOrphans && !isOver && (await this.pending()) === 0) return;
      await this.#write(false, () => {});
    } catch {
      // Kept as `failure`, and in the log.
    }
  }

  async #write(all: boolean, onStep: OnStep): Promise<SyncResult> {
    const { log } = this.dependencies;
    try {
      const end = await this.#run({ type: "sync", all, sweep: all || this.#mayHaveOrphans }, onStep);
      if (end.type !== "synced") throw new Error("the thread did something else");
      const { written, removed, bytes } = end.result;
      this.#bytes = bytes;
      this.#mayHaveOrphans = false;
      this.#replacedAt = written > 0 ? performance.now() : null;
      if (written + removed > 0)
        log.write("info", `Lake: ${written} years of bars and features written, ${removed} old files deleted`);
      if (this.#failure !== null) {
        log.write("info", "The lake is in step again");
        await saveSetting(this.dependencies.db, FAILURE_KEY, null);
        this.#failure = null;
      }
      return end.result;
    } catch (error) {
      if (this.#closed) throw error;
      this.#mayHaveOrphans = true;
      const reason = messageOf(error);
      if (this.#failure?.reason !== reason) {
        log.write("error", "The lake could not be written, which is tried again every minute", null, null, reason);
        this.#failure = { at: Date.now(), reason };
        // The database may be what fails.
        await saveSetting(this.dependencies.db, FAILURE_KEY, JSON.stringify(this.#failure)).catch(() => {});
      }
      throw error;
    }
  }

  async #run(task: LakeTask, onStep: OnStep, signal?: AbortSignal): Promise<Result> {
    const { settings, place, features } = this.dependencies;
    if (place === undefined) throw noLake();
    const thread = new Worker(WORKER, { name: "barkeep-lake" });
    const closed = new Promise<void>((resolve) => thread.addEventListener("close", () => resolve(), { once: true }));
    const end = Promise.withResolvers<Result>();
    const send = (message: ToLakeWriter) => thread.postMessage(message);
    this.#stop = () => send({ type: "stop" });
    signal?.addEventListener("abort", this.#stop);
    thread.addEventListener("error", ({ message }) => end.reject(new Error(message)));
    thread.addEventListener("close", () => end.reject(new Error("the thread ended")));
    thread.addEventListener("message", ({ data }: MessageEvent<FromLakeWriter>) => {
      if (data.type === "step") onStep(data.done, data.total);
      else if (data.type === "failed") end.reject(new Error(data.message));
      else end.resolve(data);
    });
    send({ ...task, settings: settings(), place, features });
    if (signal?.aborted) this.#stop();
    try {
      return await end.promise;
    } finally {
      signal?.removeEventListener("abort", this.#stop);
      this.#stop = () => {};
      await closed;
    }
  }
}
