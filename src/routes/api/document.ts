/** The OpenAPI document: what the routes declare, with the address of the server and the scope that each operation needs. */

import { OpenAPIHono } from "@hono/zod-openapi";
import type { Hono } from "hono";
import { yieldToEvents } from "../../clock.ts";
import type { Config } from "../../config.ts";
import { neededScope } from "../../domain/access.ts";
import { problemMeaning, problemType } from "../problem.ts";
import examples from "./examples.json";

/** A request and its answer, in short: taken from a server by `docs/api-examples.ts`. */
export interface Example {
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly type?: string;
    readonly body?: unknown;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    /** JSON, or a text; nothing if the answer has no body or a binary one. */
    readonly body?: unknown;
  };
}

const EXAMPLES: ReadonlyMap<string, Example> = new Map<string, Example>(Object.entries(examples));

/** The example of an operation. */
export const exampleOf = (operationId: string): Example | null => EXAMPLES.get(operationId) ?? null;

const INFO = { title: "Barkeep", version: "1", description: "Runs, profiles, bars and live progress." };

const TAGS = [
  { name: "Data", description: "Bars, features and labels as tables" },
  { name: "Profiles", description: "Features, statistics and data quality of a symbol and interval" },
  { name: "Runs", description: "Runs of the pipeline and their jobs" },
  { name: "Companies", description: "Known companies and their facts" },
  { name: "Watchlists", description: "Named lists of symbols" },
  { name: "Schedules", description: "Runs that start at set times" },
  { name: "Promises", description: "Data that is to be up to date by a time of day" },
  { name: "Operation", description: "Activity, machines, logs, audit and storage of the server" },
];

/** The security scheme of operations. */
const TOKEN = "token";
const SCHEME = {
  type: "http",
  scheme: "bearer",
  description:
    "A token of /settings/access, needed where a password is set. Each scope includes those before it: read, operate, admin.",
} as const;

/** The operations of all routes, each on its own. */
function* declarations(routes: readonly Hono[]): Generator<OpenAPIHono> {
  for (const each of routes) {
    if (!(each instanceof OpenAPIHono)) continue;
    for (const definition of each.openAPIRegistry.definitions) {
      if (definition.type !== "route") throw new Error(`a ${definition.type} is declared that is no route`);
      const operation = new OpenAPIHono();
      operation.openAPIRegistry.registerPath({ ...definition.route, path: `/api${definition.route.path}` });
      yield operation;
    }
  }
}

/**
 * Reads the document of the routes below `/api`. Each operation is a piece of work of its own: the first takes up to 20 ms,
 * because none of the code is compiled yet, all of them 50.
 * @throws Error if they declare anything but routes
 */
export async function apiDocument(routes: readonly Hono[], { publicUrl }: Pick<Config, "publicUrl">) {
  const about = {
    openapi: "3.1.0",
    info: INFO,
    servers: [{ url: (publicUrl ?? "/").replace(/(.)\/+$/, "$1") }],
    tags: TAGS,
  };
  const paths: Record<string, object> = {};
  const components: Record<string, object> = {};
  for (const operation of declarations(routes)) {
    const described = operation.getOpenAPI31Document(about);
    for (const [path, methods] of Object.entries(described.paths ?? {})) {
      paths[path] = { ...paths[path], ...answeredMethods(path, methods as Readonly<Record<string, Described>>) };
    }
    for (const [kind, each] of Object.entries(described.components ?? {})) {
      // A schema is described as where it is first used, as in one piece: there it may be `null`.
      components[kind] = { ...components[kind], ...each, ...components[kind] };
    }
    await yieldToEvents();
  }
  return { ...about, components: { ...components, securitySchemes: { [TOKEN]: SCHEME } }, paths, webhooks: {} };
}

/** The operations of a path with their examples, the scope that each needs and its refusals. */
function answeredMethods(path: string, methods: Readonly<Record<string, Described>>) {
  const operations = Object.entries(methods).map(([method, operation]) => {
    const scope = neededScope(method.toUpperCase(), path);
    const { responses, ...rest } = withExample(operation);
    const guarded = { ...responses, ...accessRefusals(scope) };
    return [method, { ...rest, responses: guarded, security: [{ [TOKEN]: [scope] }] }] as const;
  });
  return Object.fromEntries(operations);
}

type Content = Readonly<Record<string, object>>;

/** The part of an operation to which examples are added. */
interface Described {
  readonly operationId?: string;
  readonly requestBody?: { readonly content?: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

function withExample(operation: Described): Described {
  const example = exampleOf(operation.operationId ?? "");
  if (example === null) return operation;
  const { request, response } = example;
  const { requestBody, responses } = operation;
  const status = String(response.status);
  const type = (response.headers["content-type"] ?? "").split(";")[0]!;
  const answer = responses[status];
  return {
    ...operation,
    ...(requestBody && {
      requestBody: { ...requestBody, ...exampled(requestBody.content, request.type, request.body) },
    }),
    ...(answer && {
      responses: { ...responses, [status]: { ...answer, ...exampled(answer.content, type, response.body) } },
    }),
  };
}

/** The contents with an example at one media type. */
function exampled(content: Content | undefined, type = "", example?: unknown): { readonly content?: Content } {
  const at = content?.[type];
  if (at === undefined || example === undefined) return content === undefined ? {} : { content };
  return { content: { ...content, [type]: { ...at, example } } };
}

/** The refusals of senders: the same for every operation, but for the scope. */
const accessRefusals = (scope: string) => ({
  401: refusal(problemMeaning(401)),
  403: refusal(`The token lacks the scope ${scope}, or a browser sent the request from another site`),
});

const refusal = (description: string) => ({
  description,
  content: { [problemType]: { schema: { $ref: "#/components/schemas/Problem" } } },
});
