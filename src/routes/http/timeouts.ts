/** How long a connection may be silent, and which requests may take longer. */

import type { Context, MiddlewareHandler } from "hono";

/** A connection on which nothing is sent or received for this long is closed, seconds. */
export const IDLE_SECONDS = 60;

declare module "hono" {
  interface ContextVariableMap {
    /** Whether the response is a stream, which may be quiet for longer than a connection. */
    isStream: boolean | undefined;
  }
}

/**
 * Lifts the time limit while a request that passed the guard is worked on, and as long as its response is a stream:
 * streams have their own limit for readers that take nothing.
 */
export const withoutTimeout: MiddlewareHandler = async (c, next) => {
  setTimeoutOf(c, 0);
  await next();
  if (!c.get("isStream")) setTimeoutOf(c, IDLE_SECONDS);
};

/** Only a request that came over a connection has a server. */
function setTimeoutOf(c: Context, seconds: number): void {
  const server = c.env as Partial<Bun.Server<unknown>> | undefined;
  server?.timeout?.(c.req.raw, seconds);
}
