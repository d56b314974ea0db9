/** What the JSON routes share: the router with its refusals, and the checked forms of their parameters. */

import { OpenAPIHono, z } from "@hono/zod-openapi";
import { RUN_DEFAULTS } from "../../domain/defaults.ts";
import { describeError, quote } from "../../domain/errors.ts";
import { INTERVALS } from "../../domain/market/interval.ts";
import { parseSymbol } from "../../domain/market/symbol.ts";
import { fieldErrors } from "../../scheduler/runs/run-request.ts";
import { problem, problemType } from "../problem.ts";

/** A router that answers bad input with problem details, one error per field. */
export function apiRouter(): OpenAPIHono {
  return new OpenAPIHono({
    defaultHook(result, c) {
      if (result.success) return;
      const errors = fieldErrors(result.error);
      return problem(c, { status: 422, detail: errors.map(describeError).join("; "), errors });
    },
  });
}

const ProblemBody = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .openapi("Problem");

interface RefusalResponse {
  readonly description: string;
  readonly content: { readonly [problemType]: { readonly schema: typeof ProblemBody } };
}

/** The refusals of a route, for its description. */
export const refusals = <const S extends readonly number[]>(...statuses: S) =>
  Object.fromEntries(
    statuses.map((status) => [status, { description: "Refused", content: { [problemType]: { schema: ProblemBody } } }]),
  ) as Record<S[number], RefusalResponse>;

export const symbolParameter = z
  .string()
  .transform((text, context) => {
    const symbol = parseSymbol(text);
    if (symbol !== null) return symbol;
    context.addIssue({ code: "custom", message: `${quote(text)} is not a symbol` });
    return z.NEVER;
  })
  .openapi({ type: "string", example: "AAPL" });

export const intervalParameter = z
  .enum(INTERVALS, { error: ({ input }) => `${quote(String(input))} is not one of ${INTERVALS.join(", ")}` })
  .default(RUN_DEFAULTS.interval);

/** A moment as an ISO date or time (UTC unless it says otherwise) or as epoch seconds; epoch seconds inside. */
export const momentParameter = z
  .string()
  .transform((text, context) => {
    const seconds = /^-?\d{1,12}$/.test(text) ? Number(text) : Date.parse(text) / 1000;
    if (Number.isFinite(seconds)) return seconds;
    context.addIssue({
      code: "custom",
      message: `${quote(text)} is no moment: wants 2024-01-31, 2024-01-31T14:30:00Z or epoch seconds`,
    });
    return z.NEVER;
  })
  .openapi({ type: "string", example: "2024-01-31" });

export const integerParameter = (min: number, max: number, fallback: number) => {
  const error = `wants a whole number from ${min} to ${max}`;
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error }).default(fallback);
};

/** A JSON answer, for a route's description. */
export const json = <T extends z.ZodType>(description: string, schema: T) => ({
  description,
  content: { "application/json": { schema } },
});
