/** Requests to the server's own API on behalf of somebody who called a tool. */

import type { Context } from "hono";
import type { Config } from "../../config.ts";
import { Refusal } from "../../domain/errors.ts";
import { serverAddress } from "../http/server-address.ts";
import { problemType } from "../problem.ts";

/** Answers a request in the same process. */
export type Dispatch = (request: Request, server?: object) => Response | Promise<Response>;

/** Headers that describe the body or the wanted form of the answer to the outer request. */
const OF_BODY = /^(?:accept|accept-encoding|content-.*|transfer-encoding|range|if-.*|connection|mcp-.*)$/i;

/** A refusal of the API, in its words. */
export class ApiRefusal extends Error {
  override readonly name = "ApiRefusal";
}

/** Sends requests with the credentials of the caller: they pass the guard, the checks and the audit as any other. */
export class OwnApi {
  constructor(
    private readonly c: Context,
    private readonly config: Pick<Config, "publicUrl">,
    private readonly dispatch: Dispatch,
  ) {}

  /** The address of a path for the caller. */
  address(path: string): string {
    return serverAddress(this.config, this.c) + path;
  }

  /** @throws ApiRefusal with the sentence of a refusal */
  async get<T>(path: string): Promise<T> {
    return this.#send<T>(path, {});
  }

  /** @throws ApiRefusal with the sentence of a refusal */
  async post<T>(path: string, body: unknown): Promise<T> {
    return this.#send<T>(path, { method: "POST", body: JSON.stringify(body) });
  }

  async #send<T>(path: string, init: { method?: string; body?: string }): Promise<T> {
    const { raw, url } = this.c.req;
    const headers = new Headers([...raw.headers].filter(([name]) => !OF_BODY.test(name)));
    if (init.body !== undefined) headers.set("Content-Type", "application/json");
    const request = new Request(new URL(path, url).href, { ...init, headers, signal: raw.signal });
    const server = this.c.env as Partial<Bun.Server<unknown>> | undefined;
    // The address of the client is that of the outer request.
    const response = await this.dispatch(request, { requestIP: () => server?.requestIP?.(raw) ?? null });
    if (response.ok) return (await response.json()) as T;
    const text = await response.text();
    if (response.headers.get("Content-Type") !== problemType) throw new Refusal("unavailable", text.slice(0, 200));
    const { detail } = JSON.parse(text) as { detail: string };
    throw new ApiRefusal(detail);
  }
}
