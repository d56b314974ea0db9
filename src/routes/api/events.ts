/** `GET /api/events`: every event as JSON over SSE (contract §4). */

import { createRoute, z } from "@hono/zod-openapi";
import { logToWire, progressToWire, runToWire } from "../../domain/telemetry.ts";
import { type EventStream, encodeEvent, type HubEvent, type ProgressHub } from "../../hub.ts";
import type { Services } from "../services.ts";
import { apiRouter } from "./parameters.ts";

/** Time after which a quiet stream shows that it lives, milliseconds. */
const PING_MS = 10_000;

const read = createRoute({
  method: "get",
  path: "/events",
  summary: "Live events over SSE: a snapshot, then every event in order",
  request: {
    query: z.object({
      latest: z.enum(["0", "1"]).optional().openapi({ description: "1: only the newest progress of each job" }),
    }),
  },
  responses: { 200: { description: "The stream", content: { "text/event-stream": { schema: z.string() } } } },
});

export function eventRoutes({ hub }: Services) {
  return apiRouter().openapi(read, (c) => {
    const stream = hub.stream({ latest: c.req.valid("query").latest === "1" });
    return c.body(follow(hub, stream, c.req.header("Last-Event-ID")), 200, {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
      "X-Accel-Buffering": "no",
    });
  });
}

/** Writes a chunk whenever the connection takes one; what comes in between waits in the bounded queue. */
function follow(hub: ProgressHub, stream: EventStream, lastId: string | undefined): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let begun = false;
  /** Progress up to here is in the last snapshot. */
  let told = 0;
  const snapshot = () => {
    const text = encodeSnapshot(hub);
    told = hub.seq;
    return text;
  };
  return new ReadableStream({
    async pull(controller) {
      if (!begun) {
        begun = true;
        const missed = lastId === undefined ? null : skipped(hub, lastId);
        controller.enqueue(encoder.encode((missed === null ? "" : encodeLag(hub, missed)) + snapshot()));
        return;
      }
      const chunk = await stream.next(PING_MS);
      if (chunk === null) return controller.close();
      let text = "";
      if (chunk.lagged > 0) text += encodeLag(hub, chunk.lagged) + snapshot();
      for (const event of chunk.events) if (isNews(event, told)) text += encodeEvent(hub.epoch, event);
      controller.enqueue(encoder.encode(text || ": ping\n\n"));
    },
    cancel: () => stream.close(),
  });
}

/** Is the event not told by a snapshot already? */
const isNews = (event: HubEvent, told: number) => event.seq > told;

/** How many events passed since the one a viewer saw last; all of them, if it was another life of the server. */
function skipped(hub: ProgressHub, lastId: string): number {
  const [epoch, seq] = lastId.split("-");
  return epoch === hub.epoch && /^\d+$/.test(seq ?? "") ? Math.max(0, hub.seq - Number(seq)) : hub.seq;
}

function encodeLag(hub: ProgressHub, count: number): string {
  return `event: lagged\nid: ${hub.epoch}-${hub.seq}\ndata: ${JSON.stringify({ skipped: count })}\n\n`;
}

function encodeSnapshot(hub: ProgressHub): string {
  const { seq, runs, jobs, logs } = hub.snapshot();
  const data = { seq, runs: runs.map(runToWire), jobs: jobs.map(progressToWire), log: logs.map(logToWire) };
  return `event: snapshot\nid: ${hub.epoch}-${seq}\ndata: ${JSON.stringify(data)}\n\n`;
}
