/** `GET /api/events`: every event as JSON over SSE (docs/contract.md §4). */

import { createRoute, z } from "@hono/zod-openapi";
import { logToWire } from "../../domain/log.ts";
import { progressToWire, runToWire } from "../../domain/runs/run-summary.ts";
import { type EventStream, encodeEvent, type HubEvent, type ProgressHub } from "../../hub.ts";
import { apiRouter } from "../api/parameters.ts";
import { streamed } from "../http/stream-body.ts";
import { type StreamLifetime, StreamLimits } from "../http/stream-limits.ts";
import type { Services } from "../services.ts";

/** Time between two pings on a stream without events, milliseconds. */
const PING_MS = 10_000;
/** A reader that takes nothing for this long is disconnected, milliseconds. */
const STALLED_MS = 60_000;

const read = createRoute({
  method: "get",
  path: "/events",
  operationId: "followEvents",
  tags: ["Operation"],
  summary: "Live events over SSE: a snapshot, then every event in order",
  request: {
    query: z.object({
      latest: z.enum(["0", "1"]).optional().openapi({ description: "1: only the newest progress of each job" }),
    }),
  },
  responses: { 200: { description: "The stream", content: { "text/event-stream": { schema: z.string() } } } },
});

export function eventRoutes({ hub }: Pick<Services, "hub">, limits = new StreamLimits()) {
  const snapshot = snapshots(hub);
  return apiRouter().openapi(read, (c) => {
    const latest = c.req.valid("query").latest === "1";
    const lastId = c.req.header("Last-Event-ID");
    const open = () => {
      const lifetime = limits.enter(c.get("streamHolder"), c.get("sessionSignal"));
      return followHub(hub, { latest, lastId, snapshot, lifetime });
    };
    return streamed(c, open, {
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

interface FollowOptions {
  /** Whether only the newest progress of each job is sent. */
  readonly latest?: boolean;
  /** The id of the last event that the reader has. */
  readonly lastId?: string | undefined;
  readonly lifetime?: StreamLifetime;
  /** A reader that takes nothing for this long is disconnected, milliseconds. */
  readonly stallMs?: number;
  readonly snapshot?: () => Reported;
}

/**
 * Writes a chunk whenever the connection accepts one; events in between wait in the bounded queue. The queue is opened
 * by the first read, so that a stream that is never read collects nothing.
 */
export function followHub(hub: ProgressHub, options: FollowOptions = {}): ReadableStream<Uint8Array> {
  const { latest = false, lastId, lifetime, stallMs = STALLED_MS, snapshot = snapshots(hub) } = options;
  const encoder = new TextEncoder();
  let stream: EventStream | null = null;
  let reported: Reported | null = null;
  let closed = false;
  let stalled: ReturnType<typeof setTimeout> | null = null;
  let output: ReadableStreamDefaultController<Uint8Array> | null = null;
  const end = () => {
    if (closed) return;
    closed = true;
    if (stalled) clearTimeout(stalled);
    stream?.close();
    ended?.();
  };
  /** Also ends the response: a stalled reader and one whose login ended do not ask again. */
  const disconnect = () => {
    if (closed) return;
    end();
    output?.close();
  };
  const ended = lifetime?.(disconnect);
  const send = (text: string) => {
    if (closed) return;
    output!.enqueue(encoder.encode(text));
    stalled = setTimeout(disconnect, stallMs).unref();
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        output = controller;
        stalled = setTimeout(disconnect, stallMs).unref();
      },
      async pull() {
        if (stalled) clearTimeout(stalled);
        if (stream === null || reported === null) {
          stream = hub.stream({ latest });
          const missed = lastId === undefined ? null : skipped(hub, lastId);
          reported = snapshot();
          return send((missed === null ? "" : encodeLag(hub, missed)) + reported.text);
        }
        const chunk = await stream.next(PING_MS);
        if (chunk === null) return disconnect();
        const lagged = chunk.lagged > 0;
        if (lagged) reported = snapshot();
        const { seq, firstLine, text } = reported;
        const events = chunk.events.filter((event) => event.seq > seq || isOlderLine(event, firstLine));
        const head = lagged ? encodeLag(hub, chunk.lagged + chunk.events.length - events.length) + text : "";
        const body = head + events.map((event) => encodeEvent(hub.epoch, event)).join("");
        send(body || ": ping\n\n");
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
}

/** A log line older than those of the snapshot, which would otherwise be lost. */
const isOlderLine = (event: HubEvent, firstLine: number) => event.type === "log" && event.line.id < firstLine;

/** How many events came after `lastId`. If it is from an earlier start, those of this one: how that one ended is not known. */
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
