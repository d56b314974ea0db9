/** Runs and jobs as the API writes them (`runToWire`, `progressToWire`). */

import { z } from "@hono/zod-openapi";
import { INTERVALS } from "../../domain/market/interval.ts";
import { JOB_STATES, MODES, RUN_STATES } from "../../domain/runs/states.ts";

export const YearsBody = z
  .union([z.int(), z.literal("all")])
  .openapi({ description: "Years of history, or all that the provider has" });

const Rate = z.number().openapi({
  description: "Over the last five minutes while the run is open, on average once it is finished",
});
const Seconds = z.number().nullable().openapi({ description: "Seconds to the end; null while nothing was measured" });

export const RunBody = z
  .object({
    id: z.string(),
    name: z.string().nullable().openapi({ description: "As given when it was started, or that of its schedule" }),
    status: z.enum(RUN_STATES),
    mode: z.enum(MODES),
    interval: z.enum(INTERVALS),
    provider: z.string(),
    years: YearsBody,
    from: z.string().nullable().openapi({ description: "The first day, of a run that was requested by dates" }),
    to: z.string().nullable().openapi({ description: "The day before which it ends" }),
    batch_days: z.int(),
    max_workers: z.int(),
    created_at: z.string(),
    finished_at: z.string().nullable(),
    acknowledged_at: z.string().nullable().openapi({ description: "When somebody took note of its failures" }),
    counts: z.record(z.enum(JOB_STATES), z.int()).openapi({ description: "Jobs in each state" }),
    total: z.int().openapi({ description: "Jobs" }),
    stuck: z.int().openapi({ description: "Jobs at work without progress: retried again and again, or silent" }),
    progress: z.number().openapi({ description: "Mean progress of the jobs that count, 0 to 100" }),
    data_points: z.int().openapi({ description: "Bars held for the ranges of its jobs" }),
    new_bars: z.int().nullable().openapi({ description: "Bars that it has added; null if it began before the server" }),
    api_calls: z.int(),
    symbols_per_minute: Rate,
    bars_per_minute: Rate,
    requests_per_minute: Rate,
    gaps: z.int().openapi({ description: "Sessions that are missing from what complete jobs stored" }),
    not_in_plan: z.array(z.object({ why: z.string(), count: z.int() })).openapi({
      description: "What the provider's plan left out and of how many symbols, most frequent first",
    }),
    eta_seconds: Seconds,
    eta_low: Seconds,
    eta_high: Seconds,
    limited_by: z.enum(["speed", "rate", "quota", "hold"]).nullable().openapi({
      description: "What determines the end: the speed of work, a rate, a spent quota, or the provider's hold",
    }),
    limited_until: z.string().nullable(),
  })
  .openapi("Run");

export const JobBody = z
  .object({
    run_id: z.string(),
    symbol: z.string(),
    interval: z.enum(INTERVALS),
    state: z.enum(JOB_STATES),
    status: z.enum([
      "Queued",
      "Fetching history",
      "Engineering features",
      "Creating profile",
      "Storing profile",
      "Complete",
      "Failed",
      "Paused",
      "Cancelled",
      "Skipped",
    ]),
    progress: z.int(),
    micro_stage: z.string(),
    data_points: z.int(),
    api_calls: z.int(),
    duration: z.number().openapi({ description: "Seconds worked" }),
    seq: z.int().openapi({ description: "The number of its last event in /api/events" }),
    error: z.string().nullable().openapi({ description: "Why it failed" }),
  })
  .openapi("Job");
