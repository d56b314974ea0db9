/** `GET /api/logs`: the stored lines of the log. */

import { createRoute, z } from "@hono/zod-openapi";
import { LOG_LEVELS, type LogLevel, logToWire } from "../../domain/log.ts";
import { wholeNumberText } from "../../schemas.ts";
import { readLog } from "../../storage/log.ts";
import { apiRouter, idParameter, json, refusals, symbolParameter } from "../api/parameters.ts";
import type { Services } from "../services.ts";

const LineBody = z
  .object({
    id: z.int(),
    at: z.string(),
    level: z.enum(LOG_LEVELS),
    run_id: z.string().nullable(),
    symbol: z.string().nullable(),
    message: z.string(),
  })
  .openapi("LogLine");

const list = createRoute({
  method: "get",
  path: "/logs",
  operationId: "listLogs",
  tags: ["Operation"],
  summary: "Lines of the log, newest first; `older` of an answer is the next `before`",
  request: {
    query: z.strictObject({
      run_id: z.string().max(60).optional(),
      symbol: symbolParameter.optional(),
      text: z
        .string()
        .max(200)
        .optional()
        .openapi({ description: "Text that the level or the message contains; upper and lower case are the same" }),
      debug: z.enum(["0", "1"]).default("0").openapi({ description: "1: lines of the level debug too" }),
      limit: wholeNumberText(1, 1_000).default(100),
      before: idParameter.optional(),
    }),
  },
  responses: {
    200: json("The lines", z.object({ lines: z.array(LineBody), older: z.string().nullable() })),
    ...refusals(422),
  },
});

export const logRoutes = ({ db }: Pick<Services, "db">) =>
  apiRouter().openapi(list, async (c) => {
    const { run_id: runId, symbol, text, before, debug, limit } = c.req.valid("query");
    const found = await readLog(db, {
      ...(runId !== undefined && { runId }),
      ...(symbol !== undefined && { symbol }),
      ...(text !== undefined && { text }),
      ...(before !== undefined && { before }),
      debug: debug === "1",
      // One more, to know whether there are older ones.
      limit: limit + 1,
    });
    const lines = found.slice(0, limit);
    const older = found.length > limit ? String(lines.at(-1)!.id) : null;
    return c.json({ lines: lines.map((line) => logToWire({ ...line, level: line.level as LogLevel })), older }, 200);
  });
