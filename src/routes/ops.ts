/** Liveness and readiness. */

import { Hono } from "hono";
import type { Services } from "./services.ts";

export const opsRoutes = ({ db, pool }: Services) =>
  new Hono()
    .get("/healthz", (c) => c.json({ status: "ok" }))
    .get("/readyz", async (c) => {
      const database = await db.rows("SELECT 1", []).then(
        () => true,
        () => false,
      );
      const workers = { alive: pool.alive, wanted: pool.size };
      const ready = database && workers.alive === workers.wanted;
      return c.json({ status: ready ? "ready" : "not ready", database, workers }, ready ? 200 : 503);
    });
