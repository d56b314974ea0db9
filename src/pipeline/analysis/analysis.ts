/** Hands tasks to the analysis thread: one at a time, those that a reader waits for before those of a screen. */

import { Refusal } from "../../domain/errors.ts";
import { threadModule } from "../../installation.ts";
import { closeThread, IdleTimer } from "../idle-timer.ts";
import type { WorkerSettings } from "../messages.ts";
import type { AnalysisTask, FromAnalysis, ResultOf, ToAnalysis } from "./worker.ts";

const WORKER = threadModule("pipeline/analysis");

const CLOSE = { type: "close" } satisfies ToAnalysis;

/** Tasks of readers that may wait. */
const MAX_WAITING = 16;
/** When a refused client should ask again, seconds. */
const RETRY_AFTER = 5;
/** The longest that a reader's task may take, waiting included, milliseconds. */
const LIMIT_MS = 30_000;

interface Waiting {
  readonly task: AnalysisTask;
  readonly stopped: Int32Array<SharedArrayBuffer>;
  readonly end: PromiseWithResolvers<ResultOf<AnalysisTask>>;
}

export class Analysis {
  #thread: Worker | null = null;
  #lastId = 0;
  #atWork: (Waiting & { readonly id: number }) | null = null;
  readonly #readers: Waiting[] = [];
  readonly #background: Waiting[] = [];
  readonly #idle: IdleTimer;
  #ending: Promise<void> = Promise.resolve();

  /** @param idleMs how long the thread stays when no task is left */
  constructor(
    private readonly settings: WorkerSettings,
    private readonly limitMs = LIMIT_MS,
    idleMs?: number,
  ) {
    this.#idle = new IdleTimer(() => this.#endIdle(), idleMs);
  }

  /** Whether the thread runs. */
  get isRunning(): boolean {
    return this.#thread !== null;
  }

  /**
   * The result of a task that a reader waits for.
   * @throws Refusal if too many wait, or it takes longer than 30 seconds
   */
  async run<Task extends AnalysisTask>(task: Task): Promise<ResultOf<Task>> {
    if (this.#readers.length >= MAX_WAITING) {
      const detail = `${this.#readers.length} computations wait: try again in ${RETRY_AFTER} seconds`;
      throw new Refusal("unavailable", detail, [], RETRY_AFTER);
    }
    const waiting = waitingOf(task);
    const limit = setTimeout(() => {
      const detail = `This takes longer than ${this.limitMs / 1_000} seconds: try again later, or choose a longer interval`;
      this.#drop(waiting, new Refusal("unavailable", detail, [], RETRY_AFTER));
    }, this.limitMs);
    this.#readers.push(waiting);
    this.#next();
    try {
      return (await waiting.end.promise) as ResultOf<Task>;
    } finally {
      clearTimeout(limit);
    }
  }

  /** The result of a task that is done when no reader waits. */
  runLater<Task extends AnalysisTask>(task: Task): Promise<ResultOf<Task>> {
    const waiting = waitingOf(task);
    this.#background.push(waiting);
    this.#next();
    return waiting.end.promise as Promise<ResultOf<Task>>;
  }

  async close(): Promise<void> {
    for (const waiting of [...this.#readers, ...this.#background]) this.#drop(waiting, new Error("the server stops"));
    if (this.#atWork !== null) this.#drop(this.#atWork, new Error("the server stops"));
    this.#idle.stop();
    await Promise.all([this.#ending, this.#thread === null ? null : closeThread(this.#thread, CLOSE)]);
  }

  /** Ends the thread, which has nothing to do; the next task starts another. */
  #endIdle(): void {
    const thread = this.#thread;
    if (thread === null) return;
    this.#thread = null;
    this.#ending = closeThread(thread, CLOSE);
  }

  #drop(waiting: Waiting, why: Error): void {
    waiting.end.reject(why);
    Atomics.store(waiting.stopped, 0, 1);
    for (const queue of [this.#readers, this.#background]) {
      const at = queue.indexOf(waiting);
      if (at >= 0) queue.splice(at, 1);
    }
  }

  #next(): void {
    if (this.#atWork !== null) return;
    const waiting = this.#readers.shift() ?? this.#background.shift();
    if (waiting === undefined) {
      if (this.#thread !== null) this.#idle.start();
      return;
    }
    this.#idle.stop();
    this.#lastId += 1;
    this.#atWork = { ...waiting, id: this.#lastId };
    const { task, stopped } = waiting;
    this.#open().postMessage({ type: "start", id: this.#lastId, task, stopped } satisfies ToAnalysis);
  }

  /** Starts the thread with the first task, or again if it has ended. */
  #open(): Worker {
    if (this.#thread !== null) return this.#thread;
    const thread = new Worker(WORKER, { name: "barkeep-analysis" });
    thread.addEventListener("message", ({ data }: MessageEvent<FromAnalysis>) => this.#onMessage(data));
    thread.addEventListener("error", (event) => this.#onExit(thread, event.message));
    thread.addEventListener("close", () => this.#onExit(thread, "its thread ended"));
    thread.postMessage({ type: "open", settings: this.settings } satisfies ToAnalysis);
    this.#thread = thread;
    return thread;
  }

  #onMessage(message: FromAnalysis): void {
    const atWork = this.#atWork;
    if (atWork?.id !== message.id) return;
    this.#atWork = null;
    if ("error" in message) atWork.end.reject(new Error(message.error));
    else atWork.end.resolve(message.result);
    this.#next();
  }

  #onExit(thread: Worker, why: string): void {
    if (this.#thread !== thread) return;
    this.#thread = null;
    this.#atWork?.end.reject(new Error(`The computation was interrupted: ${why}`));
    this.#atWork = null;
    this.#next();
  }
}

function waitingOf(task: AnalysisTask): Waiting {
  const end = Promise.withResolvers<ResultOf<AnalysisTask>>();
  // One that is dropped may have nobody who waits for it.
  end.promise.catch(() => {});
  return { task, stopped: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), end };
}
