/** `/api/lake`: the state of the lake; rebuilds it, and compares it with the store. */

import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { messageOf, Refusal } from "../../domain/errors.ts";
import { isoMillisecond } from "../../domain/time.ts";
import { noLake } from "../../scheduler/lake.ts";
import { apiRouter, json, refusals } from "../api/parameters.ts";
import { reasonFor } from "../page-context.ts";
import type { Services } from "../services.ts";

const NDJSON = "application/x-ndjson";

const LakeState = z
  .object({
    pending_years: z.int(),
    pending_features: z.int(),
    failure: z.object({ since: z.string(), reason: z.string() }).nullable(),
  })
  .openapi("LakeState");
const Step = z.object({ done: z.int(), total: z.int() });
const Failed = z.object({ error: z.string() });
const Synced = z
  .union([Step, z.object({ result: z.object({ written: z.int(), removed: z.int(), bytes: z.int() }) }), Failed])
  .openapi("LakeSyncLine");
const Checked = z
  .union([
    Step,
    z.object({
      result: z.object({
        files: z.int(),
        rows: z.int(),
        pending: z.int(),
        count: z.int(),
        differences: z.array(z.object({ path: z.string(), what: z.string() })),
      }),
    }),
    Failed,
  ])
  .openapi("LakeCheckLine");

const lines = (description: string, schema: typeof Synced | typeof Checked) => ({
  200: { description: `${description}: one JSON value a line`, content: { [NDJSON]: { schema } } },
  ...refusals(404, 409, 503),
});
const readLake = createRoute({
  method: "get",
  path: "/lake",
  operationId: "readLake",
  tags: ["Data"],
  summary:
    "State of the lake: how many years of bars and series with features are not written yet, and why the last attempt failed",
  responses: { 200: json("The state of the lake", LakeState), ...refusals(404) },
});
const syncLake = createRoute({
  method: "post",
  path: "/lake/sync",
  operationId: "syncLake",
  tags: ["Data"],
  summary: "Rebuild the whole lake; the work continues if the client disconnects",
  responses: lines("The number of series done and their total, then the result or the error", Synced),
});
const checkLake = createRoute({
  method: "post",
  path: "/lake/check",
  operationId: "checkLake",
  tags: ["Data"],
  summary:
    "Compare the files of the lake with its manifest and with the stored bars; the work ends if the client disconnects",
  responses: lines("The number of files and series done and their total, then what differs or the error", Checked),
});

type OnStep = (done: number, total: number) => void;

export function lakeApi({ lake, redact }: Pick<Services, "lake" | "redact">) {
  /** Streams the steps of a task. What fails before the first one is answered with a status of its own. */
  const stream = async (c: Context, begin: (onStep: OnStep, left: AbortSignal) => Promise<unknown>) => {
    const { readable, writable } = new TransformStream<Uint8Array>(undefined, { highWaterMark: 64 });
    const writer = writable.getWriter();
    const left = new AbortController();
    writer.closed.catch(() => left.abort());
    const encoder = new TextEncoder();
    const send = (line: object) => writer.write(encoder.encode(`${JSON.stringify(line)}\n`)).catch(() => {});
    const first = Promise.withResolvers<void>();
    const task = begin((done, total) => {
      void send({ done, total });
      first.resolve();
    }, left.signal);
    void task
      .then(
        (result) => send({ result }),
        (error) => send({ error: reasonFor(c, redact(messageOf(error))) }),
      )
      .then(() => writer.close())
      .catch(() => {});
    await Promise.race([first.promise, task]).catch((error) => {
      if (error instanceof Refusal) throw error;
      throw new Refusal("unavailable", `The lake cannot be written or read: ${reasonFor(c, redact(messageOf(error)))}`);
    });
    c.set("isStream", true);
    return c.body(readable, 200, { "Content-Type": NDJSON });
  };
  return apiRouter()
    .openapi(readLake, async (c) => {
      if (lake.name === undefined) throw noLake();
      const { failure } = lake;
      const since = failure && {
        since: isoMillisecond(failure.at / 1_000),
        reason: reasonFor(c, redact(failure.reason)),
      };
      const [years, features] = [await lake.pending(), await lake.pendingFeatures()];
      return c.json({ pending_years: years, pending_features: features, failure: since }, 200);
    })
    .openapi(syncLake, async (c) => (await stream(c, (onStep) => lake.rebuild(onStep))) as never)
    .openapi(checkLake, async (c) => (await stream(c, (onStep, left) => lake.check(onStep, left))) as never);
}
