/** Exports as streams, encoded on a thread of their own at the reader's speed. */

import type { WorkerSettings } from "../messages.ts";
import { ExportQueue, type PieceSource } from "./export-queue.ts";
import type { FromExporter, ThreadRequest, ToExporter } from "./worker.ts";

const WORKER = new URL("./worker.ts", import.meta.url);

interface Reader {
  resolve(piece: Uint8Array<ArrayBuffer> | null): void;
  reject(error: Error): void;
}

export class Exporter {
  #thread: Worker | null = null;
  #lastId = 0;
  readonly #readers = new Map<number, Reader>();
  /** Bars and features; pages of profiles and of the audit log are short, and do not wait for those. */
  readonly tables = new ExportQueue();
  readonly lists = new ExportQueue();

  constructor(private readonly settings: WorkerSettings) {}

  /**
   * Does work whose answer is small: a snapshot, or a comparison of two. It counts as an export.
   * @throws Refusal if too many exports wait
   */
  async run<Answer>(request: ThreadRequest, signal?: AbortSignal): Promise<Answer> {
    const text = await new Response(this.stream(request, signal)).text();
    return JSON.parse(text.trimStart());
  }

  /**
   * The table or the profiles as a stream of bytes. Cancelling it, or aborting `signal`, ends the work.
   * @throws Refusal if too many exports wait
   */
  stream(request: ThreadRequest, signal?: AbortSignal): ReadableStream<Uint8Array> {
    const queue = request.content === "profiles" ? this.lists : this.tables;
    return queue.stream(() => this.#start(request), signal);
  }

  #start(request: ThreadRequest): PieceSource {
    this.#lastId += 1;
    const id = this.#lastId;
    // The thread looks at it within a piece; a message would be read only after the piece.
    const stopped = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    this.#send({ type: "start", id, request, stopped });
    return {
      next: () =>
        new Promise<Uint8Array<ArrayBuffer> | null>((resolve, reject) => {
          this.#readers.set(id, { resolve, reject });
          this.#send({ type: "more", id });
        }),
      stop: () => {
        Atomics.store(stopped, 0, 1);
        this.#readers.get(id)?.resolve(null);
        this.#readers.delete(id);
        if (this.#thread !== null) this.#send({ type: "cancel", id });
      },
    };
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    if (thread === null) return;
    const closed = new Promise<void>((resolve) => thread.addEventListener("close", () => resolve(), { once: true }));
    this.#send({ type: "close" });
    await closed;
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
    if ("error" in message) reader?.reject(new Error(message.error));
    else reader?.resolve(message.piece);
  }

  #onExit(thread: Worker, why: string): void {
    if (this.#thread !== thread) return;
    this.#thread = null;
    for (const reader of this.#readers.values()) reader.reject(new Error(`The export was interrupted: ${why}`));
    this.#readers.clear();
  }
}
