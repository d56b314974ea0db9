/** Middleware of every request, in order: headers, access control, then its body, the page context, error responses. */

import type { Context, Hono, MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { secureHeaders } from "hono/secure-headers";
import { changesState, isOfWorker } from "../domain/access.ts";
import { traceOf } from "../domain/errors.ts";
import { withWaitLimit } from "../storage/connection/wait-limit.ts";
import { StorageUnavailable } from "../storage/db.ts";
import { liveToast } from "../views/live.tsx";
import { ErrorPage } from "../views/ui/layout.tsx";
import { addGuard, asActor } from "./access/guard.ts";
import { IMPORTED, IMPORTS, type RequestBodies } from "./http/request-body.ts";
import { withoutBodyForHead } from "./http/stream-body.ts";
import { withoutTimeout } from "./http/timeouts.ts";
import { pageContext, type SiteContext, wantsFragment } from "./page-context.ts";
import { type Problem, problem, problemOf, problemTitle } from "./problem.ts";
import type { Services } from "./services.ts";

/** Abilities of a browser that no page of ours uses. */
const UNUSED_FEATURES = ["camera", "geolocation", "microphone", "payment", "usb"] as const;

/** How long reads and writes of a request may wait for a database in trouble, milliseconds. */
const WAIT_LIMIT_MS = 2_000;

/** Strict-Transport-Security is set below, where a request came over TLS. */
const SECURITY_HEADERS: Parameters<typeof secureHeaders>[0] = {
  contentSecurityPolicy: {
    defaultSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
    objectSrc: ["'none'"],
    imgSrc: ["'self'", "data:"],
  },
  referrerPolicy: "same-origin",
  strictTransportSecurity: false,
  // For browsers and plug-ins of the past, or what browsers do anyway: every response would carry them. A browser
  // with `frame-ancestors` ignores X-Frame-Options.
  xFrameOptions: false,
  originAgentCluster: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
  xDnsPrefetchControl: false,
  permissionsPolicy: Object.fromEntries(UNUSED_FEATURES.map((name) => [name, []])),
};

const isApi = (c: Context) => c.req.path.startsWith("/api/");

/** Refuses a body in another type than its route reads, whatever it holds. */
const requireContentType: MiddlewareHandler = async (c, next) => {
  if (isOfWorker(c.req.path)) return next();
  const type = c.req.header("Content-Type")?.split(";")[0]?.trim().toLowerCase();
  const hasBody = c.req.header("Content-Length") !== "0" && c.req.raw.body !== null;
  const wanted = IMPORTS.test(c.req.path) ? IMPORTED : ["application/json"];
  if (hasBody && !wanted.includes(type ?? "")) {
    const sent = (type ?? "a body without a type").slice(0, 60);
    return problem(c, { status: 415, detail: `Send ${wanted.join(" or ")}, not ${sent}` });
  }
  return next();
};

export function addMiddleware(
  app: Hono,
  { log, storage }: Pick<Services, "log" | "storage">,
  guard: Omit<Parameters<typeof addGuard>[1], "refuse">,
  { bodies, site }: { readonly bodies: RequestBodies; readonly site: SiteContext },
): void {
  /**
   * Answers programs with problem details, htmx with a toast, people with a page. The page context is built here,
   * because the guard may refuse a request before it has one.
   */
  const refuse = (c: Context, fault: Problem) => {
    if (isApi(c)) return problem(c, fault);
    const { status, detail, retryAfter } = fault;
    if (retryAfter !== undefined) c.header("Retry-After", String(retryAfter));
    if (wantsFragment(c)) return c.html(liveToast("error", detail), status);
    if (!c.req.header("Accept")?.includes("text/html")) return problem(c, fault);
    const page = pageContext(c, site);
    return c.html(ErrorPage({ page, status, title: problemTitle(status), detail }), status);
  };
  app.use(site.base.middleware);
  app.use(withoutBodyForHead);
  // What is answered is private unless its handler says otherwise, as that of styles and scripts does.
  app.use(async (c, next) => {
    await next();
    // Hono's `c.header` would make a new response, whose body is a stream, of one that is there.
    const { headers } = c.res;
    if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store");
  });
  app.use(secureHeaders(SECURITY_HEADERS));
  app.use(async (c, next) => {
    await next();
    // Over TLS only (RFC 6797 §7.2), and for this host alone: others of the domain are not ours to bind.
    if (guard.clients.isSiteSecure(c)) c.res.headers.set("Strict-Transport-Security", "max-age=31536000");
  });
  // A database in trouble delays no answer for long.
  app.use((_, next) => withWaitLimit(WAIT_LIMIT_MS, next));
  addGuard(app, { ...guard, refuse });
  app.use(async (c, next) => {
    const trouble = changesState(c.req.method, c.req.path) ? storage.current() : null;
    return trouble === null ? next() : refuse(c, problemOf(new StorageUnavailable(trouble)));
  });
  app.use(withoutTimeout);
  app.use("/api/*", requireContentType);
  app.use(bodies.reader(refuse));
  app.use(asActor);
  app.use((c, next) => {
    c.set("page", pageContext(c, site));
    return next();
  });
  app.notFound((c) => refuse(c, nothingAt(app, c)));
  app.onError((error, c) => {
    if (error instanceof HTTPException) {
      const detail = isApi(c) ? error.message : error.message || "The request was refused";
      return refuse(c, { status: error.status, detail: detail || "The request was refused" });
    }
    storage.note(error);
    const answer = problemOf(error);
    if (answer.status === 500) log.write("error", `${c.req.method} ${c.req.path}: ${traceOf(error)}`);
    return refuse(c, answer);
  });
}

/** Why no route answers: there is nothing at the path, or it takes other methods, which are named in `Allow`. */
function nothingAt(app: Hono, c: Context): Problem {
  const path = c.req.path.slice(0, 200);
  const allowed = methodsAt(app, c.req.path);
  if (allowed.length === 0 || allowed.includes(c.req.method)) {
    return { status: 404, detail: `There is nothing at ${path}` };
  }
  // Every GET is a HEAD too.
  c.header("Allow", allowed.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : method)).join(", "));
  return { status: 405, detail: `${path} takes ${allowed.join(" or ")}, not ${c.req.method}` };
}

/** The methods that some route answers at `path`. */
function methodsAt(app: Hono, path: string): string[] {
  const methods = app.routes
    .filter(({ method, path: pattern }) => method !== "ALL" && patternOf(pattern).test(path))
    .map(({ method }) => method);
  return [...new Set(methods)];
}

/** A route's path (`/runs/:id`) as a regular expression. */
function patternOf(path: string): RegExp {
  const parts = path
    .split("/")
    .map((part) => (part.startsWith(":") ? "[^/]+" : part === "*" ? ".*" : RegExp.escape(part)));
  return new RegExp(`^${parts.join("/")}$`);
}
