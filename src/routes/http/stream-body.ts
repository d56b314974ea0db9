/** Bodies that are streamed: none is opened for HEAD, and none stays open without a reader. */

import type { Context, MiddlewareHandler } from "hono";
import type { ExportBody } from "../../pipeline/exports/export-queue.ts";

/** Without it the server would send `Content-Length: 0` with a response to HEAD. */
const OF_UNKNOWN_LENGTH = { "Transfer-Encoding": "chunked" };

/** Aborts when the client leaves, or the login that admitted the request ends. */
export function endOf(c: Context): AbortSignal {
  const login = c.get("sessionSignal");
  return login === undefined ? c.req.raw.signal : AbortSignal.any([c.req.raw.signal, login]);
}

/**
 * A streamed response. `open` starts the work behind its body, so it is not called for HEAD: Hono answers HEAD by running
 * the handler of GET, and drops the body without reading or cancelling it.
 */
export function streamed(c: Context, open: () => ReadableStream<Uint8Array>, headers: Record<string, string>) {
  if (c.req.method === "HEAD") return c.body(null, 200, { ...headers, ...OF_UNKNOWN_LENGTH });
  c.set("isStream", true);
  return c.body(open(), 200, headers);
}

/**
 * The response with an export, or that of a list: whole if it is small. `open` is not called for HEAD either.
 * @throws Refusal if too many exports wait
 * @throws Error if the export fails before its first piece
 */
export async function exported(c: Context, open: () => Promise<ExportBody>, headers: Record<string, string>) {
  if (c.req.method === "HEAD") return c.body(null, 200, { ...headers, ...OF_UNKNOWN_LENGTH });
  const body = await open();
  c.set("isStream", body instanceof ReadableStream);
  // The runtime prints why a body fails that it sends; the work has logged it.
  const isSent = body instanceof ReadableStream && "requestIP" in Object(c.env);
  return c.body(isSent ? withoutReason(body) : body, 200, headers);
}

/** The same bytes; a failure breaks them off without its error, also while nobody takes a piece. */
function withoutReason(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => void reader.closed.catch(() => controller.error()),
      async pull(controller) {
        // Its failure is that of `closed`.
        const piece = await reader.read().catch(() => null);
        if (piece?.done) controller.close();
        else if (piece !== null) controller.enqueue(piece.value);
      },
      cancel: (why) => reader.cancel(why),
    },
    { highWaterMark: 0 },
  );
}

/** Cancels the body of every response to HEAD, whatever handler has made it; its length is sent only if it is known. */
export const withoutBodyForHead: MiddlewareHandler = async (c, next) => {
  await next();
  if (c.req.method !== "HEAD" || c.res.body === null) return;
  if (!c.res.body.locked) await c.res.body.cancel();
  if (c.res.headers.has("Content-Length")) return;
  for (const [name, value] of Object.entries(OF_UNKNOWN_LENGTH)) c.header(name, value);
};
