/** What every request passes: security headers, limits on bodies, and errors made presentable, once, here. */

import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { csrf } from "hono/csrf";
import { HTTPException } from "hono/http-exception";
import { secureHeaders } from "hono/secure-headers";
import type { Log } from "../log.ts";
import { problem, problemOf } from "./problem.ts";

/** Largest body accepted, bytes: 5,000 symbols of full length fit with room to spare. */
const MAX_BODY = 1024 * 1024;

const isApi = (c: Context) => c.req.path.startsWith("/api/");

export function addMiddleware(app: OpenAPIHono, log: Log): void {
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        objectSrc: ["'none'"],
        imgSrc: ["'self'", "data:"],
      },
      xFrameOptions: "DENY",
      referrerPolicy: "same-origin",
    }),
  );
  app.use(csrf());
  app.use(
    bodyLimit({
      maxSize: MAX_BODY,
      onError: (c) => problem(c, { status: 413, detail: `The body is larger than ${MAX_BODY} bytes` }),
    }),
  );
  app.use("/api/*", async (c, next) => {
    const type = c.req.header("Content-Type")?.split(";")[0]?.trim().toLowerCase();
    const hasBody = c.req.method === "POST" || c.req.method === "PATCH" || c.req.method === "PUT";
    const length = c.req.header("Content-Length");
    if (hasBody && type !== "application/json" && length !== undefined && length !== "0") {
      return problem(c, {
        status: 415,
        detail: `Send application/json, not ${(type ?? "a body without a type").slice(0, 60)}`,
      });
    }
    return next();
  });
  app.notFound((c) =>
    problem(c, { status: 404, detail: `There is nothing at ${c.req.method} ${c.req.path.slice(0, 200)}` }),
  );
  app.onError((error, c) => {
    if (error instanceof HTTPException) {
      const detail = isApi(c) ? error.message : error.message || "The request was refused";
      return problem(c, { status: error.status, detail: detail || "The request was refused" });
    }
    const answer = problemOf(error);
    if (answer.status === 500) log.write("error", `${c.req.method} ${c.req.path}: ${error.stack ?? error.message}`);
    return problem(c, answer);
  });
}
