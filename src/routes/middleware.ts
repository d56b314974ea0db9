/** What every request passes: security headers, limits on bodies, and errors made presentable, once, here. */

import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { csrf } from "hono/csrf";
import { HTTPException } from "hono/http-exception";
import { secureHeaders } from "hono/secure-headers";
import type { Log } from "../log.ts";
import { ErrorPage, type Frame } from "../views/layout.tsx";
import { liveNotice } from "../views/live.tsx";
import { frameOf, wantsFragment } from "./frame.ts";
import { type Problem, problem, problemOf, problemTitle } from "./problem.ts";

/** Largest body accepted, bytes: 5,000 symbols of full length fit with room to spare. */
const MAX_BODY = 1024 * 1024;

const isApi = (c: Context) => c.req.path.startsWith("/api/");

export function addMiddleware(app: OpenAPIHono, log: Log, assets: Frame["assets"]): void {
  /** Programs get problem details, htmx a notice to show, people a page. */
  const refuse = (c: Context, fault: Problem) => {
    if (isApi(c)) return problem(c, fault);
    const { status, detail } = fault;
    if (wantsFragment(c)) return c.html(liveNotice("error", detail), status as 400);
    if (!c.req.header("Accept")?.includes("text/html")) return problem(c, fault);
    const page = ErrorPage({ frame: frameOf(c, assets), status, title: problemTitle(status), detail });
    return c.html(page, status as 400);
  };
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
      onError: (c) => refuse(c, { status: 413, detail: `The body is larger than ${MAX_BODY} bytes` }),
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
    refuse(c, { status: 404, detail: `There is nothing at ${c.req.method} ${c.req.path.slice(0, 200)}` }),
  );
  app.onError((error, c) => {
    if (error instanceof HTTPException) {
      const detail = isApi(c) ? error.message : error.message || "The request was refused";
      return refuse(c, { status: error.status, detail: detail || "The request was refused" });
    }
    const answer = problemOf(error);
    if (answer.status === 500) log.write("error", `${c.req.method} ${c.req.path}: ${error.stack ?? error.message}`);
    return refuse(c, answer);
  });
}
