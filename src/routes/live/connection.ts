import { GzipStream, type Message } from "./message.ts";
import type { PendingUpdate } from "./pending-update.ts";

/** One SSE connection. The stream calls `pull` only after the last write has left: that is the back-pressure. */
export class SseConnection {
  readonly stream: ReadableStream<Uint8Array>;
  /** Updates that came while a write was in flight. */
  pending: PendingUpdate | null = null;
  /** When the write in flight began, milliseconds of `performance.now()`. */
  busySince = performance.now();
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #notify: (() => void) | null = null;
  readonly #gzip: GzipStream | null;

  /** @param gzipped whether the reader accepts compressed messages */
  constructor(
    catchUp: (pending: PendingUpdate) => Message | null,
    private readonly leave: () => void,
    gzipped: boolean,
  ) {
    this.#gzip = gzipped ? new GzipStream() : null;
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: (controller) => {
          const message = this.pending && catchUp(this.pending);
          this.pending = null;
          if (message) {
            this.busySince = performance.now();
            controller.enqueue(this.#bytesOf(message));
            return;
          }
          return new Promise<void>((resolve) => {
            this.#notify = resolve;
          });
        },
        cancel: () => this.#disconnected(),
      },
      { highWaterMark: 0 },
    );
  }

  /** Whether the connection accepts a write now. */
  get ready(): boolean {
    return this.#notify !== null;
  }

  #bytesOf(message: Message): Uint8Array {
    return this.#gzip?.add(message) ?? message.plain;
  }

  write(message: Message): void {
    this.busySince = performance.now();
    this.#controller?.enqueue(this.#bytesOf(message));
    this.#notify?.();
    this.#notify = null;
  }

  end(): void {
    try {
      const rest = this.#gzip?.end();
      if (rest?.byteLength) this.#controller?.enqueue(rest);
      this.#controller?.close();
    } catch {
      // The connection is closed already.
    }
    this.#notify?.();
    this.#disconnected();
  }

  #disconnected(): void {
    this.#controller = null;
    this.#notify = null;
    this.pending = null;
    this.leave();
  }
}
