/** How many exports may be at work and waiting, and exports as streams that give their place back at once. */

import { Refusal } from "../../domain/errors.ts";

/** Exports at work, and exports that wait for one of them (docs/contract.md §7). */
const AT_WORK = 2;
const WAITING = 16;
/** When a refused client should ask again, seconds. */
const RETRY_AFTER = 5;
/** A reader that takes nothing for this long loses its export, milliseconds: others wait for the place. */
const STALLED_MS = 60_000;

/** The pieces of one export. `stop` ends the work, also that on a piece under way. */
export interface PieceSource {
  /** The next piece; `null` after the last one. */
  next(): Promise<Uint8Array | null>;
  stop(): void;
}

export interface ExportQueueOptions {
  readonly atWork?: number;
  readonly waiting?: number;
  readonly stallMs?: number;
}

export class ExportQueue {
  #atWork = 0;
  readonly #waiting = new Set<() => void>();
  readonly #mostAtWork: number;
  readonly #mostWaiting: number;
  readonly #stallMs: number;

  constructor({ atWork = AT_WORK, waiting = WAITING, stallMs = STALLED_MS }: ExportQueueOptions = {}) {
    this.#mostAtWork = atWork;
    this.#mostWaiting = waiting;
    this.#stallMs = stallMs;
  }

  /** How many exports are at work, and how many wait. */
  get counts(): { readonly atWork: number; readonly waiting: number } {
    return { atWork: this.#atWork, waiting: this.#waiting.size };
  }

  /**
   * An export as a stream. It has its place from now on, and `open` is called when it may begin and is read. The place
   * is free again when the export ends, is cancelled, is not read for a minute, or `signal` (the request's) aborts.
   * @throws Refusal if too many wait
   */
  stream(open: () => PieceSource, signal?: AbortSignal): ReadableStream<Uint8Array> {
    const ready = Promise.withResolvers<void>();
    const leavePlace = this.#enter(ready.resolve);
    let source: PieceSource | null = null;
    let output: ReadableStreamDefaultController<Uint8Array> | null = null;
    let left = false;
    let stalled: ReturnType<typeof setTimeout> | undefined;
    const leave = () => {
      if (left) return;
      left = true;
      clearTimeout(stalled);
      signal?.removeEventListener("abort", leave);
      source?.stop();
      leavePlace();
      ready.resolve();
    };
    const watch = () => {
      const onStall = () => {
        leave();
        output?.error(new Error("The export was not read for too long"));
      };
      stalled = setTimeout(onStall, this.#stallMs).unref();
    };
    if (signal?.aborted) leave();
    else signal?.addEventListener("abort", leave);
    return new ReadableStream<Uint8Array>(
      {
        start(controller) {
          output = controller;
          if (!left) watch();
        },
        async pull(controller) {
          clearTimeout(stalled);
          await ready.promise;
          if (left) return controller.error(new Error("The export was cancelled"));
          try {
            source ??= open();
            const piece = await source.next();
            if (left) return;
            if (piece === null) {
              source = null;
              leave();
              controller.close();
              return;
            }
            controller.enqueue(piece);
            watch();
          } catch (error) {
            source = null;
            leave();
            throw error;
          }
        },
        cancel: leave,
      },
      { highWaterMark: 0 },
    );
  }

  /** Takes a place and calls `begin` when it is one at work; the returned function gives it back. */
  #enter(begin: () => void): () => void {
    if (this.#atWork < this.#mostAtWork) {
      this.#atWork += 1;
      begin();
      return () => this.#next();
    }
    if (this.#waiting.size >= this.#mostWaiting) {
      const detail = `${this.#atWork} exports are at work and ${this.#waiting.size} wait: try again in ${RETRY_AFTER} seconds`;
      throw new Refusal("unavailable", detail, [], RETRY_AFTER);
    }
    this.#waiting.add(begin);
    return () => {
      // One that still waited frees no place at work.
      if (!this.#waiting.delete(begin)) this.#next();
    };
  }

  #next(): void {
    const [begin] = this.#waiting;
    if (begin === undefined) {
      this.#atWork -= 1;
      return;
    }
    this.#waiting.delete(begin);
    begin();
  }
}
