/** `POST /mcp`: tools for programs that speak the Model Context Protocol. No sessions: each request stands alone. */

import { type Context, Hono } from "hono";
import { traceOf } from "../../domain/errors.ts";
import { versionText } from "../../installation.ts";
import { problem, problemOf } from "../problem.ts";
import type { Services } from "../services.ts";
import { dataTools } from "./data-tools.ts";
import { INSTALL, loadMcp, type McpModule } from "./mcp-module.ts";
import { ApiRefusal, type Dispatch, OwnApi } from "./own-api.ts";
import { promiseTools } from "./promise-tools.ts";
import { runTools } from "./run-tools.ts";
import { symbolTools } from "./symbol-tools.ts";
import { type Caller, type Tool, Unconfirmed } from "./tool.ts";

const INSTRUCTIONS = `Barkeep stores price bars of stocks, ETFs and crypto pairs and computes features from them.
Find a symbol with find_symbols, see what is stored with coverage, read it with get_bars and get_features, compare symbols with
screen, and see with promises whether it is up to date. Reading costs nothing; only start_run spends the quota of a provider: show its user the cost of plan_run first.
Times are UTC. Answers say coverage and health of the data, and what was cut. Bars of a synthetic provider are made up.`;

/** @param dispatch answers requests to the server's own API */
export function mcpRoutes(services: Services, dispatch: Dispatch, load: () => Promise<McpModule | null> = loadMcp) {
  const { config, log, version } = services;
  const tools = [...symbolTools(services), ...dataTools(services), ...promiseTools(), ...runTools(services)];
  const about = { name: "barkeep", title: "Barkeep", version: versionText(version) };

  return new Hono().post("/mcp", async (c) => {
    const sdk = await load();
    if (sdk === null) {
      return problem(c, { status: 501, detail: `The package for MCP is not installed: ${INSTALL}` });
    }
    const message = await c.req.json().catch(() => undefined);
    if (message === undefined) return problem(c, { status: 400, detail: "The body is not JSON" });
    if (Array.isArray(message)) {
      return problem(c, { status: 400, detail: "Send one message a request: batches are no part of the protocol" });
    }
    const caller = { actor: c.var.actor, api: new OwnApi(c, config, dispatch) };
    const handler = sdk.createMcpHandler(
      () => {
        const server = new sdk.McpServer(about, { instructions: INSTRUCTIONS });
        for (const each of tools) {
          server.registerTool(each.name, described(each), (input: unknown) => answerOf(each, input, caller, log));
        }
        return server;
      },
      { maxSubscriptions: 0 },
    );
    return handler.fetch(requestOf(c), { parsedBody: message });
  });
}

/** The request without its body, which was read already. */
const requestOf = (c: Context) =>
  new Request(c.req.url, { method: "POST", headers: c.req.raw.headers, signal: c.req.raw.signal });

const described = ({ title, description, input, changes }: Tool) => ({
  title,
  description,
  inputSchema: input,
  annotations: {
    title,
    readOnlyHint: !changes,
    destructiveHint: false,
    idempotentHint: !changes,
    openWorldHint: changes,
  },
});

/** What a tool answers; a refusal is an error of the tool, in its sentence. */
async function answerOf(each: Tool, input: unknown, caller: Caller, log: Services["log"]) {
  try {
    const answer = await each.run(input, caller);
    return { ...textOf(JSON.stringify(answer)), structuredContent: { ...answer } };
  } catch (error) {
    if (error instanceof Unconfirmed) {
      return { ...textOf(JSON.stringify(error.answer)), structuredContent: { ...error.answer }, isError: true };
    }
    if (error instanceof ApiRefusal) return { ...textOf(error.message), isError: true };
    const { status, detail } = problemOf(error);
    if (status === 500) log.write("error", `${each.name} of /mcp: ${traceOf(error)}`);
    return { ...textOf(detail), isError: true };
  }
}

const textOf = (text: string) => ({ content: [{ type: "text" as const, text }] });
