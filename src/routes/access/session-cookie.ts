/** The cookie of a login session. */

import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import type { Config } from "../../config.ts";
import { BasePath } from "../http/base-path.ts";
import type { ClientAddresses } from "./client-address.ts";

const NAME = "barkeep-session";

export class SessionCookie {
  /** The prefix of the cookie's name, which browsers enforce: with `host` it must be valid for the whole host. */
  readonly #prefix: "host" | "secure";

  constructor(
    { publicUrl }: Pick<Config, "publicUrl">,
    private readonly clients: ClientAddresses,
  ) {
    this.#prefix = new BasePath(publicUrl).path === "" ? "host" : "secure";
  }

  read(c: Context): string | undefined {
    return this.clients.isSiteSecure(c) ? getCookie(c, NAME, this.#prefix) : getCookie(c, NAME);
  }

  /** @param maxAge seconds; 0 removes the cookie */
  set(c: Context, value: string, maxAge: number): void {
    const options = { path: "/", httpOnly: true, sameSite: "Lax", maxAge } as const;
    // Browsers take a cookie of this prefix over TLS only, and no other host can set it for this one.
    if (this.clients.isSiteSecure(c)) setCookie(c, NAME, value, { ...options, secure: true, prefix: this.#prefix });
    else setCookie(c, NAME, value, options);
  }
}
