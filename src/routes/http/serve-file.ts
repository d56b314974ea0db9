/**
 * Files over HTTP: whole or in single byte ranges, with validators (RFC 9110 §13 and §14). What is served is private, and
 * never transformed on the way: the bytes of a range are those of the file.
 */

import { stat } from "node:fs/promises";
import type { Context } from "hono";
import { problem } from "../problem.ts";
import { requestedRange } from "./byte-range.ts";

/** Something that can be read from any byte on. */
export interface FileSource {
  /** Bytes. */
  readonly size: number;
  /** Epoch milliseconds. */
  readonly modified: number;
  /** Differs for different bytes; without quotes, which it must not contain. */
  readonly tag: string;
  /** The bytes from `start` (inclusive) to `end` (exclusive). */
  read(start: number, end: number): FileBody | Promise<FileBody>;
}

/** The length of a stream is not told to the reader. */
type FileBody = Blob | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

export interface FileOptions {
  /** The media type. */
  readonly type: string;
  /** The name under which a browser saves it. */
  readonly name: string;
  /** Whether its address will never have other bytes: readers then need not ask again. */
  readonly isImmutable: boolean;
}

const FOREVER = "private, max-age=31536000, immutable, no-transform";
const REVALIDATED = "private, no-cache, no-transform";

/**
 * A file on disk; `null` if there is none. It must not be changed in place while it is served, only replaced.
 * @param tag names its bytes, if something does better than inode, size and time
 */
export async function fileOnDisk(path: string, tag?: string): Promise<FileSource | null> {
  const found = await stat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR" || error.code === "ENAMETOOLONG") return null;
    throw error;
  });
  if (!found?.isFile()) return null;
  const own = [found.ino, found.size, found.mtimeNs].map((part) => part.toString(36)).join("-");
  return {
    size: Number(found.size),
    modified: Number(found.mtimeMs),
    tag: tag ?? own,
    read: (start, end) => Bun.file(path).slice(start, end),
  };
}

/** Bytes in memory: for short files that may be replaced while they are read. */
export const bytesAsFile = (bytes: Uint8Array<ArrayBuffer>, modified: number): FileSource => ({
  size: bytes.length,
  modified,
  tag: new Bun.CryptoHasher("sha256").update(bytes).digest("base64url"),
  read: (start, end) => bytes.subarray(start, end),
});

/** Answers a request (GET or HEAD) with a file: 200, 206, 304, 412 or 416. */
export async function serveFile(c: Context, file: FileSource, options: FileOptions): Promise<Response> {
  const { size } = file;
  const etag = `"${file.tag}"`;
  const validators = {
    ETag: etag,
    "Last-Modified": new Date(file.modified).toUTCString(),
    "Cache-Control": options.isImmutable ? FOREVER : REVALIDATED,
  };
  const verdict = precondition(c, etag, file.modified);
  if (verdict === 304) return c.body(null, 304, validators);
  if (verdict === 412) return problem(c, { status: 412, detail: "The file is not the one that the request names" });
  const headers = {
    ...validators,
    "Accept-Ranges": "bytes",
    "Content-Type": options.type,
    "Content-Disposition": `attachment; filename="${options.name}"`,
  };
  // Ranges are defined for GET only (§14.2).
  if (c.req.method === "HEAD") return c.body(null, 200, { ...headers, "Content-Length": String(size) });
  const header = c.req.header("Range");
  const range = header !== undefined && rangeHolds(c, etag, file.modified) ? requestedRange(header, size) : "whole";
  if (range === "unsatisfiable") {
    c.header("Content-Range", `bytes */${size}`);
    return problem(c, { status: 416, detail: `The file has ${size} bytes, and none of them is in the range` });
  }
  if (range === "whole") {
    const body = await file.read(0, size);
    return send(c, 200, header === undefined ? body : unranged(body), headers);
  }
  const { start, end } = range;
  return send(c, 206, await file.read(start, end), {
    ...headers,
    "Content-Range": `bytes ${start}-${end - 1}/${size}`,
  });
}

/** A file in the runtime's own form, so that it is sent without passing through this process, with its length. */
function send(c: Context, status: 200 | 206, body: FileBody, headers: Record<string, string>): Response {
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  c.status(status);
  return c.newResponse(body as Uint8Array<ArrayBuffer>);
}

/** The server cuts a range out of every 200 that is a file; a stream that it does not know as one stays whole. */
function unranged(body: FileBody): FileBody {
  return body instanceof Blob ? body.stream().pipeThrough(new TransformStream()) : body;
}

/** What the conditions of a request say, in the order of §13.2.2; `null`: go on. */
function precondition(c: Context, etag: string, modified: number): 304 | 412 | null {
  const [match, noneMatch] = [c.req.header("If-Match"), c.req.header("If-None-Match")];
  const seconds = Math.floor(modified / 1_000);
  if (match !== undefined) {
    if (!names(match, etag, "strong")) return 412;
  } else {
    const since = timeOf(c.req.header("If-Unmodified-Since"));
    if (since !== null && seconds > since) return 412;
  }
  if (noneMatch !== undefined) return names(noneMatch, etag, "weak") ? 304 : null;
  const since = timeOf(c.req.header("If-Modified-Since"));
  return since !== null && seconds <= since ? 304 : null;
}

/** Whether a list of entity tags has ours, by one of the comparisons of §8.8.3.2. */
function names(list: string, etag: string, comparison: "strong" | "weak"): boolean {
  if (list.trim() === "*") return true;
  const tags = list.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return tags.some((tag) => (comparison === "weak" ? tag.replace(/^W\//, "") : tag) === etag);
}

/** Epoch seconds of a date; `null` if there is none. */
function timeOf(text: string | undefined): number | null {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? null : Math.floor(time / 1_000);
}

/** Whether the file is still the one of which a reader has a part (§13.1.5). */
function rangeHolds(c: Context, etag: string, modified: number): boolean {
  const condition = c.req.header("If-Range")?.trim();
  if (condition === undefined) return true;
  if (condition.endsWith('"')) return condition === etag;
  // Two versions of one second have the same date, so one of the present second proves nothing (§8.8.2.2).
  return timeOf(condition) === Math.floor(modified / 1_000) && Date.now() - modified >= 1_000;
}
