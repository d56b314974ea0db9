/** Requests of a worker to its server, over a network that may lose requests and answers. */

import { messageOf, onOneLine } from "../../domain/errors.ts";
import type { ServerAddress } from "../messages.ts";
import { ANSWER_MS } from "./store-request.ts";

export const CONTENT_TYPE = "application/vnd.barkeep.worker";

/** How long one request may take, milliseconds: longer than the server waits. */
const REQUEST_MS = ANSWER_MS + 15_000;
/** The pause after a request that was not answered, milliseconds: from the first to the last, doubled each time. */
const PAUSE_MS = [100, 5_000] as const;

/** Statuses that say that the body is wrong: the same one is refused again. */
const WRONG_BODY = new Set([400, 413, 415, 422]);
/** The content type of Barkeep's own refusals: a proxy before it may refuse too, and mean nothing by it. */
const PROBLEM = "application/problem+json";
/** Reasons are cut to so many characters. */
const MAX_REASON = 300;

/** The server does not take what was sent. */
export class RefusedByServer extends Error {
  override readonly name = "RefusedByServer";
  constructor(
    message: string,
    readonly status: number,
    /** Whether it refuses the worker for good: another version, or a token that is revoked or for something else. */
    readonly isFinal: boolean,
  ) {
    super(message);
  }

  /** Whether the same body is refused again. */
  get isOfBody(): boolean {
    return WRONG_BODY.has(this.status);
  }
}

/** Nothing useful was answered: the request is sent again. */
export class Away {
  constructor(
    /** Why, on one line. */
    readonly reason: string,
    /** Whether a server answered, and refused in words. */
    readonly isRefusal = false,
  ) {}
}

/** `lost`: the server does not know (any more) what the request is about. */
export type Answer = Uint8Array | "lost";
/** `pending`: the server has the request, and is to be asked again. */
export type Attempt = Answer | Away | "pending";

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
   * @throws RefusedByServer if the server does not take its body, or refuses the worker for good
   */
  async post(path: string, body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Promise<Answer> {
    for (let failures = 0; ; ) {
      const answer = await this.try(path, body, headers).catch((error) => {
        if (error instanceof RefusedByServer && !error.isFinal && !error.isOfBody) return new Away(error.message, true);
        throw error;
      });
      if (!(answer instanceof Away) && answer !== "pending") {
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
      const isOurs = response.headers.get("Content-Type")?.startsWith(PROBLEM) === true;
      const words = (isOurs ? detailOf(text) : null) ?? `HTTP ${status}`;
      if (status === 410) return "lost";
      if (isRefusal(status) && (isOurs || status === 413))
        throw new RefusedByServer(words, status, isOurs && isFinal(response));
      return new Away(words, isOurs);
    } catch (error) {
      if (error instanceof RefusedByServer) throw error;
      return new Away(onOneLine(messageOf(error)).slice(0, MAX_REASON));
    }
  }
}

const isRefusal = (status: number) =>
  status >= 400 && status < 500 && status !== 404 && status !== 408 && status !== 410 && status !== 429;

/** Whether a refusal of Barkeep stays, whatever is changed at the server. */
function isFinal({ status, headers }: Response): boolean {
  if (status === 401 || status === 409) return true;
  return status === 403 && headers.get("WWW-Authenticate")?.includes("insufficient_scope") === true;
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
