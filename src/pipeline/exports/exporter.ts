/** Exports as bodies of responses, encoded on a thread of their own at the reader's speed. */

import { Refusal } from "../../domain/errors.ts";
import { threadModule } from "../../installation.ts";
import type { Log } from "../../log.ts";
import { closeThread, IdleTimer } from "../idle-timer.ts";
import type { WorkerSettings } from "../messages.ts";
import { type ExportBody, ExportQueue, type Piece, type PieceSource } from "./export-queue.ts";
import type { FromExporter, ThreadRequest, ToExporter } from "./worker.ts";

const WORKER = threadModule("pipeline/exports");

const CLOSE = { type: "close" } satisfies ToExporter;

interface Reader {
  /** Whether it has a piece, so that a failure only ends the bytes that it gets. */
  readonly hasPiece: boolean;
  resolve(piece: Piece): void;
  reject(error: Error): void;
}

export class Exporter {
  #thread: Worker | null = null;
  #lastId = 0;
  readonly #readers = new Map<number, Reader>();
  /** Exports that the thread has begun and that have not ended. */
  readonly #open = new Set<number>();
  readonly #idle: IdleTimer;
  #ending: Promise<void> = Promise.resolve();
  /** Bars and features; pages of profiles and of the audit log are short, and do not wait for those. */
  readonly tables = new ExportQueue();
  readonly lists = new ExportQueue();

  /**
   * @param idleMs how long the thread stays when no export is left
   * @param log gets why an export failed that has given a piece: its reader sees only that it ends too early
   */
  constructor(
    private readonly settings: WorkerSettings,
    idleMs?: number,
    private readonly log?: Pick<Log, "write">,
  ) {
    this.#idle = new IdleTimer(() => this.#endIdle(), idleMs);
  }

  /** Whether the thread runs. */
  get isRunning(): boolean {
    return this.#thread !== null;
  }

  /**
   * Does work whose answer is small: a snapshot, or a comparison of two. It counts as an export.
   * @throws Refusal if too many exports wait
   */
  async run<Answer>(request: ThreadRequest, signal?: AbortSignal): Promise<Answer> {
    const text = await new Response(await this.body(request, signal)).text();
    return JSON.parse(text.trimStart());
  }

  /**
   * The table or the profiles as the body of a response: whole if it is small, otherwise a stream. Cancelling that, or
   * aborting `signal`, ends the work.
   * @throws Refusal if too many exports wait
   * @throws Error if it fails before its first piece
   */
  body(request: ThreadRequest, signal?: AbortSignal): Promise<ExportBody> {
    return this.#queueOf(request).body(() => this.#start(request), signal);
  }

  #queueOf({ content }: ThreadRequest): ExportQueue {
    return content === "profiles" ? this.lists : this.tables;
  }

  #start(request: ThreadRequest): PieceSource {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#open.add(id);
    this.#idle.stop();
    // The thread looks at it within a piece; a message would be read only after the piece.
    const stopped = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    let [hasBegun, hasEnded] = [false, false];
    const ask = (message: ToExporter) =>
      new Promise<Piece>((resolve, reject) => {
        this.#readers.set(id, { hasPiece: hasBegun, resolve, reject });
        this.#send(message);
      });
    return {
      next: async () => {
        if (hasEnded) return { bytes: null, isLast: true };
        const asked = ask(hasBegun ? { type: "more", id } : { type: "start", id, request, stopped });
        hasBegun = true;
        const piece = await asked;
        hasEnded = piece.isLast;
        return piece;
      },
      stop: () => {
        Atomics.store(stopped, 0, 1);
        this.#readers.get(id)?.resolve({ bytes: null, isLast: true });
        this.#readers.delete(id);
        if (this.#thread !== null && this.#open.has(id)) this.#send({ type: "cancel", id });
        this.#ended(id);
      },
    };
  }

  async close(): Promise<void> {
    this.#idle.stop();
    await Promise.all([this.#ending, this.#thread === null ? null : closeThread(this.#thread, CLOSE)]);
  }

  #ended(id: number): void {
    if (this.#open.delete(id) && this.#open.size === 0 && this.#thread !== null) this.#idle.start();
  }

  /** Ends the thread, which has nothing to do; the next export starts another. */
  #endIdle(): void {
    const thread = this.#thread;
    if (thread === null) return;
    this.#thread = null;
    this.#ending = closeThread(thread, CLOSE);
  }

  /** Starts the thread with the first export, or again if it has ended. */
  #send(message: ToExporter): void {
    if (this.#thread === null) {
      const thread = new Worker(WORKER, { name: "barkeep-exporter" });
      thread.addEventListener("message", ({ data }: MessageEvent<FromExporter>) => this.#onMessage(data));
      thread.addEventListener("error", (event) => this.#onExit(thread, event.message));
      thread.addEventListener("close", () => this.#onExit(thread, "its thread ended"));
      thread.postMessage({ type: "open", settings: this.settings } satisfies ToExporter);
      this.#thread = thread;
    }
    this.#thread.postMessage(message);
  }

  #onMessage(message: FromExporter): void {
    const reader = this.#readers.get(message.id);
    this.#readers.delete(message.id);
    if ("error" in message || message.isLast) this.#ended(message.id);
    if ("error" in message) {
      if (reader?.hasPiece) this.log?.write("error", "An export failed", null, null, message.error);
      const { error, isUnavailable = false } = message;
      reader?.reject(isUnavailable ? new Refusal("unavailable", error) : new Error(error));
    } else reader?.resolve({ bytes: message.piece, isLast: message.isLast });
  }

  #onExit(thread: Worker, why: string): void {
    if (this.#thread !== thread) return;
    this.#thread = null;
    for (const reader of this.#readers.values()) reader.reject(new Error(`The export was interrupted: ${why}`));
    this.#readers.clear();
    this.#open.clear();
  }
}
