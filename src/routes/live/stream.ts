/** `GET /events`: live updates of the pages as server-sent events with HTML partials (docs/contract.md §4). */

import { Hono } from "hono";
import { acceptedCodings } from "../compression.ts";
import { streamed } from "../http/stream-body.ts";
import { StreamLimits } from "../http/stream-limits.ts";
import type { LiveBroadcaster } from "./broadcaster.ts";
import type { Notifications } from "./notifications.ts";
import { parseViewQuery } from "./view-query.ts";

const HEADERS = {
  "Content-Type": "text/event-stream; charset=utf-8",
  "Cache-Control": "no-store",
  // A buffering proxy would delay the updates.
  "X-Accel-Buffering": "no",
  Vary: "Accept-Encoding",
};

/**
 * `?run=` (and `?symbol=`) follows one run, otherwise the monitor; `?q=`, `?sort=` and `?page=` select the rows,
 * `?log=` the lines of the log; `?since=` (or `Last-Event-ID`) is the cursor of what the page already shows.
 */
export const streamRoutes = (broadcaster: LiveBroadcaster, limits = new StreamLimits()) =>
  new Hono().get("/events", (c) => {
    const { query } = parseViewQuery(c.req.query("run"), c.req.query());
    const { symbol, log } = c.req.query();
    const cursor = c.req.header("Last-Event-ID") || c.req.query("since");
    const gzipped = acceptedCodings(c.req.header("Accept-Encoding")).includes("gzip");
    const connect = () => {
      const lifetime = limits.enter(c.get("streamHolder"), c.get("sessionSignal"));
      return broadcaster.connect({ ...query, symbol, log }, cursor, { lifetime, gzipped });
    };
    return streamed(c, connect, gzipped ? { ...HEADERS, "Content-Encoding": "gzip" } : HEADERS);
  });

/** `GET /events/notifications`: what browsers show as desktop notifications, from now on or after `?since=`. */
export const notificationRoutes = (notifications: Notifications, limits: StreamLimits) =>
  new Hono().get("/events/notifications", (c) => {
    const cursor = c.req.header("Last-Event-ID") || c.req.query("since");
    const connect = () => notifications.connect(cursor, limits.enter(c.get("streamHolder"), c.get("sessionSignal")));
    return streamed(c, connect, HEADERS);
  });
