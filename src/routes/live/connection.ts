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

  constructor(
    catchUp: (pending: PendingUpdate) => Uint8Array | null,
    private readonly leave: () => void,
  ) {
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: (controller) => {
          const bytes = this.pending && catchUp(this.pending);
          this.pending = null;
          if (bytes) {
            this.busySince = performance.now();
            controller.enqueue(bytes);
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

  write(bytes: Uint8Array): void {
    this.busySince = performance.now();
    this.#controller?.enqueue(bytes);
    this.#notify?.();
    this.#notify = null;
  }

  end(): void {
    try {
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
