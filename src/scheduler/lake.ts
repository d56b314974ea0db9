/** Keeps the lake in step with the store: after jobs, and at times for whatever else has changed bars. */

import { messageOf } from "../domain/errors.ts";
import type { Log } from "../log.ts";
import { GRACE_MS } from "../pipeline/lake/manifest.ts";
import type { FromLakeWriter, ToLakeWriter } from "../pipeline/lake/worker.ts";
import type { WorkerSettings } from "../pipeline/messages.ts";
import type { Database } from "../storage/db.ts";
import { countChanges } from "../storage/market/lake-changes.ts";

const WORKER = new URL("../pipeline/lake/worker.ts", import.meta.url);
/** Milliseconds until changes that no job has reported are looked for, and a failed attempt is made again. */
const POLL_MS = 60_000;
/** Milliseconds between the end of a job and the writing: jobs that end together are written together. */
const GATHER_MS = 500;

interface Dependencies {
  readonly db: Database;
  readonly log: Log;
  /** `undefined`: there is no lake. */
  readonly folder: string | undefined;
  settings(): WorkerSettings;
}

export class Lake {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #work: Promise<void> = Promise.resolve();
  #isDue = false;
  #isAtWork = false;
  #closed = false;
  #isFirst = true;
  /** When files were last written anew, by a steady clock: those that they replace are deleted after the grace. */
  #replacedAt: number | null = null;
  #stop = () => {};
  #failure: { readonly at: number; readonly reason: string } | null = null;

  constructor(private readonly dependencies: Dependencies) {}

  get folder(): string | undefined {
    return this.dependencies.folder;
  }

  /** Why the last attempt failed, and when (epoch milliseconds); `null` if it did not. */
  get failure(): { readonly at: number; readonly reason: string } | null {
    return this.#failure;
  }

  /** How many years of bars are not in the lake in their present state. */
  pending(): Promise<number> {
    return countChanges(this.dependencies.db);
  }

  /** Writes what has changed while no server ran, and looks for changes until it is closed. */
  start(): void {
    if (this.folder !== undefined) this.notify();
  }

  /** Bars may have changed. */
  notify(): void {
    if (this.folder === undefined || this.#closed) return;
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
    this.#isAtWork = true;
    this.#work = this.#poll().finally(() => {
      this.#isAtWork = false;
      if (!this.#closed) this.#after(this.#isDue ? GATHER_MS : POLL_MS);
    });
  }

  async #poll(): Promise<void> {
    this.#isDue = false;
    const { log } = this.dependencies;
    try {
      const isOver = this.#replacedAt !== null && performance.now() - this.#replacedAt > GRACE_MS;
      if (!this.#isFirst && !isOver && (await this.pending()) === 0) return;
      const { written, removed } = await this.#sync();
      this.#isFirst = false;
      this.#replacedAt = written > 0 ? performance.now() : null;
      if (written + removed > 0)
        log.write("info", `Lake: ${written} years of bars written, ${removed} old files deleted`);
      if (this.#failure !== null) log.write("info", "The lake is in step again");
      this.#failure = null;
    } catch (error) {
      if (this.#closed) return;
      const reason = messageOf(error);
      if (this.#failure?.reason !== reason) {
        log.write("error", `The lake could not be written, which is tried again every minute: ${reason}`);
      }
      this.#failure = { at: Date.now(), reason };
    }
  }

  async #sync(): Promise<Extract<FromLakeWriter, { type: "done" }>> {
    const { settings, folder = "" } = this.dependencies;
    const thread = new Worker(WORKER, { name: "barkeep-lake" });
    const closed = new Promise<void>((resolve) => thread.addEventListener("close", () => resolve(), { once: true }));
    const end = Promise.withResolvers<Extract<FromLakeWriter, { type: "done" }>>();
    const send = (message: ToLakeWriter) => thread.postMessage(message);
    this.#stop = () => send({ type: "stop" });
    thread.addEventListener("error", ({ message }) => end.reject(new Error(message)));
    thread.addEventListener("close", () => end.reject(new Error("the thread ended")));
    thread.addEventListener("message", ({ data }: MessageEvent<FromLakeWriter>) => {
      if (data.type === "done") end.resolve(data);
      else end.reject(new Error(data.message));
    });
    send({ type: "sync", settings: settings(), folder, sweep: this.#isFirst });
    try {
      return await end.promise;
    } finally {
      this.#stop = () => {};
      await closed;
    }
  }
}
