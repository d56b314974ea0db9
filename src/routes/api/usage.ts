/** `GET /api/usage`: what was asked of each provider. */

import { createRoute, z } from "@hono/zod-openapi";
import { usageToWire } from "../../scheduler/telemetry.ts";
import type { Services } from "../services.ts";
import { apiRouter, json } from "./parameters.ts";

const Spent = z.object({ requests: z.int(), units: z.int() });

const read = createRoute({
  method: "get",
  path: "/usage",
  summary: "Requests and weighted units in the last minute and today, per provider",
  responses: {
    200: json(
      "Usage",
      z.object({ usage: z.array(z.object({ provider: z.string(), last_minute: Spent, today: Spent })) }),
    ),
  },
});

export const usageRoutes = ({ usage }: Services) =>
  apiRouter().openapi(read, (c) => c.json({ usage: usage.usage().map(usageToWire) }, 200));
