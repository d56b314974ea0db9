/** Theme and time zone of a reader, kept in cookies so that a page is rendered with them. */

import { type Context, Hono } from "hono";
import { setCookie } from "hono/cookie";
import { Refusal } from "../../domain/errors.ts";
import { isZone } from "../../domain/time.ts";
import { isTheme, localPath, THEME_COOKIE, ZONE_COOKIE } from "../page-context.ts";

const YEAR = 365 * 86_400;

export function preferenceRoutes() {
  const routes = new Hono();

  routes.post("/theme", async (c) => {
    const { theme, back } = await c.req.parseBody();
    if (!isTheme(theme)) throw new Refusal("invalid", "There is no such theme");
    return keep(c, THEME_COOKIE, theme, back);
  });

  routes.post("/zone", async (c) => {
    const { zone, back } = await c.req.parseBody();
    if (!isZone(zone)) throw new Refusal("invalid", "There is no such time zone to choose");
    return keep(c, ZONE_COOKIE, zone, back);
  });

  return routes;
}

/** Saves a choice and redirects back to its page. */
function keep(c: Context, cookie: string, value: string, back: unknown): Response {
  setCookie(c, cookie, value, { path: "/", httpOnly: true, sameSite: "Lax", maxAge: YEAR });
  return c.redirect(localPath(typeof back === "string" ? back : undefined), 303);
}
