/** The encoding thread, as the export thread that starts it sees it: it takes parts of long tables. */

import { availableParallelism } from "node:os";
import { threadModule } from "../../../installation.ts";
import { closeThread } from "../../idle-timer.ts";
import { type Encoded, type PackedPart, type Part, type PartFormat, pack } from "./part.ts";

export type ToEncoder =
  | { readonly type: "open"; readonly shared: Int32Array<SharedArrayBuffer> }
  | {
      readonly type: "begin";
      readonly table: number;
      readonly format: PartFormat;
      /** Becomes 1 when the reader has left. */
      readonly stopped: Int32Array<SharedArrayBuffer>;
    }
  | { readonly type: "encode"; readonly table: number; readonly part: PackedPart }
  | { readonly type: "end"; readonly table: number }
  | { readonly type: "close" };

/** What parts have become, in the order in which they were sent, or why one could not be encoded. */
export type FromEncoder = EncodedPart | { readonly error: string };

export interface EncodedPart {
  readonly encoded: readonly Encoded[];
  /** That of the part, where pages lie now; it can be used again when they have been read. */
  readonly buffer: ArrayBuffer;
}

/** Places in what both threads share: whether the encoding thread takes parts, and how many it has. */
export const [IS_READY, PARTS] = [0, 1];

/**
 * Parts that the thread may have: more work than the export thread does until it has the next ones. Rows come block by
 * block, pages all at once when there are rows enough; text takes several times the memory of its values.
 */
const MOST_PARTS = { text: 8, pages: 16 } as const;
/** Values of a table before its parts are sent: a short one gains nothing, and would wait for the start of the thread. */
const MOST_ALONE = 2 ** 18;

/** The parts of one table. */
export interface TableEncoding {
  /** The most parts that the thread has at a time. */
  readonly mostParts: number;
  /** What a part becomes on the encoding thread; `null` if it is to be encoded here, as that has enough to do. */
  send(part: Part): Promise<EncodedPart> | null;
  /** The buffer of a part is not needed any more. */
  release(buffer: ArrayBuffer): void;
  /** No more parts are sent, and no answers are awaited. The buffers are given up: the thread may be idle from now on. */
  end(): void;
}

/** Opens the encoding of a table on the encoding thread; `null` if there is none. */
export type OpenEncoding = (format: PartFormat) => TableEncoding | null;

interface Pending {
  resolve(part: EncodedPart): void;
  reject(error: Error): void;
}

interface Running {
  readonly thread: Worker;
  readonly shared: Int32Array<SharedArrayBuffer>;
  readonly pending: Pending[];
  /** Buffers to be used again. */
  readonly used: ArrayBuffer[];
}

export interface EncodingThreadOptions {
  readonly processors?: number;
  /** Values of a table before its parts are sent. */
  readonly mostAlone?: number;
  readonly module?: URL | string;
}

export class EncodingThread {
  #running: Running | null = null;
  #lastTable = 0;
  readonly #processors: number;
  readonly #mostAlone: number;
  readonly #module: URL | string;

  constructor({
    processors = availableParallelism(),
    mostAlone = MOST_ALONE,
    module = threadModule("pipeline/exports/encoding"),
  }: EncodingThreadOptions = {}) {
    this.#processors = processors;
    this.#mostAlone = mostAlone;
    this.#module = module;
  }

  /** Whether the thread runs. */
  get isRunning(): boolean {
    return this.#running !== null;
  }

  /**
   * A table whose parts may be sent; the thread starts when it is found to be long. `null` if there is one processor.
   * @param stopped becomes 1 when the reader has left
   */
  open(format: PartFormat, stopped: Int32Array<SharedArrayBuffer>): TableEncoding | null {
    if (this.#processors < 2) return null;
    this.#lastTable += 1;
    const table = this.#lastTable;
    let values = 0;
    // A thread that replaces a crashed one does not know the format, so it is sent again.
    let begunOn: Running | null = null;
    const mostParts = MOST_PARTS[format.kind];
    return {
      mostParts,
      send: (part) => {
        values += part.columns.length * (part.columns[0]?.length ?? 0);
        if (values <= this.#mostAlone) return null;
        const running = this.#start();
        const { thread, shared, pending, used } = running;
        if (Atomics.load(shared, IS_READY) === 0 || Atomics.load(shared, PARTS) >= mostParts) return null;
        if (begunOn !== running) {
          begunOn = running;
          thread.postMessage({ type: "begin", table, format, stopped } satisfies ToEncoder);
        }
        const packed = pack(part, used.pop());
        const transfer = [packed.buffer, ...(packed.symbols === null ? [] : [packed.symbols.buffer])];
        Atomics.add(shared, PARTS, 1);
        thread.postMessage({ type: "encode", table, part: packed } satisfies ToEncoder, transfer);
        return new Promise((resolve, reject) => pending.push({ resolve, reject }));
      },
      release: (buffer) => begunOn?.used.push(buffer),
      end: () => {
        if (begunOn === null || begunOn !== this.#running) return;
        begunOn.thread.postMessage({ type: "end", table } satisfies ToEncoder);
        begunOn.used.length = 0;
      },
    };
  }

  async close(): Promise<void> {
    if (this.#running !== null) await closeThread(this.#running.thread, { type: "close" } satisfies ToEncoder);
  }

  #start(): Running {
    if (this.#running !== null) return this.#running;
    const thread = new Worker(this.#module, { name: "barkeep-encoder" });
    const shared = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
    const running: Running = { thread, shared, pending: [], used: [] };
    thread.addEventListener("message", ({ data }: MessageEvent<FromEncoder>) => {
      const pending = running.pending.shift()!;
      if ("error" in data) return pending.reject(new Error(data.error));
      pending.resolve(data);
    });
    thread.addEventListener("error", (event) => this.#onExit(running, event.message));
    thread.addEventListener("close", () => this.#onExit(running, "its thread ended"));
    thread.postMessage({ type: "open", shared } satisfies ToEncoder);
    this.#running = running;
    return running;
  }

  #onExit(running: Running, why: string): void {
    if (this.#running !== running) return;
    this.#running = null;
    for (const { reject } of running.pending.splice(0)) reject(new Error(`The export was interrupted: ${why}`));
  }
}
