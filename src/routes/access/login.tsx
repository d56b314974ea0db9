/** @jsxImportSource hono/jsx */
/** `/login` and `/logout`. */

import { type Context, Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { isLoopback, runAs } from "../../auth.ts";
import { formatDuration } from "../../domain/time.ts";
import { record } from "../../storage/access/audit.ts";
import { LoginPage } from "../../views/access/login-page.tsx";
import { localPath } from "../page-context.ts";
import type { Services } from "../services.ts";
import { type Authenticator, SESSION_MS } from "./authenticator.ts";
import { SESSION_COOKIE } from "./guard.ts";

export function loginRoutes({ db }: Pick<Services, "db">, access: Authenticator) {
  const routes = new Hono();
  const show = (c: Context, next: string, error: string | null = null, status: ContentfulStatusCode = 200) => {
    c.header("Cache-Control", "no-store");
    return c.html(<LoginPage page={c.var.page} next={next} error={error} />, status);
  };

  routes.get("/login", (c) => {
    const next = afterLogin(c.req.query("next"));
    return access.required ? show(c, next) : c.redirect(next, 303);
  });

  routes.post("/login", async (c) => {
    const { password, next: asked } = await c.req.parseBody();
    const next = afterLogin(asked);
    if (typeof password !== "string" || password === "") return show(c, next, "Enter the password", 422);
    const answer = await access.signIn(addressOf(c), password);
    if ("wait" in answer) {
      const seconds = Math.ceil(answer.wait / 1_000);
      c.header("Retry-After", String(seconds));
      return show(c, next, `Too many attempts: try again in ${formatDuration(seconds)}`, 429);
    }
    if ("error" in answer) return show(c, next, "That is neither the password nor a valid token", 401);
    const { actor, cookie } = answer;
    await runAs(actor, null, () => record(db, { action: "login", subject: actor.name }));
    setCookie(c, SESSION_COOKIE, cookie, {
      path: "/",
      httpOnly: true,
      sameSite: "Lax",
      secure: isSecure(c),
      maxAge: SESSION_MS / 1_000,
    });
    return c.redirect(next, 303);
  });

  routes.post("/logout", async (c) => {
    const cookie = getCookie(c, SESSION_COOKIE);
    if (cookie !== undefined) {
      await access.signOut(cookie);
      const actor = c.get("actor");
      await runAs(actor, null, () => record(db, { action: "logout", subject: actor.name }));
    }
    deleteCookie(c, SESSION_COOKIE, { path: "/", secure: isSecure(c) });
    return c.redirect("/login", 303);
  });

  return routes;
}

/** Where to go after the login: a local page other than the login itself. */
function afterLogin(next: unknown): string {
  const path = localPath(typeof next === "string" ? next : undefined);
  return /^\/log(?:in|out)(?:[/?]|$)/.test(path) ? "/" : path;
}

/** Whether the browser uses TLS, to this server or to a proxy in front of it. */
const isSecure = (c: Context) =>
  new URL(c.req.url).protocol === "https:" || c.req.header("X-Forwarded-Proto")?.split(",")[0]?.trim() === "https";

/** The address that attempts are counted for: the peer, or the client that a proxy on this machine names. */
function addressOf(c: Context): string {
  const server = c.env as Partial<Bun.Server<unknown>> | undefined;
  const peer = server?.requestIP?.(c.req.raw)?.address ?? "unknown";
  const forwarded = c.req.header("X-Forwarded-For")?.split(",").at(-1)?.trim();
  return forwarded && isLoopback(peer.replace(/^::ffff:/, "")) ? forwarded.slice(0, 64) : peer;
}
