/** Faults of vendors, for a fake's script. */

import type { Behaviour } from "./vendor.ts";

export const reply =
  (status: number, body: unknown, headers: Record<string, string> = {}): Behaviour =>
  () =>
    typeof body === "string"
      ? new Response(body, { status, headers: { "content-type": "text/plain", ...headers } })
      : Response.json(body, { status, headers });

export const html = (status: number, title = "Will be right back"): Behaviour =>
  reply(status, `<!DOCTYPE html><html><head><title>${title}</title></head><body></body></html>`, {
    "content-type": "text/html; charset=utf-8",
  });

/** Nothing at all, until the client gives up. */
export const hang = (): Behaviour => (request) =>
  new Promise((resolve) =>
    request.signal.addEventListener("abort", () => resolve(new Response(null, { status: 499 }))),
  );

/** The connection breaks in the middle of the body, some milliseconds after its beginning was sent. */
export const breakOff =
  (after = 1): Behaviour =>
  () =>
    new Response(
      new ReadableStream({
        async start(controller) {
          controller.enqueue(new TextEncoder().encode('[{"timestamp": 17'));
          await Bun.sleep(after);
          controller.error();
        },
      }),
      { headers: { "content-type": "application/json" } },
    );

/** A whole answer, but only the first half of its JSON. */
export const truncated = (): Behaviour =>
  reply(200, '[{"timestamp":1700577000,"open":10.1,"high":10.2,"low":10.0,"clo', {
    "content-type": "application/json",
  });
