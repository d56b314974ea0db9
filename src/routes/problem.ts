/** Errors as RFC 9457 problem details. */

import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type FieldError, messageOf, Refusal } from "../domain/errors.ts";
import { storageFault } from "../storage/db.ts";

/** When to try again what a database in trouble has prevented, seconds. */
const TRY_AGAIN_S = 5;

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Not signed in",
  403: "Not allowed",
  404: "Not found",
  405: "Method not allowed",
  408: "Request took too long",
  409: "Conflict",
  412: "Precondition failed",
  413: "Body too large",
  415: "Unsupported content type",
  416: "Range not satisfiable",
  422: "Invalid input",
  429: "Too many requests",
  500: "Internal error",
  501: "Not installed",
  503: "Not ready",
};

/** The title of a status. */
export const problemTitle = (status: number): string => TITLES[status] ?? "Error";

export interface Problem {
  readonly status: ContentfulStatusCode;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
  /** Seconds until another try makes sense, sent as `Retry-After`. */
  readonly retryAfter?: number | undefined;
}

export const problemType = "application/problem+json";

/** The response `{type, title, status, detail, errors?}`. */
export function problem(c: Context, { status, detail, errors, retryAfter }: Problem): Response {
  if (retryAfter !== undefined) c.header("Retry-After", String(retryAfter));
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
  if (error instanceof Refusal) {
    const { status, errors, retryAfter } = error;
    return { status, detail: messageOf(error), errors, retryAfter };
  }
  const fault = storageFault(error);
  if (fault !== null) return { status: 503, detail: `${fault.what}. ${fault.advice}`, retryAfter: TRY_AGAIN_S };
  return { status: 500, detail: "Something went wrong inside Barkeep; the log has the details." };
}
