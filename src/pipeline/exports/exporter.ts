/** Exports as streams, encoded on a thread of their own at the reader's speed. */

import type { WorkerSettings } from "../messages.ts";
import type { ProfilesRequest } from "./export-profiles.ts";
import type { ExportRequest } from "./export-table.ts";
import type { FromExporter, ToExporter } from "./worker.ts";

const WORKER = new URL("./worker.ts", import.meta.url);

interface Reader {
  resolve(piece: Uint8Array<ArrayBuffer> | null): void;
  reject(error: Error): void;
}

export class Exporter {
  #thread: Worker | null = null;
  #lastId = 0;
  readonly #readers = new Map<number, Reader>();

  constructor(private readonly settings: WorkerSettings) {}

  /** The table or the profiles as a stream of bytes; cancelling the stream ends the work. */
  stream(request: ExportRequest | ProfilesRequest): ReadableStream<Uint8Array> {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#send({ type: "start", id, request });
    return new ReadableStream({
      pull: async (controller) => {
        const piece = await new Promise<Uint8Array<ArrayBuffer> | null>((resolve, reject) => {
          this.#readers.set(id, { resolve, reject });
          this.#send({ type: "more", id });
        });
        if (piece === null) controller.close();
        else controller.enqueue(piece);
      },
      cancel: () => this.#send({ type: "cancel", id }),
    });
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
