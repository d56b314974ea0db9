/** `/api/runs`: start, list, read and control runs and their jobs. */

import { createRoute, z } from "@hono/zod-openapi";
import { Refusal } from "../../domain/errors.ts";
import { INTERVALS } from "../../domain/market/interval.ts";
import { progressToWire, runToWire } from "../../domain/runs/run-summary.ts";
import { JOB_ACTIONS, MODES, RUN_ACTIONS, RUN_STATES } from "../../domain/runs/states.ts";
import { reprocessOutdated } from "../../scheduler/runs/renew.ts";
import { parseRunRequest, RunRequestBody } from "../../scheduler/runs/run-request.ts";
import { providerName, wholeNumberText } from "../../schemas.ts";
import {
  apiRouter,
  cursorParameter,
  inOrder,
  json,
  jsonBody,
  momentParameter,
  refusals,
  symbolParameter,
} from "../api/parameters.ts";
import { formatCursor } from "../cursor.ts";
import type { Services } from "../services.ts";
import { JobBody, RunBody } from "./run-body.ts";

const OneRun = z.object({ run: RunBody.extend({ jobs: z.array(JobBody).optional() }) });

const milliseconds = momentParameter.transform((seconds) => seconds * 1_000).openapi({ type: "string" });

const ListQuery = inOrder(
  z
    .object({
      limit: wholeNumberText(1, 200).default(50),
      before: cursorParameter.optional(),
      after: cursorParameter.optional(),
      status: z.enum(RUN_STATES).optional(),
      mode: z.enum(MODES).optional(),
      interval: z.enum(INTERVALS).optional(),
      provider: providerName.optional(),
      symbol: symbolParameter.optional(),
      from: milliseconds.optional(),
      to: milliseconds.optional(),
    })
    .refine(({ before, after }) => before === undefined || after === undefined, {
      error: "before and after are two pages: ask for one",
      path: ["after"],
    }),
);
const ListBody = z.object({
  runs: z.array(RunBody),
  /** Cursors of the next pages in both directions: sent as `before` and as `after`. */
  older: z.string().nullable(),
  newer: z.string().nullable(),
});

const runId = z.string().max(60);

const start = createRoute({
  method: "post",
  path: "/runs",
  operationId: "startRun",
  tags: ["Runs"],
  summary: "Start a run",
  request: jsonBody(RunRequestBody),
  responses: { 202: json("The run was stored and queued", OneRun), ...refusals(400, 409, 413, 415, 422) },
});
const outdated = createRoute({
  method: "post",
  path: "/runs/outdated",
  operationId: "recomputeOutdated",
  tags: ["Runs"],
  summary: "Recompute what an older version of the feature catalogue computed: a run per provider and interval",
  responses: { 202: json("The runs that were started", z.object({ runs: z.array(RunBody) })) },
});
const list = createRoute({
  method: "get",
  path: "/runs",
  operationId: "listRuns",
  tags: ["Runs"],
  summary: "List runs, newest first; the next pages are at `before` and `after` with `older` and `newer` of the answer",
  request: { query: ListQuery },
  responses: { 200: json("Runs", ListBody), ...refusals(422) },
});
const read = createRoute({
  method: "get",
  path: "/runs/{id}",
  operationId: "readRun",
  tags: ["Runs"],
  summary: "A run with its jobs",
  request: { params: z.object({ id: runId }) },
  responses: { 200: json("The run", OneRun), ...refusals(404) },
});
const control = createRoute({
  method: "post",
  path: "/runs/{id}/{action}",
  operationId: "controlRun",
  tags: ["Runs"],
  summary: "Pause, resume or cancel a run",
  request: { params: z.object({ id: runId, action: z.enum(RUN_ACTIONS) }) },
  responses: { 200: json("The run", OneRun), ...refusals(404, 409, 422) },
});
const acknowledge = createRoute({
  method: "post",
  path: "/runs/{id}/acknowledge",
  operationId: "acknowledgeRun",
  tags: ["Runs"],
  summary: "Acknowledge the failures of a run, so that the monitor no longer shows it",
  request: { params: z.object({ id: runId }) },
  responses: { 200: json("The run", OneRun), ...refusals(404, 409) },
});
const controlJob = createRoute({
  method: "post",
  path: "/runs/{id}/jobs/{symbol}/{action}",
  operationId: "controlJob",
  tags: ["Runs"],
  summary: "Pause, resume, cancel, skip or retry one job, or put it first in the queue of its run",
  request: { params: z.object({ id: runId, symbol: symbolParameter, action: z.enum([...JOB_ACTIONS, "first"]) }) },
  responses: { 200: json("The job", z.object({ job: JobBody })), ...refusals(404, 409, 422) },
});

export function runRoutes({ db, runs, profiles }: Pick<Services, "db" | "profiles" | "runs">) {
  return apiRouter()
    .openapi(start, async (c) => {
      // Parsed again from the checked body, by the same parser as forms and the command line.
      const run = await runs.start(parseRunRequest(c.req.valid("json")));
      return c.json({ run: runToWire(run) }, 202);
    })
    .openapi(outdated, async (c) => c.json({ runs: (await reprocessOutdated(db, runs, profiles)).map(runToWire) }, 202))
    .openapi(list, async (c) => {
      const { limit, before, after, status: state, ...filter } = c.req.valid("query");
      const page = await runs.list({ ...filter, state }, { limit, before, after });
      const text = (cursor: typeof page.older) => cursor && formatCursor(cursor);
      return c.json({ runs: page.runs.map(runToWire), older: text(page.older), newer: text(page.newer) }, 200);
    })
    .openapi(read, async (c) => {
      const { run, jobs } = await runs.read(c.req.valid("param").id);
      return c.json({ run: { ...runToWire(run), jobs: jobs.map(jobToWire) } }, 200);
    })
    .openapi(acknowledge, async (c) => c.json({ run: runToWire(await runs.acknowledge(c.req.valid("param").id)) }, 200))
    .openapi(control, async (c) => {
      const { id, action } = c.req.valid("param");
      return c.json({ run: runToWire(await runs.actOnRun(id, action)) }, 200);
    })
    .openapi(controlJob, async (c) => {
      const { id, symbol, action } = c.req.valid("param");
      if (action === "first") await runs.moveToFront(id, symbol);
      else await runs.actOnJob(id, symbol, action);
      const job = (await runs.read(id)).jobs.find((each) => each.symbol === symbol);
      if (job === undefined) throw new Refusal("not_found", `Run ${id} has no symbol ${symbol}`);
      return c.json({ job: jobToWire(job) }, 200);
    });
}

type JobView = Awaited<ReturnType<Services["runs"]["read"]>>["jobs"][number];

const jobToWire = (job: JobView) => ({
  ...progressToWire(job),
  error: job.state === "failed" ? job.microStage : null,
});
