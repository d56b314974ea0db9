/** @jsxImportSource hono/jsx */
/** `/login` and `/logout`. */

import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { runAs } from "../../auth.ts";
import { formatDuration } from "../../domain/time.ts";
import { record } from "../../storage/access/audit.ts";
import { SESSION_MS } from "../../storage/access/sessions.ts";
import { LoginPage } from "../../views/access/login-page.tsx";
import { requireKnownFields } from "../form-errors.ts";
import { localPath } from "../page-context.ts";
import type { Services } from "../services.ts";
import type { Authenticator } from "./authenticator.ts";
import { type ClientAddresses, networkOf } from "./client-address.ts";
import type { RefusalRecord } from "./refusal-record.ts";
import type { SessionCookie } from "./session-cookie.ts";

interface Dependencies extends Pick<Services, "db"> {
  readonly access: Authenticator;
  readonly clients: ClientAddresses;
  readonly cookie: SessionCookie;
  readonly refusals: RefusalRecord;
}

export function loginRoutes({ db, access, clients, cookie, refusals }: Dependencies) {
  const routes = new Hono();
  const show = (c: Context, next: string, error: string | null = null, status: ContentfulStatusCode = 200) => {
    const isUnsent = c.req.query("unsent") !== undefined;
    return c.html(<LoginPage page={c.var.page} next={next} error={error} isUnsent={isUnsent} />, status);
  };

  routes.get("/login", (c) => {
    const next = afterLogin(c.req.query("next"));
    return access.required ? show(c, next) : c.redirect(next, 303);
  });

  routes.post("/login", async (c) => {
    const sent = await c.req.parseBody();
    requireKnownFields(sent, ["password", "next"]);
    const { password, next: asked } = sent;
    const next = afterLogin(asked);
    if (typeof password !== "string" || password === "") return show(c, next, "Enter the password", 422);
    const address = clients.of(c);
    const refused = (why: string) => {
      const from = networkOf(address);
      refusals.note({ action: "login.refuse", actor: "nobody", subject: "the login", why, from });
    };
    const answer = await access.signIn({ address, agent: c.req.header("User-Agent") ?? "" }, password);
    if ("wait" in answer) {
      const seconds = Math.ceil(answer.wait / 1_000);
      c.header("Retry-After", String(seconds));
      refused("too many attempts");
      return show(c, next, `Too many attempts: try again in ${formatDuration(seconds)}`, 429);
    }
    if ("error" in answer) {
      refused("neither the password nor a valid token");
      return show(c, next, "That is neither the password nor a valid token", 401);
    }
    const { actor, secret } = answer;
    // A browser has one login: whoever copied the cookie of the former one loses it.
    const former = cookie.read(c);
    if (former !== undefined) await access.signOut(former);
    await runAs(actor, null, () => record(db, { action: "login", subject: actor.name }));
    cookie.set(c, secret, SESSION_MS / 1_000);
    return c.redirect(next, 303);
  });

  routes.post("/logout", async (c) => {
    const session = cookie.read(c);
    if (session !== undefined) {
      await access.signOut(session);
      const actor = c.get("actor");
      await runAs(actor, null, () => record(db, { action: "logout", subject: actor.name }));
    }
    cookie.set(c, "", 0);
    return c.redirect("/login", 303);
  });

  return routes;
}

/** Where to go after the login: a local page other than the login itself. */
function afterLogin(next: unknown): string {
  const path = localPath(typeof next === "string" ? next : undefined);
  return /^\/log(?:in|out)(?:[/?]|$)/.test(path) ? "/" : path;
}
