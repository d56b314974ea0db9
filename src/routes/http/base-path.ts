/**
 * A server below a path of its host, e.g. `https://example.com/barkeep`. Routes and views use local
 * addresses: responses get the path added, requests get it removed, unless the proxy has removed it already.
 */

import type { MiddlewareHandler } from "hono";
import { getPath } from "hono/utils/url";

/** The attributes that hold addresses. No other text can look like one, because quotes in it are escaped. */
const ADDRESSES =
  / (href|src|action|formaction|hx-get|hx-post|hx-sse:connect|data-address|data-symbols|data-base)=(\\?")\/(?!\/)/g;
const HEADERS = ["Location", "HX-Redirect"] as const;

declare module "hono" {
  interface ContextVariableMap {
    /** The path below which the server is reached; not set at the root of the host. */
    basePath: string | undefined;
  }
}

export class BasePath {
  /** `/barkeep`; empty at the root of the host. */
  readonly path: string;

  /** @param publicUrl how the server is reached from outside */
  constructor(publicUrl: string | undefined) {
    this.path = publicUrl === undefined ? "" : new URL(publicUrl).pathname.replace(/\/+$/, "");
  }

  /** The local path of a request. */
  readonly read = (request: Request): string => this.strip(getPath(request));

  /** A path without the base, if it has it. */
  strip(path: string): string {
    return this.path !== "" && isWithin(path, this.path) ? path.slice(this.path.length) || "/" : path;
  }

  /** HTML whose addresses lie below the base. A piece of it may be part of JSON. */
  markup(html: string): string {
    return this.path === "" ? html : html.replaceAll(ADDRESSES, ` $1=$2${this.path}/`);
  }

  /** Puts everything that is answered below the base: addresses in HTML, redirects and cookies. */
  readonly middleware: MiddlewareHandler = async (c, next) => {
    if (this.path === "") return next();
    c.set("basePath", this.path);
    const html = c.html as (body: string, ...rest: unknown[]) => Response;
    c.html = (async (body: string | Promise<string>, ...rest: unknown[]) =>
      html(this.markup(String(await body)), ...rest)) as typeof c.html;
    await next();
    for (const name of HEADERS) {
      const address = c.res.headers.get(name);
      if (address?.startsWith("/") && !isWithin(address, this.path)) c.header(name, this.path + address);
    }
    const cookies = c.res.headers.getSetCookie();
    if (cookies.length === 0) return;
    c.header("Set-Cookie", undefined);
    for (const cookie of cookies) {
      c.header("Set-Cookie", cookie.replace(/; Path=\/(?=;|$)/, `; Path=${this.path}/`), { append: true });
    }
  };
}

/** Whether an address is the base or lies below it. */
const isWithin = (address: string, base: string) =>
  address.startsWith(base) && (address.length === base.length || "/?#".includes(address[base.length]!));
