/** @jsxImportSource hono/jsx */
/** `GET /api/openapi.json`: the OpenAPI document; `GET /api/docs`: the same as a page. */

import { Hono } from "hono";
import { ApiDocsPage, type ApiField, type ApiOperation } from "../../views/api-docs.tsx";
import { PROBLEM_KINDS } from "../problem.ts";

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
  readonly paths?: Readonly<Record<string, object>>;
}

export const docsRoutes = (document: () => ApiDocument) =>
  new Hono()
    .get("/api/openapi.json", (c) => c.json(document()))
    .get("/api/docs", (c) =>
      c.html(<ApiDocsPage page={c.var.page} operations={operationsOf(document())} problems={PROBLEM_KINDS} />),
    );

function operationsOf({ paths = {} }: ApiDocument): ApiOperation[] {
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
        method: method.toUpperCase(),
        path,
        summary: operation.summary ?? "",
        fields: [...parameters, ...bodies],
        answers,
      };
    }),
  );
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
