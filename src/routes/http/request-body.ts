/** Reads the bodies of requests: bounded in size, in time and, of all that are not complete yet, in memory. */

import type { Context, MiddlewareHandler } from "hono";
import { isOfWorker } from "../../domain/access.ts";
import type { Problem } from "../problem.ts";

/** Largest body accepted, bytes: 5,000 symbols of full length fit easily. */
const MAX_BODY = 1024 * 1024;
/** How long a body may take from its first byte to its last, milliseconds. */
const BODY_MS = 30_000;

/** Largest list of companies, file of bars or batch of a worker accepted, bytes: every listed symbol with its name, or 300,000 bars. */
const MAX_IMPORT = 16 * 1024 * 1024;
const IMPORT_MS = 120_000;
/** Lists of companies, and the content types that they come in. */
export const IMPORTED: readonly string[] = ["text/csv", "text/plain", "multipart/form-data"];
export const IMPORTS = /^(?:\/api)?\/companies\/import$/;

/** The login form has two short fields, and anybody may send it. */
const MAX_LOGIN = 16 * 1024;

/** Memory of all incomplete bodies together, beyond the first `FREE_BYTES` of each: small forms are always read. */
const MAX_INCOMPLETE = 18 * 1024 * 1024;
const FREE_BYTES = 16 * 1024;
/** What a part of a body takes besides its bytes. */
const PART_BYTES = 256;
/** A body whose announced length is at most this is received as a whole, without the parts of a stream, bytes. */
const MAX_WHOLE = 256 * 1024;
/** When a sender that found no memory should try again, seconds. */
const RETRY_AFTER = 10;

interface BodyLimits {
  /** Bytes. */
  readonly size: number;
  /** Milliseconds. */
  readonly time: number;
}

function limitsOf(path: string): BodyLimits {
  if (IMPORTS.test(path) || path === "/files" || isOfWorker(path)) return { size: MAX_IMPORT, time: IMPORT_MS };
  return { size: path === "/login" ? MAX_LOGIN : MAX_BODY, time: BODY_MS };
}

/** A body that was not read: the sender went away, or what to answer. */
class BodyFault extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

/** Bodies are read as they come: a compressed one would be taken for something that cannot be read. */
function refuseCoding(c: Context): void {
  const coding = c.req.header("Content-Encoding")?.trim() ?? "";
  if (/^(?:identity)?$/i.test(coding)) return;
  // What is taken instead (RFC 9110 §12.5.3).
  c.header("Accept-Encoding", "identity");
  throw new BodyFault({
    status: 415,
    detail: `Send the body as it is, not with Content-Encoding: ${coding.slice(0, 60)}`,
  });
}

const tooLarge = ({ size }: BodyLimits) =>
  new BodyFault({ status: 413, detail: `The body is larger than ${size} bytes` });

/** The sender closed the connection, or broke the encoding in chunks. */
const brokenOff = () => new BodyFault({ status: 400, detail: "The body ended before it was complete" });

/** Rejects when the time for a body is over. */
function lateAfter({ time }: BodyLimits) {
  const { promise, reject } = Promise.withResolvers<never>();
  const detail = `The body was not complete after ${time / 1_000} seconds`;
  const timer = setTimeout(() => reject(new BodyFault({ status: 408, detail })), time);
  promise.catch(() => {});
  return { promise, end: () => clearTimeout(timer) };
}

export class RequestBodies {
  #incomplete = 0;
  constructor(private readonly maxIncomplete = MAX_INCOMPLETE) {}

  /** Bytes that incomplete bodies hold now, beyond what is free for each. */
  get incomplete(): number {
    return this.#incomplete;
  }

  /**
   * Reads the whole body before the handlers run, and refuses one that is too large, too slow, incomplete, or a form
   * that cannot be parsed. `limits` are those of the path unless given.
   */
  reader(
    refuse: (c: Context, problem: Problem) => Response | Promise<Response>,
    limits?: BodyLimits,
  ): MiddlewareHandler {
    return async (c, next) => {
      try {
        const bytes = await this.#bytesOf(c, limits ?? limitsOf(c.req.path));
        if (bytes === null) return next();
        // Hono keeps promises there, although its type says values; every reader of the body begins with it.
        c.req.bodyCache.arrayBuffer = Promise.resolve(bytes) as unknown as ArrayBuffer;
        await parseForm(c);
      } catch (error) {
        if (!(error instanceof BodyFault)) throw error;
        // What is left of the body would be read as the next request.
        c.header("Connection", "close");
        return refuse(c, error.problem);
      }
      return next();
    };
  }

  /** `null` if there is no body. */
  async #bytesOf(c: Context, limits: BodyLimits): Promise<ArrayBuffer | null> {
    const length = c.req.header("Content-Length");
    if (length !== undefined && Number(length) > limits.size) throw tooLarge(limits);
    // Its stream is not touched: reading a stream takes several times as long.
    const isWhole =
      isOfWorker(c.req.path) && Number(length) <= MAX_WHOLE && c.req.header("Transfer-Encoding") === undefined;
    const body = isWhole ? undefined : c.req.raw.body;
    if (body === null) return null;
    refuseCoding(c);
    return body === undefined ? this.#readWhole(c.req.raw, limits, Number(length)) : this.#read(body, limits);
  }

  /** The memory for all of it is reserved at once, though it has yet to arrive. */
  async #readWhole(request: Request, limits: BodyLimits, length: number): Promise<ArrayBuffer> {
    const counted = this.#reserve(Math.max(0, 2 * (length + PART_BYTES) - FREE_BYTES));
    const late = lateAfter(limits);
    try {
      const bytes = await Promise.race([request.arrayBuffer(), late.promise]);
      if (bytes.byteLength > limits.size) throw tooLarge(limits);
      return bytes;
    } catch (error) {
      throw error instanceof BodyFault ? error : brokenOff();
    } finally {
      late.end();
      this.#incomplete -= counted;
    }
  }

  async #read(body: ReadableStream<Uint8Array>, limits: BodyLimits): Promise<ArrayBuffer> {
    const reader = body.getReader();
    const late = lateAfter(limits);
    const parts: Uint8Array[] = [];
    let size = 0;
    let held = 0;
    let counted = 0;
    try {
      for (;;) {
        const { done, value } = await Promise.race([reader.read(), late.promise]);
        if (done) return joined(parts, size);
        size += value.length;
        if (size > limits.size) throw tooLarge(limits);
        held += value.length + PART_BYTES;
        // Besides, the runtime has buffers of its own for each connection, about as large as a short body.
        const memory = held + Math.min(held, MAX_BODY);
        counted += this.#reserve(Math.max(0, memory - FREE_BYTES) - counted);
        parts.push(value);
      }
    } catch (error) {
      reader.cancel().catch(() => {});
      throw error instanceof BodyFault ? error : brokenOff();
    } finally {
      late.end();
      this.#incomplete -= counted;
    }
  }

  /** @throws BodyFault if the memory for incomplete bodies does not suffice */
  #reserve(bytes: number): number {
    if (this.#incomplete + bytes > this.maxIncomplete) {
      const detail = "Too many large bodies are being received: try again later";
      throw new BodyFault({ status: 503, detail, retryAfter: RETRY_AFTER });
    }
    this.#incomplete += bytes;
    return bytes;
  }
}

function joined(parts: readonly Uint8Array[], size: number): ArrayBuffer {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes.buffer;
}

/** Parses a form once; handlers get the parsed one. */
async function parseForm(c: Context): Promise<void> {
  try {
    await c.req.parseBody();
  } catch {
    throw new BodyFault({
      status: 400,
      detail: "The form in the body cannot be read: it is cut off or has no boundary",
    });
  }
}
