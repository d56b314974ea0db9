/** `GET /events`: the live screen as server-sent events with HTML partials (docs/contract.md §4). */

import { Hono } from "hono";
import type { LiveBroadcaster } from "./broadcaster.ts";
import { parseViewQuery } from "./view-query.ts";

const HEADERS = {
  "Content-Type": "text/event-stream; charset=utf-8",
  "Cache-Control": "no-store",
  // Proxies that buffer would hold the updates back.
  "X-Accel-Buffering": "no",
};

/** `?run=` (and `?symbol=`) follows one run, otherwise the monitor; `?q=` filters, `?sort=` and `?page=` pick the rows, `?log=` the lines of the log; `?since=` (or `Last-Event-ID`) says what the page already shows. */
export const streamRoutes = (broadcaster: LiveBroadcaster) =>
  new Hono().get("/events", (c) => {
    const { query } = parseViewQuery(c.req.query("run"), c.req.query());
    const { symbol, log } = c.req.query();
    const cursor = c.req.header("Last-Event-ID") || c.req.query("since");
    return c.body(broadcaster.connect({ ...query, symbol, log }, cursor, c.get("sessionSignal")), 200, HEADERS);
  });
