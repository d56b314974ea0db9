/** `/api/promises`: list, create, read, change and delete promises, and the results of their deadlines. */

import { createRoute, z } from "@hono/zod-openapi";
import { INTERVALS } from "../../domain/market/interval.ts";
import { RISK_CAUSES } from "../../domain/promises/forecast.ts";
import {
  FORECASTS,
  PROMISE_DAYS,
  PROMISE_OUTCOMES,
  PROMISE_SCOPES,
  PROMISE_VENUES,
  type PromiseResult,
} from "../../domain/promises/promise.ts";
import { isoMillisecond } from "../../domain/time.ts";
import { PromiseBody, PromisePatchBody, promiseToWire } from "../../scheduler/promises/promise-request.ts";
import type { KnownPromise } from "../../scheduler/promises/promise-service.ts";
import type { PromiseStatus } from "../../scheduler/promises/promise-watch.ts";
import { wholeNumberText } from "../../schemas.ts";
import { apiRouter, byId, idParameter, json, jsonBody, momentParameter, refusals } from "../api/parameters.ts";
import type { Services } from "../services.ts";

const ResultAnswer = z
  .object({
    deadline: z.string(),
    outcome: z.enum(PROMISE_OUTCOMES),
    judged_at: z.string(),
    total: z.int(),
    fresh: z.int(),
    missing: z.int(),
    unknown: z.int(),
    gaps: z.int().nullable().openapi({ description: "null: not known" }),
    note: z.string().openapi({ description: "Why; empty for one that was kept" }),
    symbols: z.array(z.string()).openapi({ description: "The first of those that were missing" }),
    recovered_at: z.string().nullable(),
  })
  .openapi("PromiseResult");
const StatusAnswer = z
  .object({
    deadline: z.string().nullable(),
    forecast: z.enum(FORECASTS),
    reasons: z.array(
      z.object({
        cause: z.enum(RISK_CAUSES),
        forecast: z.enum(FORECASTS),
        symbols: z.int().openapi({ description: "How many it concerns; 0: the promise as a whole" }),
        text: z.string(),
      }),
    ),
    total: z.int(),
    fresh: z.int(),
    missing: z.int(),
    unknown: z.int(),
    gaps: z.int(),
    confirmed_gaps: z.int().openapi({ description: "Those of the gaps that repairs could not fill" }),
    symbols: z.array(z.string()).openapi({ description: "The first of those that are missing" }),
    burn_down: z.array(z.object({ at: z.string(), missing: z.int() })),
    at: z.string().openapi({ description: "When this was read" }),
  })
  .openapi("PromiseStatus");
const PromiseAnswer = z
  .object({
    id: z.int(),
    name: z.string(),
    scope: z.enum(PROMISE_SCOPES),
    symbols: z.array(z.string()),
    watchlist_id: z.int().nullable(),
    interval: z.enum(INTERVALS),
    provider: z.string().nullable().openapi({ description: "null: whichever series stands for the symbol" }),
    by_time: z.string(),
    time_zone: z.string(),
    days: z.enum(PROMISE_DAYS),
    venue: z.enum(PROMISE_VENUES),
    max_gaps: z.int(),
    gap_days: z.int(),
    warn_hours: z.int(),
    enabled: z.boolean(),
    status: StatusAnswer.nullable().openapi({ description: "Of the next deadline; null while it is paused" }),
    last_result: ResultAnswer.nullable(),
  })
  .openapi("Promise");
const One = z.object({ promise: PromiseAnswer });
const tags = ["Promises"];

const list = createRoute({
  method: "get",
  path: "/promises",
  operationId: "listPromises",
  tags,
  summary: "All promises with the forecast of their next deadline and their last result",
  responses: { 200: json("Promises", z.object({ promises: z.array(PromiseAnswer) })) },
});
const create = createRoute({
  method: "post",
  path: "/promises",
  operationId: "createPromise",
  tags,
  summary: "Create a promise",
  request: jsonBody(PromiseBody),
  responses: { 201: json("The promise", One), ...refusals(400, 409, 415, 422) },
});
const read = createRoute({
  method: "get",
  path: "/promises/{id}",
  operationId: "readPromise",
  tags,
  summary: "A promise",
  request: byId,
  responses: { 200: json("The promise", One), ...refusals(404, 422) },
});
const change = createRoute({
  method: "patch",
  path: "/promises/{id}",
  operationId: "changePromise",
  tags,
  summary: "Change some of a promise; `enabled: false` pauses it",
  request: { ...byId, ...jsonBody(PromisePatchBody) },
  responses: { 200: json("The promise", One), ...refusals(400, 404, 409, 415, 422) },
});
const remove = createRoute({
  method: "delete",
  path: "/promises/{id}",
  operationId: "deletePromise",
  tags,
  summary: "Delete a promise and its results",
  request: byId,
  responses: { 204: { description: "Deleted" }, ...refusals(404, 422) },
});
const results = createRoute({
  method: "get",
  path: "/promises/{id}/results",
  operationId: "listPromiseResults",
  tags,
  summary: "Results of the deadlines of a promise, newest first",
  request: {
    params: z.object({ id: idParameter }),
    query: z.object({ before: momentParameter.optional(), limit: wholeNumberText(1, 1_000).default(100) }),
  },
  responses: { 200: json("Results", z.object({ results: z.array(ResultAnswer) })), ...refusals(404, 422) },
});

export function promiseRoutes({ promises }: Pick<Services, "promises">) {
  return apiRouter()
    .openapi(list, async (c) => c.json({ promises: (await promises.list()).map(toWire) }, 200))
    .openapi(create, async (c) => {
      const saved = await promises.save(null, c.req.valid("json"));
      return c.json({ promise: toWire(saved) }, 201);
    })
    .openapi(read, async (c) => c.json({ promise: toWire(await promises.read(c.req.valid("param").id)) }, 200))
    .openapi(change, async (c) => {
      const changed = await promises.change(c.req.valid("param").id, c.req.valid("json"));
      return c.json({ promise: toWire(changed) }, 200);
    })
    .openapi(remove, async (c) => {
      await promises.remove(c.req.valid("param").id);
      return c.body(null, 204);
    })
    .openapi(results, async (c) => {
      const { before, limit } = c.req.valid("query");
      const window = { before: before === undefined ? Number.MAX_SAFE_INTEGER : before * 1_000, limit };
      const found = await promises.results(c.req.valid("param").id, window);
      return c.json({ results: found.map(resultToWire) }, 200);
    });
}

const iso = (at: number) => isoMillisecond(at / 1_000);

function toWire({ promise, status, results: past }: KnownPromise) {
  return {
    id: promise.id,
    ...promiseToWire(promise),
    status: status === undefined ? null : statusToWire(status),
    last_result: past[0] === undefined ? null : resultToWire(past[0]),
  };
}

function statusToWire(status: PromiseStatus) {
  const { deadline, state, reasons, total, fresh, missing, unknown, gaps, symbols, burnDown, at } = status;
  return {
    deadline: deadline === null ? null : iso(deadline),
    forecast: state,
    reasons: reasons.map((reason) => ({
      cause: reason.cause,
      forecast: reason.state,
      symbols: reason.symbols,
      text: reason.text,
    })),
    ...{ total, fresh, missing, unknown, gaps: gaps.open + gaps.confirmed, confirmed_gaps: gaps.confirmed },
    symbols: [...symbols],
    burn_down: burnDown.map((step) => ({ at: iso(step.at), missing: step.missing })),
    at: iso(at),
  };
}

function resultToWire({ deadline, judgedAt, recoveredAt, symbols, ...result }: PromiseResult) {
  return {
    deadline: iso(deadline),
    ...result,
    judged_at: iso(judgedAt),
    symbols: [...symbols],
    recovered_at: recoveredAt === null ? null : iso(recoveredAt),
  };
}
