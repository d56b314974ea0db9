/** How programs reach the server. */

import type { Context } from "hono";
import type { Config } from "../../config.ts";

/** Origin and base path without a slash at the end: BARKEEP_URL, otherwise where the request was sent to. */
export const serverAddress = ({ publicUrl }: Pick<Config, "publicUrl">, c: Context): string =>
  (publicUrl ?? new URL(c.req.url).origin).replace(/\/+$/, "");
