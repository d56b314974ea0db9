/** Lets in whoever may come in: the right host, no forged forms, a known actor, a scope that is enough. */

import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { getCookie } from "hono/cookie";
import { hostName, isForged, isLoopback, runAs } from "../../auth.ts";
import { type Actor, changesState, covers, neededScope } from "../../domain/access.ts";
import { localPath, wantsFragment } from "../page-context.ts";
import type { Problem } from "../problem.ts";
import type { Authenticator } from "./authenticator.ts";

declare module "hono" {
  interface ContextVariableMap {
    /** Who asks; not set on the few routes that are open to all. */
    actor: Actor;
    /** Aborts when what let the request in ends: a stream ends with it. */
    sessionSignal: AbortSignal | undefined;
    /** Whether there is a login at all. */
    guarded: boolean;
  }
}

export const SESSION_COOKIE = "barkeep-session";

/** Supervisors and browsers that have yet to sign in come here. */
const OPEN = /^\/(?:healthz|readyz|login|assets\/[^/]+)$/;
/** Answers that go on after the request was let in. */
const STREAMS = /^\/(?:api\/)?events$/;
/** Longest reason that is kept, characters. */
const MAX_REASON = 200;

export interface GuardOptions {
  readonly access: Authenticator;
  /** Whether only this machine can reach the server. */
  readonly loopback: boolean;
  refuse(c: Context, fault: Problem): Response | Promise<Response>;
}

export function addGuard(app: OpenAPIHono, { access, loopback, refuse }: GuardOptions): void {
  app.use(async (c, next) => {
    const host = c.req.header("Host");
    // A page elsewhere may give its own name this machine's address; with a login it could still do nothing.
    if (loopback && !access.required && host !== undefined && !isLoopback(hostName(host))) {
      const detail = `Without a password Barkeep answers only as localhost, not as ${host.slice(0, 100)}; set BARKEEP_PASSWORD to use another name`;
      return refuse(c, { status: 403, detail });
    }
    const { method, path } = c.req;
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
    if (grant !== null && STREAMS.test(path)) c.set("sessionSignal", access.signals.signalOf(grant));
    const needed = neededScope(method, path);
    if (!covers(actor.scope, needed)) {
      const detail = `That needs the scope ${needed}; ${actor.name} has ${actor.scope}`;
      return refuse(c, { status: 403, detail });
    }
    return changesState(method, path) ? runAs(actor, await reasonOf(c), next) : next();
  });
}

/** A person is led to the login and back; programs, fragments and streams are told 401, never redirected. */
function askToSignIn(c: Context, refuse: GuardOptions["refuse"]): Response | Promise<Response> {
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

/** The path of a full address. */
function pathOf(address: string | undefined): string {
  if (address === undefined || !URL.canParse(address)) return "/";
  const { pathname, search } = new URL(address);
  return localPath(pathname + search);
}

/** Why somebody does something: `?reason=`, or a form's field of that name. */
async function reasonOf(c: Context): Promise<string | null> {
  const isForm = c.req.header("Content-Type")?.startsWith("application/x-www-form-urlencoded");
  const given = c.req.query("reason") ?? (isForm ? (await c.req.parseBody()).reason : undefined);
  return typeof given === "string" && given.trim() !== "" ? given.trim().slice(0, MAX_REASON) : null;
}
