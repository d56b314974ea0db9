/** The page context: path, theme, time zone and reader of a request, and the addresses of the assets. */

import type { Context } from "hono";
import { getCookie } from "hono/cookie";
import type { Actor } from "../domain/access.ts";
import { EXCHANGE_TIME_ZONE, isTimeZone, isZone, type Zone } from "../domain/time.ts";
import { type PageContext, THEMES, type Theme } from "../views/ui/layout.tsx";
import type { BasePath } from "./http/base-path.ts";

declare module "hono" {
  interface ContextVariableMap {
    /** Set for every request that passes the guard. */
    page: PageContext;
  }
}

export const THEME_COOKIE = "barkeep-theme";
export const ZONE_COOKIE = "barkeep-zone";
/** The browser's own time zone, set by `public/app/ui/clock.js`. */
const LOCAL_ZONE_COOKIE = "barkeep-local-zone";

export const isTheme = (value: unknown): value is Theme => THEMES.includes(value as Theme);

/** Whether htmx sent the request and so wants fragments instead of a page. */
export const wantsFragment = (c: Context): boolean => c.req.header("HX-Request") === "true";

/** Whether the sender may see what concerns the owner alone: addresses of mails, tokens, the audit. */
export const isAdmin = (c: Context): boolean => c.get("actor")?.scope === "admin";

export const HIDDEN_REASON = "admins see the reason";

/** Why something failed, for a reader who may know: it names places of the server. */
export const reasonFor = (c: Context, reason: string): string => (isAdmin(c) ? reason : HIDDEN_REASON);

/** What the pages of a server have in common. */
export interface SiteContext extends Pick<PageContext, "assets" | "version"> {
  readonly base: BasePath;
  /** What is done in the background, in a sentence; `null` while nothing is. */
  readonly upkeep: () => string | null;
  /** Why nothing can be stored now. */
  trouble(): PageContext["trouble"];
}

/** The page context of a request; before the guard has identified its sender, nobody is signed in. */
export function pageContext(c: Context, site: SiteContext): PageContext {
  const { assets, version, base } = site;
  const upkeep = site.upkeep();
  const { pathname, search } = new URL(c.req.url);
  const theme = getCookie(c, THEME_COOKIE);
  const chosen = getCookie(c, ZONE_COOKIE);
  const zone = isZone(chosen) ? chosen : "utc";
  const actor: Actor | undefined = c.get("actor");
  return {
    path: base.strip(pathname) + search,
    theme: isTheme(theme) ? theme : "system",
    zone,
    timeZone: timeZoneOf(zone, getCookie(c, LOCAL_ZONE_COOKIE)),
    scope: actor?.scope ?? null,
    signedIn: c.get("guarded") && actor ? actor.name : null,
    assets,
    version,
    now: Date.now(),
    ...(upkeep !== null && actor && { upkeep }),
    trouble: site.trouble(),
  };
}

/** The time zone of a choice; UTC until the browser has set its own, which then rewrites the times itself. */
function timeZoneOf(zone: Zone, local: string | undefined): string {
  if (zone === "exchange") return EXCHANGE_TIME_ZONE;
  return zone === "local" && local !== undefined && isTimeZone(local) ? local : "UTC";
}

/** A local path from untrusted text; `/` for anything else. */
export function localPath(text: string | undefined): string {
  const here = "http://localhost";
  if (text === undefined || !URL.canParse(text, here)) return "/";
  const { origin, pathname, search } = new URL(text, here);
  return origin === here && pathname.startsWith("/") && !pathname.startsWith("//") ? pathname + search : "/";
}

/** The page from which a form was sent, as a local path. */
export function previousPath(c: Context): string {
  const referer = c.req.header("Referer");
  if (referer === undefined || !URL.canParse(referer)) return "/";
  const { host, pathname, search } = new URL(referer);
  return host === new URL(c.req.url).host ? localPath(pathname + search) : "/";
}
