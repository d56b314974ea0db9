/** @jsxImportSource hono/jsx */
/** `GET /api/openapi.json`: the OpenAPI document; `GET /api/docs`: the same as a page. */

import { Hono } from "hono";
import { raw } from "hono/html";
import type { Child } from "hono/jsx";
import { yieldToEvents } from "../../clock.ts";
import type { Config } from "../../config.ts";
import { ApiDocsPage, type ApiField, ApiGroupSection, type ApiOperation } from "../../views/api-docs.tsx";
import { serverAddress } from "../http/server-address.ts";
import { PROBLEM_KINDS } from "../problem.ts";
import { exampleOf } from "./document.ts";

/** The part of a JSON schema that the page shows. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly example?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly const?: unknown;
  readonly $ref?: string;
}

interface Operation {
  readonly operationId?: string;
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly parameters?: readonly {
    name: string;
    in: string;
    required?: boolean;
    schema?: Schema;
    description?: string;
  }[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> };
  readonly responses: Readonly<Record<string, { readonly description?: string }>>;
}

/** The part of an OpenAPI document that the page shows. */
export interface ApiDocument {
  readonly tags?: readonly { readonly name: string; readonly description?: string }[];
  readonly paths?: Readonly<Record<string, object>>;
}

export const docsRoutes = (config: Pick<Config, "publicUrl">, document: () => Promise<ApiDocument>) =>
  new Hono()
    .get("/api/openapi.json", async (c) => c.json(await document()))
    .get("/api/docs", async (c) => {
      const described = await document();
      const caller = { server: serverAddress(config, c), hasLogin: c.get("guarded") };
      const operations = Map.groupBy(operationsOf(described, caller), ({ tag }) => tag);
      const groups = (described.tags ?? []).map(({ name, description = "" }) => ({
        name,
        description,
        operations: operations.get(name) ?? [],
      }));
      // All of it takes 20 ms the first time.
      const sections: Child[] = [];
      for (const group of groups) {
        sections.push(raw((<ApiGroupSection group={group} />).toString()));
        await yieldToEvents();
      }
      return c.html(<ApiDocsPage page={c.var.page} groups={groups} sections={sections} problems={PROBLEM_KINDS} />);
    });

/** How a program reaches the server. */
interface Caller {
  readonly server: string;
  /** Whether the server requires a login: commands then send the token in `BARKEEP_TOKEN`. */
  readonly hasLogin: boolean;
}

function operationsOf({ paths = {} }: ApiDocument, caller: Caller): (ApiOperation & { readonly tag: string })[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, value]) => {
      const operation = value as Operation;
      const parameters = (operation.parameters ?? []).map((parameter) =>
        fieldOf(
          parameter.name,
          parameter.in,
          parameter.schema ?? {},
          parameter.required ?? false,
          parameter.description,
        ),
      );
      const bodies = Object.values(operation.requestBody?.content ?? {}).flatMap(({ schema }) =>
        fieldsOf(schema ?? {}),
      );
      const answers = Object.entries(operation.responses).map(([status, answer]) => ({
        status,
        description: answer.description ?? "",
      }));
      return {
        id: operation.operationId ?? "",
        tag: operation.tags?.[0] ?? "",
        method: method.toUpperCase(),
        path,
        curl: curlOf(method.toUpperCase(), path, operation, caller),
        summary: operation.summary ?? "",
        fields: [...parameters, ...bodies],
        answers,
        example: exampleText(operation.operationId ?? ""),
      };
    }),
  );
}

/** The example of an operation as text, an HTTP request and its shortened response; `null` without one. */
function exampleText(operationId: string): ApiOperation["example"] {
  const example = exampleOf(operationId);
  if (example === null) return null;
  const { request, response } = example;
  const bodyText = (body: unknown) => (typeof body === "string" ? body : JSON.stringify(body, null, 2));
  const message = (head: readonly string[], body: unknown) =>
    body === undefined ? head.join("\n") : `${head.join("\n")}\n\n${bodyText(body)}`;
  const type = request.type === undefined ? [] : [`content-type: ${request.type}`];
  const headers = Object.entries(response.headers).map(([name, value]) => `${name}: ${value}`);
  return {
    request: message([`${request.method} ${request.path}`, ...type], request.body),
    response: message([String(response.status), ...headers], response.body),
  };
}

/** Values for fields whose declaration has no example. */
const SAMPLES: Readonly<Record<string, unknown>> = { symbols: ["AAPL"], cron: "30 18 * * 1-5", provider: "demo" };

/** What a call needs besides its required fields: one of several ways to name symbols. */
const CHOSEN: Readonly<Record<string, readonly string[]>> = { readPanel: ["symbols"], createSnapshot: ["symbols"] };

/**
 * The call as a command: required fields with their example, in capitals where there is none, since ids and texts are the
 * caller's own.
 */
function curlOf(
  method: string,
  path: string,
  { operationId = "", parameters = [], requestBody }: Operation,
  { server, hasLogin }: Caller,
) {
  const chosen = CHOSEN[operationId] ?? [];
  const required = parameters.filter(
    (parameter) => parameter.in === "query" && (parameter.required || chosen.includes(parameter.name)),
  );
  const query = required.map(
    ({ name, schema = {} }) => `${name}=${encodeURIComponent(String(sampleOf(name, schema)))}`,
  );
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const schema = parameters.find((parameter) => parameter.name === name)?.schema ?? {};
    return encodeURIComponent(String(sampleOf(name, schema)));
  });
  const [[type, { schema = {} }] = ["", {}]] = Object.entries(requestBody?.content ?? {});
  const text = type === "application/json" ? JSON.stringify(bodyOf(schema, chosen)) : type === "" ? null : "@FILE";
  return [
    "curl --fail-with-body",
    ...(method === "GET" ? [] : [`-X ${method}`]),
    ...(hasLogin ? ['-H "Authorization: Bearer $BARKEEP_TOKEN"'] : []),
    ...(text === null ? [] : [`-H 'Content-Type: ${type}' --data-binary '${text}'`]),
    `'${server}${filled}${query.length > 0 ? `?${query.join("&")}` : ""}'`,
  ].join(" ");
}

/** A body with its required fields; where none is required, with the first. */
function bodyOf({ properties = {}, required = [] }: Schema, chosen: readonly string[]): Record<string, unknown> {
  const names = required.length > 0 ? [...required, ...chosen] : Object.keys(properties).slice(0, 1);
  return Object.fromEntries(names.map((name) => [name, sampleOf(name, properties[name] ?? {})]));
}

function sampleOf(name: string, schema: Schema): unknown {
  const { example, enum: choices, const: only, default: fallback, type, items, minimum } = schema;
  const known = [example, fallback, only, choices?.[0], SAMPLES[name]].find((value) => value !== undefined);
  if (known !== undefined) return known;
  if (items !== undefined) return [sampleOf(name, items)];
  const types = [type].flat();
  if (types.includes("boolean")) return true;
  if (types.includes("integer") || types.includes("number")) return Math.max(1, minimum ?? 1);
  return name.toUpperCase();
}

const fieldsOf = ({ properties = {}, required = [] }: Schema) =>
  Object.entries(properties).map(([name, schema]) => fieldOf(name, "body", schema, required.includes(name)));

function fieldOf(name: string, location: string, schema: Schema, required: boolean, description?: string): ApiField {
  const fallback = schema.default === undefined ? "" : `default ${JSON.stringify(schema.default)}`;
  const example = schema.example === undefined ? "" : `e.g. ${schema.example}`;
  const words = [description ?? schema.description ?? "", fallback, example].filter((word) => word !== "");
  return { name, location, type: typeText(schema), required, description: words.join("; ") };
}

function typeText(schema: Schema): string {
  if (schema.enum) return schema.enum.map(String).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.anyOf) return schema.anyOf.map(typeText).join(" or ");
  if (schema.items) return `list of ${typeText(schema.items)}`;
  if (schema.$ref) return schema.$ref.split("/").at(-1) ?? "object";
  const { minimum, maximum } = schema;
  const bounded = minimum !== undefined && maximum !== undefined && Math.abs(minimum) < 1e9;
  return `${[schema.type].flat().join(" or ") || "any"}${bounded ? ` ${minimum} to ${maximum}` : ""}`;
}
