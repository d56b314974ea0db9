/** Requests of a worker to its server, over a network that may lose requests and answers. */

import type { ServerAddress } from "../messages.ts";
import { ANSWER_MS } from "./store-request.ts";

export const CONTENT_TYPE = "application/vnd.barkeep.worker";

/** How long one request may take, milliseconds: longer than the server waits. */
const REQUEST_MS = ANSWER_MS + 15_000;
/** The pause after a request that was not answered, milliseconds: from the first to the last, doubled each time. */
const PAUSE_MS = [100, 5_000] as const;

/** The server does not take what was sent: sending it again does not help. */
class RefusedByServer extends Error {
  override readonly name = "RefusedByServer";
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** `lost`: the server does not know (any more) what the request is about. */
export type Answer = Uint8Array | "lost";
/** `away`: the server does not answer. `pending`: it has the request, and is to be asked again. */
export type Attempt = Answer | "away" | "pending";

export interface ConnectionOptions {
  readonly requestMs?: number;
  readonly pauseMs?: readonly [number, number];
  /** Called when the server does not answer, and when it does again. */
  onAway?(isAway: boolean): void;
}

export class ServerConnection {
  readonly #url: string;

  constructor(
    private readonly server: ServerAddress,
    private readonly options: ConnectionOptions = {},
  ) {
    this.#url = `${server.url}/api/worker/`;
  }

  /**
   * Sends a request until it is answered.
   * @throws RefusedByServer if the server does not take it
   */
  async post(path: string, body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Promise<Answer> {
    for (let failures = 0; ; ) {
      const answer = await this.try(path, body, headers);
      if (answer !== "away" && answer !== "pending") {
        if (failures > 0) this.options.onAway?.(false);
        return answer;
      }
      if (answer === "pending") continue;
      if (failures === 0) this.options.onAway?.(true);
      const [least, most] = this.options.pauseMs ?? PAUSE_MS;
      const pause = Math.min(most, least * 2 ** failures) * (0.5 + Math.random() / 2);
      failures += 1;
      await Bun.sleep(pause);
    }
  }

  /**
   * Sends a request once.
   * @throws RefusedByServer if the server does not take it
   */
  async try(
    path: string,
    body: Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
    requestMs = this.options.requestMs ?? REQUEST_MS,
  ): Promise<Attempt> {
    try {
      const response = await fetch(this.#url + path, {
        method: "POST",
        headers: { ...headers, "Content-Type": CONTENT_TYPE, Authorization: `Bearer ${this.server.token}` },
        body,
        redirect: "manual",
        signal: AbortSignal.timeout(requestMs),
      });
      const { status } = response;
      if (status === 200) return new Uint8Array(await response.arrayBuffer());
      const text = await response.text();
      if (status === 202) return "pending";
      if (status === 410) return "lost";
      if (status >= 400 && status < 500 && status !== 404 && status !== 408 && status !== 429)
        throw new RefusedByServer(status, detailOf(text) ?? `HTTP ${status}`);
      return "away";
    } catch (error) {
      if (error instanceof RefusedByServer) throw error;
      return "away";
    }
  }
}

/** The sentence of a problem's description. */
function detailOf(text: string): string | null {
  try {
    const { detail } = JSON.parse(text) as { detail?: unknown };
    return typeof detail === "string" ? detail : null;
  } catch {
    return null;
  }
}
