/** How many exports may be at work and waiting, and exports as bodies that give their place back at once. */

import { Refusal } from "../../domain/errors.ts";

/** Exports at work, and exports that wait for one of them (docs/contract.md §7). */
const AT_WORK = 2;
const WAITING = 16;
/** When a refused client should ask again, seconds. */
const RETRY_AFTER = 5;
/** A reader that takes nothing for this long loses its export, milliseconds: others wait for the place. */
const STALLED_MS = 60_000;

/** Its client has left and reads no error, or its login has ended. */
const cancelled = () => new Refusal("unavailable", "The export was cancelled");

/** A part of an export's bytes (`null` if none is left), and whether it is the last one. */
export interface Piece {
  readonly bytes: Uint8Array<ArrayBuffer> | null;
  readonly isLast: boolean;
}

/** An export whole, or what it gives piece by piece. */
export type ExportBody = Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

/** The pieces of one export. `stop` ends the work, also that on a piece under way. */
export interface PieceSource {
  next(): Promise<Piece>;
  stop(): void;
}

/** An export that has its place in the queue. */
interface Admitted {
  /**
   * The next piece, when the export may work.
   * @throws Error if it fails, was cancelled or has lost its place
   */
  next(): Promise<Piece>;
  /** Leaves, and calls `onStall`, if no further piece is asked for within a minute. */
  watch(onStall: () => void): void;
  /** Stops the work if it has not ended, and gives the place back. */
  leave(): void;
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
   * An export as the body of a response, when its first piece is there: a failure before that can still be answered with
   * a status. One piece is given as it is, because a stream costs as much as the rest of a small answer. The export has its
   * place from now on, until it ends, is cancelled, is not read for a minute, or `signal` (of the request and its login) aborts.
   * @throws Refusal if too many wait, or `signal` aborts before it has a piece
   * @throws Error if it fails before that
   */
  async body(open: () => PieceSource, signal?: AbortSignal): Promise<ExportBody> {
    const admitted = this.#admit(open, signal);
    const first = await admitted.next();
    return first.isLast ? (first.bytes ?? new Uint8Array()) : this.#streamOf(admitted, first.bytes);
  }

  #admit(open: () => PieceSource, signal?: AbortSignal): Admitted {
    const ready = Promise.withResolvers<void>();
    const leavePlace = this.#enter(ready.resolve);
    let source: PieceSource | null = null;
    let hasLeft = false;
    let stalled: ReturnType<typeof setTimeout> | undefined;
    const leave = () => {
      if (hasLeft) return;
      hasLeft = true;
      clearTimeout(stalled);
      signal?.removeEventListener("abort", leave);
      source?.stop();
      leavePlace();
      ready.resolve();
    };
    if (signal?.aborted) leave();
    else signal?.addEventListener("abort", leave);
    const watch = (onStall: () => void) => {
      const stall = () => {
        leave();
        onStall();
      };
      if (!hasLeft) stalled = setTimeout(stall, this.#stallMs).unref();
    };
    const next = async () => {
      clearTimeout(stalled);
      await ready.promise;
      if (hasLeft) throw cancelled();
      try {
        source ??= open();
        const piece = await source.next();
        if (hasLeft) throw cancelled();
        if (piece.isLast) {
          source = null;
          leave();
        }
        return piece;
      } catch (error) {
        source = null;
        leave();
        throw error;
      }
    };
    return { next, watch, leave };
  }

  /** What an export has still to give, after `first`. */
  #streamOf({ next, watch, leave }: Admitted, first: Uint8Array | null): ReadableStream<Uint8Array> {
    const watchFor = (controller: ReadableStreamDefaultController<Uint8Array>) =>
      watch(() => controller.error(new Error("The export was not read for too long")));
    return new ReadableStream<Uint8Array>(
      {
        start(controller) {
          if (first !== null) controller.enqueue(first);
          watchFor(controller);
        },
        async pull(controller) {
          const { bytes, isLast } = await next();
          if (bytes !== null) controller.enqueue(bytes);
          if (isLast) controller.close();
          else watchFor(controller);
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
