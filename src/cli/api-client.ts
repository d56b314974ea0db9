/**
 * How the command line reaches Barkeep: over HTTP the server that has the database open, otherwise an app in this process,
 * through the same routes.
 */

import { newSecret } from "../auth.ts";
import type { Config } from "../config.ts";
import { messageOf } from "../domain/errors.ts";
import { httpAddress } from "../routes/http/server-address.ts";
import { LEASE_KEY } from "../storage/connection/fence.ts";
import { NoDatabase, openExisting } from "../storage/db.ts";
import { readSettings } from "../storage/settings.ts";

/** The setting under which a running server stores its address on this machine. */
export const ADDRESS_KEY = "server_address";
/** Time limit of the request that checks whether the server answers, milliseconds. */
const PROBE_MS = 2_000;

/** An error response of the API, with its problem details. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(
    readonly status: number,
    message: string,
    readonly errors: readonly { readonly path: string; readonly message: string }[],
  ) {
    super(message);
  }
}

/** A request that had no answer, or only a part of one. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

export interface ApiClient extends AsyncDisposable {
  /** The server's address; `null` for an app in this process. */
  readonly address: string | null;
  /** @throws ApiError unless the answer is 2xx, NoAnswer if there is none */
  request(path: string, init?: RequestInit): Promise<Response>;
}

type Send = (path: string, init: RequestInit) => Promise<Response>;

function requester(send: Send, token: string | undefined): ApiClient["request"] {
  return async (path, init = {}) => {
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
    const response = await send(path, { ...init, headers });
    if (response.ok) return response;
    const text = await response.text();
    const problem = parsed(text);
    const detail = typeof problem?.detail === "string" ? problem.detail : text.slice(0, 200);
    const advice = response.status === 401 ? ": make a token on /settings/access and set BARKEEP_TOKEN" : "";
    const errors = Array.isArray(problem?.errors) ? (problem.errors as ApiError["errors"]) : [];
    throw new ApiError(response.status, (detail || `HTTP ${response.status}`) + advice, errors);
  };
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A client with the server at an address. */
function remote(address: string, token: string | undefined): ApiClient {
  const base = address.replace(/\/$/, "");
  return {
    address: base,
    request: requester(
      (path, init) =>
        fetch(base + path, init).catch((error) => {
          if (init.signal?.aborted) throw error;
          const reason = (error as { code?: unknown }).code ?? messageOf(error);
          throw new NoAnswer(`No answer from ${base} (${reason}): is the server running, and is this its address?`);
        }),
      token,
    ),
    async [Symbol.asyncDispose]() {},
  };
}

/** The address of the server that has the database open; `null` if there is none, or if it does not answer from here. */
export async function findServer({ dbUrl, dbToken }: Pick<Config, "dbUrl" | "dbToken">): Promise<string | null> {
  const db = await openExisting(dbUrl, dbToken).catch((error) => {
    if (error instanceof NoDatabase) return null;
    throw error;
  });
  if (db === null) return null;
  try {
    const settings = await readSettings(db, "server_").catch(() => []);
    const stored = settings.find(({ key }) => key === ADDRESS_KEY)?.value;
    if (stored === undefined || !settings.some(({ key }) => key === LEASE_KEY)) return null;
    const isThere = await fetch(`${stored}/healthz`, { signal: AbortSignal.timeout(PROBE_MS) })
      .then((response) => response.json())
      .then(
        (body) => (body as { status?: unknown }).status === "ok",
        () => false,
      );
    return isThere ? stored : null;
  } finally {
    db.close();
  }
}

/** A client with the server at `address`, or with the one that has the database open; `null` if there is none. */
export async function connect(config: Config, address: string | undefined): Promise<ApiClient | null> {
  const found = address ?? (await findServer(config));
  return found === null ? null : remote(found, config.token);
}

/** A client with an app in this process, for a database that no server has open. */
export async function openLocally(config: Config): Promise<ApiClient> {
  const { createApp } = await import("../app.ts");
  const ownToken = newSecret();
  const app = await createApp(config, { ownToken, print: () => {} });
  const address = config.publicUrl ?? httpAddress(config.host, config.port);
  app.outbox.start(address);
  app.channels.start(address);
  return {
    address: null,
    request: requester(async (path, init) => {
      const headers = new Headers(init.headers);
      headers.set("Host", "localhost");
      return app.fetch(new Request(`http://localhost${path}`, { ...init, headers }));
    }, ownToken),
    async [Symbol.asyncDispose]() {
      // Sends the mails now: the next server may start much later.
      await Promise.all([app.outbox.idle(), app.channels.idle()]).catch((error) => console.error(messageOf(error)));
      await app.close();
    },
  };
}
