/** For supervisors: liveness and readiness. */

import { Hono } from "hono";
import { isoMillisecond } from "../../domain/time.ts";
import type { Services } from "../services.ts";

export const healthRoutes = ({ db, storage, pool, version }: Pick<Services, "db" | "storage" | "pool" | "version">) =>
  new Hono()
    .get("/healthz", (c) => c.json({ status: "ok", ...version }))
    .get("/readyz", async (c) => {
      // A deleted file can still be read by a process that has it open, and so can one on a full disk.
      const trouble = storage.current();
      const isRead = await db.rows("SELECT 1", []).then(
        () => true,
        () => false,
      );
      const database = trouble === null && isRead;
      // Threads start with the first job: without one it is only known whether a start has failed.
      const workers = { alive: pool.alive, wanted: pool.wanted };
      const ready = database && pool.canStart;
      const reason = trouble && {
        reason: `${trouble.what}. ${trouble.advice}`,
        since: isoMillisecond(trouble.since / 1_000),
      };
      return c.json({ status: ready ? "ready" : "not ready", database, workers, ...reason }, ready ? 200 : 503);
    });
