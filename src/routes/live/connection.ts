import type { PendingUpdate } from "./pending-update.ts";

/** One browser's connection. `pull` is asked for only when the last write has left, which is how it pushes back. */
export class SseConnection {
  readonly stream: ReadableStream<Uint8Array>;
  /** What came while a write was under way. */
  pending: PendingUpdate | null = null;
  /** Epoch milliseconds of the write that is under way. */
  busySince = Date.now();
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
            this.busySince = Date.now();
            controller.enqueue(bytes);
            return;
          }
          return new Promise<void>((resolve) => {
            this.#notify = resolve;
          });
        },
        cancel: () => this.#gone(),
      },
      { highWaterMark: 0 },
    );
  }

  /** Whether the connection takes a write now. */
  get ready(): boolean {
    return this.#notify !== null;
  }

  write(bytes: Uint8Array): void {
    this.busySince = Date.now();
    this.#controller?.enqueue(bytes);
    this.#notify?.();
    this.#notify = null;
  }

  end(): void {
    try {
      this.#controller?.close();
    } catch {
      // The connection is gone already.
    }
    this.#notify?.();
    this.#gone();
  }

  #gone(): void {
    this.#controller = null;
    this.#notify = null;
    this.pending = null;
    this.leave();
  }
}
