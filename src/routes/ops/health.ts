/** For supervisors: liveness and readiness. */

import { Hono } from "hono";
import { isoMillisecond } from "../../domain/time.ts";
import { type Services, troubleOf } from "../services.ts";

type HealthServices = Pick<Services, "db" | "storage" | "queue" | "pool" | "version">;

export function healthRoutes(services: HealthServices) {
  const { db, storage, queue, pool, version } = services;
  return new Hono()
    .get("/healthz", (c) => {
      const down = queue.trouble();
      return c.json({ status: "ok", ...version, ...(down && { queue: `down since ${moment(down.since)}` }) });
    })
    .get("/readyz", async (c) => {
      // A deleted file can still be read by a process that has it open, and so can one on a full disk.
      const trouble = troubleOf(services);
      const isRead = await db.rows("SELECT 1", []).then(
        () => true,
        () => false,
      );
      const database = storage.current() === null && isRead;
      const hasQueue = queue.trouble() === null;
      // Threads start with the first job: without one it is only known whether a start has failed.
      const workers = { alive: pool.alive, wanted: pool.wanted };
      const ready = database && hasQueue && pool.canStart;
      const reason = trouble && { reason: `${trouble.what}. ${trouble.advice}`, since: moment(trouble.since) };
      return c.json(
        { status: ready ? "ready" : "not ready", database, queue: hasQueue, workers, ...reason },
        ready ? 200 : 503,
      );
    });
}

const moment = (at: number) => isoMillisecond(at / 1_000);
