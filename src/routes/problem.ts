/** Errors as RFC 9457 problem details. */

import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type FieldError, messageOf, Refusal } from "../domain/errors.ts";

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Not signed in",
  403: "Not allowed",
  404: "Not found",
  405: "Method not allowed",
  409: "Conflict",
  413: "Body too large",
  415: "Unsupported content type",
  422: "Invalid input",
  429: "Too many attempts",
  500: "Internal error",
  503: "Not ready",
};

/** The title of a status. */
export const problemTitle = (status: number): string => TITLES[status] ?? "Error";

export interface Problem {
  readonly status: ContentfulStatusCode;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
}

export const problemType = "application/problem+json";

/** The response `{type, title, status, detail, errors?}`. */
export function problem(c: Context, { status, detail, errors }: Problem): Response {
  const body = {
    type: "about:blank",
    title: problemTitle(status),
    status,
    detail,
    ...(errors && errors.length > 0 && { errors }),
  };
  return c.newResponse(JSON.stringify(body), status, { "Content-Type": problemType });
}

/** The problem that an error is for the caller; an unexpected one becomes 500, and its text stays in the log. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Refusal) return { status: error.status, detail: messageOf(error), errors: error.errors };
  return { status: 500, detail: "Something went wrong inside Barkeep; the log has the details." };
}
