/** `/api/runs`: start, list, read and control runs and their jobs. */

import { createRoute, z } from "@hono/zod-openapi";
import { Refusal } from "../../domain/errors.ts";
import { JOB_ACTIONS, RUN_ACTIONS } from "../../domain/run.ts";
import { progressToWire, runToWire } from "../../domain/telemetry.ts";
import { parseRunOrder, RunOrderBody } from "../../scheduler/order.ts";
import { reprocessOutdated } from "../../scheduler/outdated.ts";
import type { Services } from "../services.ts";
import { apiRouter, integerParameter, json, refusals, symbolParameter } from "./parameters.ts";

const RunBody = z
  .looseObject({ id: z.string(), status: z.string(), mode: z.string(), interval: z.string(), provider: z.string() })
  .openapi("Run");
const JobBody = z
  .looseObject({
    symbol: z.string(),
    status: z.string(),
    progress: z.int(),
    micro_stage: z.string(),
    data_points: z.int(),
    api_calls: z.int(),
    duration: z.number(),
    error: z.string().nullable(),
  })
  .openapi("Job");
const OneRun = z.object({ run: RunBody.extend({ jobs: z.array(JobBody).optional() }) });

/** `created_at` of the last run of the page before, in epoch milliseconds. */
const epochMilliseconds = integerParameter(0, Number.MAX_SAFE_INTEGER, 0).removeDefault();
const runId = z.string().max(60);

const start = createRoute({
  method: "post",
  path: "/runs",
  summary: "Start a run",
  request: { body: { required: true, content: { "application/json": { schema: RunOrderBody } } } },
  responses: { 202: json("The run was stored and queued", OneRun), ...refusals(400, 409, 413, 415, 422) },
});
const outdated = createRoute({
  method: "post",
  path: "/runs/outdated",
  summary:
    "Engineer again whatever an older version of the feature catalogue computed: a run per provider and interval",
  responses: { 202: json("The runs that were started", z.object({ runs: z.array(RunBody) })) },
});
const list = createRoute({
  method: "get",
  path: "/runs",
  summary: "List runs, newest first",
  request: { query: z.object({ limit: integerParameter(1, 200, 50), before: epochMilliseconds.optional() }) },
  responses: { 200: json("Runs", z.object({ runs: z.array(RunBody) })), ...refusals(422) },
});
const read = createRoute({
  method: "get",
  path: "/runs/{id}",
  summary: "A run with its jobs",
  request: { params: z.object({ id: runId }) },
  responses: { 200: json("The run", OneRun), ...refusals(404) },
});
const control = createRoute({
  method: "post",
  path: "/runs/{id}/{action}",
  summary: "Pause, resume or cancel a run",
  request: { params: z.object({ id: runId, action: z.enum(RUN_ACTIONS) }) },
  responses: { 200: json("The run", OneRun), ...refusals(404, 409, 422) },
});
const controlJob = createRoute({
  method: "post",
  path: "/runs/{id}/jobs/{symbol}/{action}",
  summary: "Pause, resume, cancel, skip or retry one job",
  request: { params: z.object({ id: runId, symbol: symbolParameter, action: z.enum(JOB_ACTIONS) }) },
  responses: { 200: json("The job", z.object({ job: JobBody })), ...refusals(404, 409, 422) },
});

export function runRoutes({ db, runs }: Services) {
  return apiRouter()
    .openapi(start, async (c) => {
      // Parsed once more from the checked body: the same reading as for forms and the command line.
      const run = await runs.start(parseRunOrder(c.req.valid("json")));
      return c.json({ run: runToWire(run) }, 202);
    })
    .openapi(outdated, async (c) => c.json({ runs: (await reprocessOutdated(db, runs)).map(runToWire) }, 202))
    .openapi(list, async (c) => {
      const { limit, before } = c.req.valid("query");
      return c.json({ runs: (await runs.list(limit, before)).map(runToWire) }, 200);
    })
    .openapi(read, async (c) => {
      const { run, jobs } = await runs.read(c.req.valid("param").id);
      return c.json({ run: { ...runToWire(run), jobs: jobs.map(jobToWire) } }, 200);
    })
    .openapi(control, async (c) => {
      const { id, action } = c.req.valid("param");
      return c.json({ run: runToWire(await runs.actOnRun(id, action)) }, 200);
    })
    .openapi(controlJob, async (c) => {
      const { id, symbol, action } = c.req.valid("param");
      await runs.actOnJob(id, symbol, action);
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
