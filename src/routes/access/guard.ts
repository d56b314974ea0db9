/** Access control: checks host, origin of forms, identity and scope of every request. */

import { isIP } from "node:net";
import type { Context, Hono, MiddlewareHandler } from "hono";
import { hostName, isEmbedded, isForged, isLoopback, runAs } from "../../auth.ts";
import type { Config } from "../../config.ts";
import { type Actor, changesState, covers, lacksScope, neededScope } from "../../domain/access.ts";
import { localPath, wantsFragment } from "../page-context.ts";
import type { Problem } from "../problem.ts";
import type { Authenticator } from "./authenticator.ts";
import { type ClientAddresses, networkOf } from "./client-address.ts";
import type { RefusalRecord } from "./refusal-record.ts";
import type { SessionCookie } from "./session-cookie.ts";
import { holderOf } from "./session-signals.ts";

declare module "hono" {
  interface ContextVariableMap {
    /** Who sends the request; absent on the open routes without a login. */
    actor: Actor;
    /** Aborts when the login session or token ends: a stream or an export ends with it. */
    sessionSignal: AbortSignal | undefined;
    /** The login session or token, which may hold a limited number of streams. */
    streamHolder: string | undefined;
    /** Whether a login is required. */
    guarded: boolean;
  }
}

/** Routes without a login: for supervisors, for browsers before they sign in, and the client, which has no secret. */
const OPEN = /^\/(?:healthz|readyz|login|barkeep\.py|assets\/[^/]+)$/;
const ASSETS = /^\/assets\/[^/]+$/;
/** For supervisors, which use names of their own; they reveal nothing. */
const PROBES = /^\/(?:healthz|readyz)$/;
/** Longest path of a refused request on record, characters. */
const MAX_SUBJECT = 100;
/** Longest reason stored, characters. */
const MAX_REASON = 200;

interface Dependencies {
  readonly access: Authenticator;
  readonly config: Pick<Config, "host" | "publicUrl">;
  readonly clients: ClientAddresses;
  readonly cookie: SessionCookie;
  readonly refusals: RefusalRecord;
  refuse(c: Context, fault: Problem): Response | Promise<Response>;
}

export function addGuard(app: Hono, dependencies: Dependencies): void {
  const { access, config, clients, cookie, refusals, refuse } = dependencies;
  /** Refuses and puts it on record. */
  const forbid = (c: Context, detail: string, why: string, actor = "nobody") => {
    const subject = `${c.req.method} ${c.req.path.slice(0, MAX_SUBJECT)}`;
    refusals.note({ action: "request.refuse", actor, subject, why, from: networkOf(clients.of(c)) });
    return refuse(c, { status: 403, detail });
  };
  app.use(async (c, next) => {
    const { method, path } = c.req;
    const host = c.req.header("Host") ?? "";
    const authorization = c.req.header("Authorization");
    if (!isKnownHost(host, config, access.required) && !(access.required && (authorization || PROBES.test(path)))) {
      const way = access.required
        ? `set BARKEEP_URL to the address that you use`
        : "set BARKEEP_PASSWORD to use another name";
      const detail = `Barkeep does not answer as ${host.slice(0, 100)}, only as localhost${access.required ? " and BARKEEP_URL" : ""}; ${way}`;
      return forbid(c, detail, `another host: ${host.slice(0, 100)}`);
    }
    if (!ASSETS.test(path) && isEmbedded(c.req.raw.headers)) {
      const detail = "Pages of other sites may link to Barkeep, but not load anything from it";
      return forbid(c, detail, "embedded in a page of another site");
    }
    if (method !== "GET" && method !== "HEAD" && isForged(c.req.raw.headers, config.publicUrl)) {
      return forbid(c, "The request comes from a page of another site", "sent by a page of another site");
    }
    c.set("guarded", access.required);
    const admission = await access.identify({ authorization, cookie: cookie.read(c) });
    if (admission !== null) c.set("actor", admission.actor);
    if (OPEN.test(path)) return next();
    if (admission === null) {
      if (authorization !== undefined) {
        const from = networkOf(clients.of(c));
        const subject = `${method} ${path.slice(0, MAX_SUBJECT)}`;
        refusals.note({ action: "request.refuse", actor: "nobody", subject, why: "not a valid token", from });
      }
      return askToSignIn(c, refuse);
    }
    const { actor, grant } = admission;
    // Any response may outlast the check of its request.
    if (grant !== null) {
      c.set("sessionSignal", access.signals.signalOf(grant));
      c.set("streamHolder", holderOf(grant));
    }
    const needed = neededScope(method, path);
    if (!covers(actor.scope, needed)) {
      // As in RFC 6750: a worker ends then, because its token will never do.
      c.header("WWW-Authenticate", `Bearer realm="Barkeep", error="insufficient_scope", scope="${needed}"`);
      return forbid(c, `That ${lacksScope(actor, needed)}`, `needs the scope ${needed}`, actor.name);
    }
    return next();
  });
}

/**
 * Whether the server may answer under this name. Another site may point its own name at this machine (DNS rebinding); it
 * cannot do so with an address, so addresses are fine where the server is reached by them.
 */
function isKnownHost(
  header: string,
  { host, publicUrl }: Pick<Config, "host" | "publicUrl">,
  required: boolean,
): boolean {
  const name = hostName(header).toLowerCase();
  if (isLoopback(name)) return true;
  if (!required) return !isLoopback(host);
  if (name === host.toLowerCase() || (publicUrl !== undefined && name === new URL(publicUrl).hostname)) return true;
  return !isLoopback(host) && isIP(name.replace(/^\[(.*)\]$/, "$1")) !== 0;
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
  const isUnsent = changesState(method, path);
  if (wantsFragment(c) && path !== "/events") {
    c.header("HX-Redirect", loginAddress(pathOf(c.req.header("HX-Current-URL")), isUnsent));
  } else if (path !== "/events" && !path.startsWith("/api/") && c.req.header("Accept")?.includes("text/html")) {
    const next = method === "GET" ? path + search : pathOf(c.req.header("Referer"));
    return c.redirect(loginAddress(next, isUnsent), 303);
  }
  c.header("WWW-Authenticate", 'Bearer realm="Barkeep"');
  return refuse(c, { status: 401, detail: "Sign in, or send an API token as Authorization: Bearer …" });
}

/** The login's address, which says if something was sent that was not stored. */
function loginAddress(next: string, isUnsent: boolean): string {
  const query = new URLSearchParams({ ...(next !== "/" && { next }), ...(isUnsent && { unsent: "1" }) }).toString();
  return query === "" ? "/login" : `/login?${query}`;
}

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
