/** `GET /events`: the live screen as server-sent events with HTML partials (contract §4). */

import { Hono } from "hono";
import type { ScreenFeed } from "./broadcaster.ts";
import { sceneOf } from "./view-query.ts";

const HEADERS = {
  "Content-Type": "text/event-stream; charset=utf-8",
  "Cache-Control": "no-store",
  // Proxies that buffer would hold the updates back.
  "X-Accel-Buffering": "no",
};

/** `?run=` (and `?symbol=`) follows one run, otherwise the monitor; `?q=` filters, `?sort=` and `?page=` pick the rows, `?log=` the lines of the log; `?since=` (or `Last-Event-ID`) says what the page already shows. */
export const streamRoutes = (feed: ScreenFeed) =>
  new Hono().get("/events", (c) => {
    const { scene } = sceneOf(c.req.query("run"), c.req.query());
    const { symbol, log } = c.req.query();
    const cursor = c.req.header("Last-Event-ID") || c.req.query("since");
    return c.body(feed.connect({ ...scene, symbol, log }, cursor, c.get("lease")), 200, HEADERS);
  });
