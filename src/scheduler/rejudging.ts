/** Judges the series of an earlier version's database by the present rules, once, on a thread in the background. */

import { messageOf } from "../domain/errors.ts";
import { threadModule } from "../installation.ts";
import type { Log } from "../log.ts";
import type { WorkerSettings } from "../pipeline/messages.ts";
import type { ChangedSeries, FromRejudger, ToRejudger } from "../pipeline/validation/worker.ts";
import type { Database } from "../storage/db.ts";
import { unjudgedSeries } from "../storage/market/series.ts";
import { findProfile } from "../storage/profiles/profiles.ts";
import { reprocess } from "./runs/renew.ts";
import type { RunService } from "./runs/run-service.ts";

const WORKER = threadModule("pipeline/validation");
/** Milliseconds between two lines of progress in the log. */
const REPORT_MS = 5_000;

interface Dependencies {
  readonly db: Database;
  readonly log: Log;
  readonly runs: RunService;
  settings(): WorkerSettings;
  onAlert(): void;
}

export class Rejudging {
  #progress: { readonly done: number; readonly total: number } | null = null;
  #work: Promise<void> = Promise.resolve();
  #stop = () => {};
  #reportedAt = 0;

  constructor(private readonly dependencies: Dependencies) {}

  /** Begins with what is left, if anything is; each series that is done stays done. */
  async start(): Promise<void> {
    const total = (await unjudgedSeries(this.dependencies.db)).length;
    if (total === 0) return;
    this.#progress = { done: 0, total };
    this.dependencies.log.write("info", `Judging the stored bars of ${total} series by new rules, in the background`);
    this.#work = this.#judge(total).catch((error) =>
      this.dependencies.log.write(
        "error",
        `Stored bars could not all be judged, the next start continues: ${messageOf(error)}`,
      ),
    );
  }

  /** What is under way, in a line for the pages; `null` if nothing is. */
  get progress(): string | null {
    if (this.#progress === null) return null;
    const { done, total } = this.#progress;
    return `Stored bars are judged by new rules: ${done} of ${total} series done`;
  }

  /** Resolves when nothing is under way any more. */
  idle(): Promise<void> {
    return this.#work;
  }

  /** Stops after the page of bars under way. */
  async close(): Promise<void> {
    this.#stop();
    await this.#work;
  }

  async #judge(total: number): Promise<void> {
    const { log, settings, onAlert } = this.dependencies;
    const thread = new Worker(WORKER, { name: "barkeep-rejudging" });
    const closed = new Promise<void>((resolve) => thread.addEventListener("close", () => resolve(), { once: true }));
    const end = Promise.withResolvers<Extract<FromRejudger, { type: "done" }>>();
    let isStopped = false;
    this.#stop = () => {
      isStopped = true;
      thread.postMessage({ type: "stop" } satisfies ToRejudger);
    };
    thread.addEventListener("error", ({ message }) => end.reject(new Error(message)));
    thread.addEventListener("close", () => end.reject(new Error("the thread ended")));
    thread.addEventListener("message", ({ data }: MessageEvent<FromRejudger>) => {
      switch (data.type) {
        case "left":
          return this.#report(total - data.left, total);
        case "log":
          return log.write(data.level, data.message);
        case "alert":
          return onAlert();
        case "done":
          return end.resolve(data);
        case "failed":
          return end.reject(new Error(data.message));
      }
    });
    thread.postMessage({ type: "judge", settings: settings() } satisfies ToRejudger);
    try {
      const { changed, withdrawn, restored } = await end.promise;
      const what = `${withdrawn} bars withdrawn, ${restored} stored after all`;
      log.write("info", `Stored bars of ${total} series judged: ${what}`);
      await this.#reprocess(changed);
    } catch (error) {
      if (!isStopped) throw error;
    } finally {
      this.#progress = null;
      this.#stop = () => {};
      await closed;
    }
  }

  /** Computes the profiles of series whose bars have changed again. */
  async #reprocess(changed: readonly ChangedSeries[]): Promise<void> {
    const { db, runs } = this.dependencies;
    const profiles = await Promise.all(changed.map(({ symbol, interval }) => findProfile(db, symbol, interval)));
    await reprocess(
      db,
      runs,
      profiles.filter((profile) => profile !== undefined),
    );
  }

  #report(done: number, total: number): void {
    this.#progress = { done, total };
    const now = performance.now();
    if (now - this.#reportedAt < REPORT_MS) return;
    this.#reportedAt = now;
    this.dependencies.log.write("info", `Stored bars judged: ${done} of ${total} series`);
  }
}
