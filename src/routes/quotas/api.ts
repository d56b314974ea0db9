/** `GET /api/usage`: requests and limits of each provider. */

import { createRoute, z } from "@hono/zod-openapi";
import { usageReport } from "../../scheduler/quotas/usage-report.ts";
import { apiRouter, json } from "../api/parameters.ts";
import type { Services } from "../services.ts";

const Spent = z.object({ requests: z.int(), units: z.int() });

const Limit = z.object({
  period: z.enum(["minute", "hour", "day", "month"]),
  counts: z.enum(["requests", "units"]),
  used: z.number(),
  limit: z.number(),
  resets_at: z.string().nullable(),
});

export const UsageBody = z
  .object({
    provider: z.string(),
    last_minute: Spent,
    today: Spent,
    limits: z.array(Limit),
    hold: z.object({ until: z.string(), reason: z.string() }).nullable().openapi({
      description: "Until when no request is sent, and why",
    }),
    waiting: z.int().openapi({ description: "Requests that wait for the limits" }),
    spenders: z.array(z.object({ run: z.string(), units: z.number() })).openapi({
      description: "Who used units today, most first: runs by their id, or `companies`, `check`",
    }),
  })
  .openapi("Usage");

const read = createRoute({
  method: "get",
  path: "/usage",
  operationId: "readUsage",
  tags: ["Operation"],
  summary: "Requests and weighted units in the last minute and today, per provider",
  responses: {
    200: json(
      "Usage",
      z.object({
        usage: z.array(UsageBody),
      }),
    ),
  },
});

export const usageRoutes = ({ usage, limiter }: Pick<Services, "limiter" | "usage">) =>
  apiRouter().openapi(read, (c) => c.json({ usage: usageReport(usage, limiter) }, 200));
