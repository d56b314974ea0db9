/** Access control: checks host, origin of forms, identity and scope of every request. */

import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { getCookie } from "hono/cookie";
import { hostName, isEmbedded, isForged, isLoopback, runAs } from "../../auth.ts";
import { type Actor, changesState, covers, neededScope } from "../../domain/access.ts";
import { localPath, wantsFragment } from "../page-context.ts";
import type { Problem } from "../problem.ts";
import type { Authenticator } from "./authenticator.ts";
import { holderOf } from "./session-signals.ts";

declare module "hono" {
  interface ContextVariableMap {
    /** Who sends the request; absent on the open routes without a login. */
    actor: Actor;
    /** Aborts when the login session or token ends: a stream ends with it. */
    sessionSignal: AbortSignal | undefined;
    /** The login session or token, which may hold a limited number of streams. */
    streamHolder: string | undefined;
    /** Whether a login is required. */
    guarded: boolean;
  }
}

export const SESSION_COOKIE = "barkeep-session";

/** Routes without a login: for supervisors, and for browsers before they sign in. */
const OPEN = /^\/(?:healthz|readyz|login|assets\/[^/]+)$/;
const ASSETS = /^\/assets\/[^/]+$/;
/** Responses that outlast the check of their request. */
const STREAMS = /^\/(?:api\/)?events$/;
/** Longest reason stored, characters. */
const MAX_REASON = 200;

interface Dependencies {
  readonly access: Authenticator;
  /** Whether only this machine can reach the server. */
  readonly loopback: boolean;
  refuse(c: Context, fault: Problem): Response | Promise<Response>;
}

export function addGuard(app: OpenAPIHono, { access, loopback, refuse }: Dependencies): void {
  app.use(async (c, next) => {
    const host = c.req.header("Host");
    // DNS rebinding: another site may point its own name at this machine. With a login it could do nothing.
    if (loopback && !access.required && host !== undefined && !isLoopback(hostName(host))) {
      const detail = `Without a password Barkeep answers only as localhost, not as ${host.slice(0, 100)}; set BARKEEP_PASSWORD to use another name`;
      return refuse(c, { status: 403, detail });
    }
    const { method, path } = c.req;
    if (!ASSETS.test(path) && isEmbedded(c.req.raw.headers)) {
      return refuse(c, {
        status: 403,
        detail: "Pages of other sites may link to Barkeep, but not load anything from it",
      });
    }
    if (method !== "GET" && method !== "HEAD" && isForged(c.req.raw.headers)) {
      return refuse(c, { status: 403, detail: "The request comes from a page of another site" });
    }
    c.set("guarded", access.required);
    const admission = await access.identify({
      authorization: c.req.header("Authorization"),
      cookie: getCookie(c, SESSION_COOKIE),
    });
    if (admission !== null) c.set("actor", admission.actor);
    if (OPEN.test(path)) return next();
    if (admission === null) return askToSignIn(c, refuse);
    const { actor, grant } = admission;
    if (grant !== null && STREAMS.test(path)) {
      c.set("sessionSignal", access.signals.signalOf(grant));
      c.set("streamHolder", holderOf(grant));
    }
    const needed = neededScope(method, path);
    if (!covers(actor.scope, needed)) {
      const detail = `That needs the scope ${needed}; ${actor.name} has ${actor.scope}`;
      return refuse(c, { status: 403, detail });
    }
    return next();
  });
}

/** Runs what changes something as the sender of the request, with the reason given. Its body has been read. */
export const asActor: MiddlewareHandler = async (c, next) => {
  const actor: Actor | undefined = c.get("actor");
  if (actor === undefined || !changesState(c.req.method, c.req.path)) return next();
  return runAs(actor, await reasonOf(c), next);
};

/** Redirects a person to the login and back; programs, fragments and streams get 401 instead. */
function askToSignIn(c: Context, refuse: Dependencies["refuse"]): Response | Promise<Response> {
  const { method, path } = c.req;
  const { search } = new URL(c.req.url);
  if (wantsFragment(c) && path !== "/events") {
    c.header("HX-Redirect", loginAddress(pathOf(c.req.header("HX-Current-URL"))));
  } else if (path !== "/events" && !path.startsWith("/api/") && c.req.header("Accept")?.includes("text/html")) {
    return c.redirect(loginAddress(method === "GET" ? path + search : pathOf(c.req.header("Referer"))), 303);
  }
  c.header("WWW-Authenticate", 'Bearer realm="Barkeep"');
  return refuse(c, { status: 401, detail: "Sign in, or send an API token as Authorization: Bearer …" });
}

const loginAddress = (next: string) => (next === "/" ? "/login" : `/login?next=${encodeURIComponent(next)}`);

/** The path and query of a full URL. */
function pathOf(address: string | undefined): string {
  if (address === undefined || !URL.canParse(address)) return "/";
  const { pathname, search } = new URL(address);
  return localPath(pathname + search);
}

/** The reason given for an action: `?reason=`, or the form's field of that name. */
async function reasonOf(c: Context): Promise<string | null> {
  const isForm = c.req.header("Content-Type")?.startsWith("application/x-www-form-urlencoded");
  const given = c.req.query("reason") ?? (isForm ? (await c.req.parseBody()).reason : undefined);
  return typeof given === "string" && given.trim() !== "" ? given.trim().slice(0, MAX_REASON) : null;
}
