/** Errors as RFC 9457 problem details. */

import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type FieldError, messageOf, Refusal } from "../domain/errors.ts";
import { storageFault } from "../storage/db.ts";

/** When to try again what a database in trouble has prevented, seconds. */
const TRY_AGAIN_S = 5;

interface ProblemKind {
  readonly title: string;
  /** When a request gets it. */
  readonly meaning: string;
}

const KINDS: Readonly<Record<number, ProblemKind>> = {
  400: { title: "Bad request", meaning: "The body is not JSON, or the request names no valid host" },
  401: { title: "Not signed in", meaning: "A password is set, and the request has no valid token" },
  403: { title: "Not allowed", meaning: "The token lacks the scope, or a browser sent the request from another site" },
  404: { title: "Not found", meaning: "There is nothing with this name or id" },
  405: { title: "Method not allowed", meaning: "The path does not take this method" },
  408: { title: "Request took too long", meaning: "The body did not arrive in time" },
  409: { title: "Conflict", meaning: "The current state does not allow this; `detail` says why" },
  410: { title: "Gone", meaning: "The task of this request has ended" },
  412: { title: "Precondition failed", meaning: "The file is not the one that `If-Match` names" },
  413: { title: "Body too large", meaning: "The body is larger than the route takes" },
  415: {
    title: "Unsupported content type",
    meaning: "The route does not take this content type, or the body is compressed",
  },
  416: { title: "Range not satisfiable", meaning: "The range lies outside of the file" },
  422: { title: "Invalid input", meaning: "Fields are missing, wrong or unknown; `errors` lists them" },
  429: {
    title: "Too many requests",
    meaning: "Too many attempts or streams at once; `Retry-After` says when to try again",
  },
  500: { title: "Internal error", meaning: "A fault of the server; its log has the details" },
  501: { title: "Not installed", meaning: "An optional package is missing: `detail` has the command that adds it" },
  503: { title: "Not ready", meaning: "The server cannot do this now; `Retry-After` says when to try again" },
};

/** The title of a status. */
export const problemTitle = (status: number): string => KINDS[status]?.title ?? "Error";

/** When a request gets this status. */
export const problemMeaning = (status: number): string => KINDS[status]?.meaning ?? "Refused";

/** The place of a status in `/api/docs`, e.g. `problem-invalid-input`. */
const anchorOf = (title: string) => `problem-${title.toLowerCase().replaceAll(" ", "-")}`;

/** All kinds of problems, as `/api/docs` lists them. */
export const PROBLEM_KINDS = Object.entries(KINDS).map(([status, kind]) => ({
  ...kind,
  status: Number(status),
  anchor: anchorOf(kind.title),
}));

/**
 * The URI of a kind of problem: its description in `/api/docs`.
 * @param base the path below which the server is reached; empty at the root of the host
 */
export const problemUri = (status: number, base: string): string =>
  KINDS[status] === undefined ? "about:blank" : `${base}/api/docs#${anchorOf(KINDS[status].title)}`;

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
    type: problemUri(status, c.get("basePath") ?? ""),
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
