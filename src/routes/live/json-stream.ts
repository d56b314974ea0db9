/** `GET /api/events`: every event as JSON over SSE (docs/contract.md §4). */

import { createRoute, z } from "@hono/zod-openapi";
import { logToWire } from "../../domain/log.ts";
import { progressToWire, runToWire } from "../../domain/runs/run-summary.ts";
import { type EventStream, encodeEvent, type HubEvent, type ProgressHub } from "../../hub.ts";
import { apiRouter } from "../api/parameters.ts";
import type { Services } from "../services.ts";

/** Time between two pings on a stream without events, milliseconds. */
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

export function eventRoutes({ hub }: Pick<Services, "hub">) {
  const snapshot = snapshots(hub);
  return apiRouter().openapi(read, (c) => {
    const stream = hub.stream({ latest: c.req.valid("query").latest === "1" });
    return c.body(follow(hub, stream, snapshot, c.req.header("Last-Event-ID"), c.get("sessionSignal")), 200, {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
      "X-Accel-Buffering": "no",
    });
  });
}

interface Reported {
  readonly text: string;
  /** The snapshot includes all events up to `seq`, and the log lines from `firstLine` on. */
  readonly seq: number;
  readonly firstLine: number;
}

/** Writes a chunk whenever the connection accepts one; events in between wait in the bounded queue. */
function follow(
  hub: ProgressHub,
  stream: EventStream,
  snapshot: () => Reported,
  lastId: string | undefined,
  sessionSignal: AbortSignal | undefined,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let reported: Reported | null = null;
  const end = () => stream.close();
  sessionSignal?.addEventListener("abort", end);
  return new ReadableStream({
    async pull(controller) {
      if (reported === null) {
        const missed = lastId === undefined ? null : skipped(hub, lastId);
        reported = snapshot();
        controller.enqueue(encoder.encode((missed === null ? "" : encodeLag(hub, missed)) + reported.text));
        return;
      }
      const chunk = await stream.next(PING_MS);
      if (chunk === null) {
        sessionSignal?.removeEventListener("abort", end);
        return controller.close();
      }
      const lagged = chunk.lagged > 0;
      if (lagged) reported = snapshot();
      const { seq, firstLine, text } = reported;
      const events = chunk.events.filter((event) => event.seq > seq || isOlderLine(event, firstLine));
      const head = lagged ? encodeLag(hub, chunk.lagged + chunk.events.length - events.length) + text : "";
      const body = head + events.map((event) => encodeEvent(hub.epoch, event)).join("");
      controller.enqueue(encoder.encode(body || ": ping\n\n"));
    },
    cancel: () => {
      sessionSignal?.removeEventListener("abort", end);
      stream.close();
    },
  });
}

/** A log line older than those of the snapshot, which would otherwise be lost. */
const isOlderLine = (event: HubEvent, firstLine: number) => event.type === "log" && event.line.id < firstLine;

/** How many events came after `lastId`; all of them if it is from before a restart. */
function skipped(hub: ProgressHub, lastId: string): number {
  const [epoch, seq] = lastId.split("-");
  return epoch === hub.epoch && /^\d+$/.test(seq ?? "") ? Math.max(0, hub.seq - Number(seq)) : hub.seq;
}

function encodeLag(hub: ProgressHub, count: number): string {
  return `event: lagged\nid: ${hub.epoch}-${hub.seq}\ndata: ${JSON.stringify({ skipped: count })}\n\n`;
}

/** Snapshots in their wire form; clients that connect between two events share one. */
function snapshots(hub: ProgressHub): () => Reported {
  let last: Reported | null = null;
  return () => {
    if (last?.seq === hub.seq) return last;
    const { seq, runs, jobs, logs } = hub.snapshot();
    const data = { seq, runs: runs.map(runToWire), jobs: jobs.map(progressToWire), log: logs.map(logToWire) };
    const text = `event: snapshot\nid: ${hub.epoch}-${seq}\ndata: ${JSON.stringify(data)}\n\n`;
    last = { text, seq, firstLine: logs[0]?.id ?? Number.POSITIVE_INFINITY };
    return last;
  };
}
