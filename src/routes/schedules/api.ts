/** `/api/schedules`: list, create, read, change, delete and run schedules. */

import { createRoute, z } from "@hono/zod-openapi";
import { INTERVALS } from "../../domain/market/interval.ts";
import { MODES, RUN_STATES } from "../../domain/runs/states.ts";
import { MISSED_POLICIES, SCHEDULE_SCOPES, TURN_CAUSES, TURN_OUTCOMES, type Turn } from "../../domain/schedules.ts";
import { inputToWire, ScheduleBody, SchedulePatchBody } from "../../scheduler/schedules/schedule-request.ts";
import type { ScheduleStatus } from "../../scheduler/schedules/schedule-service.ts";
import { apiRouter, byId, json, jsonBody, refusals } from "../api/parameters.ts";
import { YearsBody } from "../runs/run-body.ts";
import type { Services } from "../services.ts";

const TurnAnswer = z
  .object({
    due_at: z.string(),
    at: z.string(),
    cause: z.enum(TURN_CAUSES),
    outcome: z.enum(TURN_OUTCOMES),
    note: z.string(),
    run_id: z.string().nullable(),
    run_status: z.enum(RUN_STATES).nullable(),
    complete: z.int(),
    failed: z.int(),
  })
  .openapi("ScheduleTurn");
const ScheduleAnswer = z
  .object({
    id: z.int(),
    name: z.string(),
    cron: z.string(),
    time_zone: z.string(),
    scope: z.enum(SCHEDULE_SCOPES),
    symbols: z.array(z.string()),
    watchlist_id: z.int().nullable(),
    interval: z.enum(INTERVALS),
    provider: z.string().nullable().openapi({ description: "null: the server's default" }),
    mode: z.enum(MODES),
    years: YearsBody,
    enabled: z.boolean(),
    on_missed: z.enum(MISSED_POLICIES),
    words: z.string().openapi({ description: "The cron expression in words" }),
    next_runs: z.array(z.string()),
    last_turn: TurnAnswer.nullable(),
  })
  .openapi("Schedule");
const One = z.object({ schedule: ScheduleAnswer });

const list = createRoute({
  method: "get",
  path: "/schedules",
  operationId: "listSchedules",
  tags: ["Schedules"],
  summary: "All schedules with their next five runs and their last turn",
  responses: { 200: json("Schedules", z.object({ schedules: z.array(ScheduleAnswer) })) },
});
const create = createRoute({
  method: "post",
  path: "/schedules",
  operationId: "createSchedule",
  tags: ["Schedules"],
  summary: "Create a schedule",
  request: jsonBody(ScheduleBody),
  responses: { 201: json("The schedule", One), ...refusals(400, 409, 415, 422) },
});
const read = createRoute({
  method: "get",
  path: "/schedules/{id}",
  operationId: "readSchedule",
  tags: ["Schedules"],
  summary: "A schedule",
  request: byId,
  responses: { 200: json("The schedule", One), ...refusals(404, 422) },
});
const change = createRoute({
  method: "patch",
  path: "/schedules/{id}",
  operationId: "changeSchedule",
  tags: ["Schedules"],
  summary: "Change some of a schedule; `enabled: false` pauses it",
  request: { ...byId, ...jsonBody(SchedulePatchBody) },
  responses: { 200: json("The schedule", One), ...refusals(400, 404, 409, 415, 422) },
});
const remove = createRoute({
  method: "delete",
  path: "/schedules/{id}",
  operationId: "deleteSchedule",
  tags: ["Schedules"],
  summary: "Delete a schedule; its runs stay",
  request: byId,
  responses: { 204: { description: "Deleted" }, ...refusals(404, 422) },
});
const runNow = createRoute({
  method: "post",
  path: "/schedules/{id}/run",
  operationId: "runSchedule",
  tags: ["Schedules"],
  summary: "Run a schedule now, even a paused one",
  request: byId,
  responses: {
    202: json("The schedule, and the turn that this run is", One.extend({ turn: TurnAnswer })),
    ...refusals(404, 409, 422),
  },
});

export function scheduleRoutes({ schedules }: Pick<Services, "schedules">) {
  return apiRouter()
    .openapi(list, async (c) => c.json({ schedules: (await schedules.list()).map(scheduleToWire) }, 200))
    .openapi(create, async (c) => {
      const schedule = await schedules.save(null, c.req.valid("json"));
      return c.json({ schedule: scheduleToWire(schedule) }, 201);
    })
    .openapi(read, async (c) => {
      const schedule = await schedules.read(c.req.valid("param").id);
      return c.json({ schedule: scheduleToWire(schedule) }, 200);
    })
    .openapi(change, async (c) => {
      const schedule = await schedules.change(c.req.valid("param").id, c.req.valid("json"));
      return c.json({ schedule: scheduleToWire(schedule) }, 200);
    })
    .openapi(remove, async (c) => {
      await schedules.remove(c.req.valid("param").id);
      return c.body(null, 204);
    })
    .openapi(runNow, async (c) => {
      const { schedule, turn } = await schedules.runNow(c.req.valid("param").id);
      return c.json({ schedule: scheduleToWire(schedule), turn: turnToWire(turn) }, 202);
    });
}

const iso = (at: number) => new Date(at).toISOString();

function scheduleToWire(schedule: ScheduleStatus) {
  return {
    id: schedule.id,
    ...inputToWire(schedule),
    words: schedule.words,
    next_runs: schedule.nextRuns.map(iso),
    last_turn: schedule.lastTurn && turnToWire(schedule.lastTurn),
  };
}

function turnToWire({ dueAt, at, cause, outcome, note, run }: Turn) {
  return {
    due_at: iso(dueAt),
    at: iso(at),
    cause,
    outcome,
    note,
    run_id: run?.id ?? null,
    run_status: run?.state ?? null,
    complete: run?.complete ?? 0,
    failed: run?.failed ?? 0,
  };
}
