/** For supervisors: liveness and readiness. */

import { Hono } from "hono";
import type { Services } from "../services.ts";

export const healthRoutes = ({ db, pool, version }: Pick<Services, "db" | "pool" | "version">) =>
  new Hono()
    .get("/healthz", (c) => c.json({ status: "ok", ...version }))
    .get("/readyz", async (c) => {
      const database = await db.rows("SELECT 1", []).then(
        // A deleted file can still be read by who has it open.
        () => db.fault() === null,
        () => false,
      );
      const workers = { alive: pool.alive, wanted: pool.size };
      const ready = database && workers.alive === workers.wanted;
      return c.json({ status: ready ? "ready" : "not ready", database, workers }, ready ? 200 : 503);
    });
