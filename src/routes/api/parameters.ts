/** Shared by the JSON routes: the router, descriptions of refusals, and schemas of parameters. */

import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { RUN_DEFAULTS } from "../../domain/defaults.ts";
import { describeError, invalid, quote } from "../../domain/errors.ts";
import { INTERVALS } from "../../domain/market/interval.ts";
import { parseSymbol, symbolHint } from "../../domain/market/symbol.ts";
import { isInOrder, NOT_IN_ORDER, parseIsoMoment } from "../../domain/time.ts";
import { choice, fieldErrors, readable, wholeNumberText } from "../../schemas.ts";
import { parseCursor } from "../cursor.ts";
import { problem, problemMeaning, problemType } from "../problem.ts";

/** A router that answers bad input with problem details, one error per field; unknown parameters of any route are bad input. */
export function apiRouter(): OpenAPIHono {
  const router = new OpenAPIHono({
    defaultHook(result, c) {
      if (result.success) return;
      const errors = fieldErrors(result.error);
      return problem(c, { status: 422, detail: errors.map(describeError).join("; "), errors });
    },
  });
  const register = router.openapi;
  router.openapi = ((route, ...rest) => {
    const { query, body } = route.request ?? {};
    const known = query instanceof z.ZodObject ? Object.keys(query.shape) : [];
    const middleware = [refuseUnknown(known), ...(body === undefined ? [refuseBody] : [])];
    return register({ ...route, middleware }, ...rest);
    // The router's own type of `openapi` ties the route to its handler, which this only passes on.
  }) as typeof register;
  return router;
}

/** Why something is changed may stand in the query of any request that changes it. */
const REASON = "reason";

/** Refuses a query that has other parameters than these. */
const refuseUnknown =
  (known: readonly string[]): MiddlewareHandler =>
  (c, next) => {
    const isRead = c.req.method === "GET" || c.req.method === "HEAD";
    const unknown = Object.keys(c.req.query()).filter((name) => !known.includes(name) && (isRead || name !== REASON));
    if (unknown.length === 0) return next();
    const there = known.length === 0 ? "there are none" : `there are ${known.join(", ")}`;
    throw invalid("", `unknown parameter ${unknown.map(quote).join(", ")}: ${there}`);
  };

/** A route without a body refuses one: whoever sends fields takes them for something that counts. An empty object has none. */
const refuseBody: MiddlewareHandler = async (c, next) => {
  const text = c.req.method === "GET" ? "" : (await c.req.text()).trim();
  if (text === "" || /^\{\s*\}$/.test(text)) return next();
  throw invalid("", "this request takes no body");
};

const ProblemBody = z
  .object({
    type: z
      .string()
      .openapi({ description: "The address of its description", example: "/api/docs#problem-invalid-input" }),
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

/** The refusals of a route, for its OpenAPI description. */
export const refusals = <const S extends readonly number[]>(...statuses: S) =>
  Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: problemMeaning(status), content: { [problemType]: { schema: ProblemBody } } },
    ]),
  ) as Record<S[number], RefusalResponse>;

export const symbolParameter = readable(
  parseSymbol,
  (text) => `${quote(text)} is not a symbol${symbolHint(text)}`,
).openapi({
  type: "string",
  example: "AAPL",
});

export const intervalParameter = choice(INTERVALS).default(RUN_DEFAULTS.interval);

/** An ISO date or date-time, UTC unless it names an offset; parsed to epoch seconds. */
export const momentParameter = readable(
  (text) => {
    const seconds = parseIsoMoment(text);
    return Number.isNaN(seconds) ? null : seconds;
  },
  (text) => `${quote(text)} is not a date or time: wants 2024-01-31 or 2024-01-31T14:30:00Z`,
).openapi({ type: "string", example: "2024-01-31" });

/** `query`, which also refuses a range that ends before it begins. */
export const inOrder = <Q extends z.ZodType<Parameters<typeof isInOrder>[0]>>(query: Q): Q =>
  query.refine(isInOrder, { error: NOT_IN_ORDER, path: ["to"] });

/** A cursor from `older` or `newer` of a response, or a time in epoch milliseconds. */
export const cursorParameter = readable(
  parseCursor,
  (text) => `${quote(text)} is neither a place in the list nor epoch milliseconds`,
).openapi({ type: "string", example: "1700000000000" });

/** The id of a row. */
export const idParameter = wholeNumberText(1, 1e15);

/** The request of a route whose path ends with the id of a row. */
export const byId = { params: z.object({ id: idParameter }) };

/** The request of a route that wants a JSON body. */
export const jsonBody = <T extends z.ZodType>(schema: T) => ({
  body: { required: true, content: { "application/json": { schema } } },
});

/** A JSON response, for a route's OpenAPI description. */
export const json = <T extends z.ZodType>(description: string, schema: T) => ({
  description,
  content: { "application/json": { schema } },
});
