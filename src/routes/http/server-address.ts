/** How programs reach the server. */

import type { Context } from "hono";
import type { Config } from "../../config.ts";

/** The origin of a server that listens on a host, which may be an IPv6 address. */
export const httpAddress = (host: string, port: number): string =>
  `http://${host.includes(":") ? `[${host.replace(/^\[|\]$/g, "")}]` : host}:${port}`;

/** Origin and base path without a slash at the end: BARKEEP_URL, otherwise where the request was sent to. */
export const serverAddress = ({ publicUrl }: Pick<Config, "publicUrl">, c: Context): string =>
  (publicUrl ?? new URL(c.req.url).origin).replace(/\/+$/, "");
