/** Posts messages to channels: one attempt, with a time limit, and what its failure means. */

import type { ChannelKind } from "../../domain/alerts.ts";
import { cutText, messageOf } from "../../domain/errors.ts";
import { redactor } from "../../redact.ts";
import { requestOf } from "./requests.ts";
import { type ChannelTarget, secretsOfTarget } from "./target.ts";

/** How long a channel may take to answer, milliseconds. */
const TIMEOUT_MS = 15_000;
/** Of the answer that explains a refusal: bytes that are read, characters that count, and those that are shown. */
const MAX_READ = 4_000;
const MAX_ANSWER = 1_000;
const MAX_WORDS = 200;
/** Longest pause that an answer may ask for, seconds. */
const MAX_RETRY_AFTER = 3_600;
/** Statuses that say that this message will never be accepted; what an operator can correct is tried again. */
const FINAL: readonly number[] = [400, 413, 415, 422];

/** A message was not accepted. */
export class ChannelError extends Error {
  override readonly name = "ChannelError";
  constructor(
    message: string,
    /** Whether posting the same message again cannot succeed. */
    readonly final: boolean,
    /** Seconds after which the channel accepts another attempt, if it says so. */
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

/**
 * Posts a message once. A redirect is not followed: it would carry the message and the token to wherever it points.
 * @param stored the message as JSON
 * @throws ChannelError without any secret in its message
 */
export async function postToChannel(
  kind: ChannelKind,
  target: ChannelTarget,
  stored: string,
  { now, signal, timeoutMs = TIMEOUT_MS }: { now: number; signal: AbortSignal; timeoutMs?: number },
): Promise<void> {
  const redact = redactor(secretsOfTarget(target));
  const { url, headers, body } = requestOf(kind, target, stored, now);
  const { host } = new URL(url);
  const limit = AbortSignal.timeout(timeoutMs);
  let response: Response;
  let answer: string;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { ...headers, "User-Agent": "barkeep", "Accept-Encoding": "identity" },
      body,
      redirect: "manual",
      // On a kept connection that breaks, it would be sent twice.
      keepalive: false,
      // A few bytes can unpack to any size; what is sent packed all the same is not shown.
      decompress: false,
      signal: AbortSignal.any([signal, limit]),
    });
    answer = await refusalOf(response);
  } catch (error) {
    const why = limit.aborted ? `no answer within ${timeoutMs / 1_000}s` : redact(messageOf(error));
    throw new ChannelError(`${host}: ${why}`, false);
  }
  const { status } = response;
  if (status >= 200 && status < 300) return;
  if (status >= 300 && status < 400)
    throw new ChannelError(`${host}: it redirects, which is not followed: enter the final address`, false);
  const said = cutText(redact(answer), MAX_ANSWER).replace(/\s+/g, " ").trim();
  const seconds = Number(response.headers.get("Retry-After"));
  throw new ChannelError(
    `${host}: HTTP ${status}${said === "" ? "" : `: ${cutText(said, MAX_WORDS)}`}`,
    FINAL.includes(status),
    seconds > 0 ? Math.min(MAX_RETRY_AFTER, seconds) : undefined,
  );
}

/** The words of a refusal. A message that was accepted would be posted again if its answer were read, and broke off. */
async function refusalOf(response: Response): Promise<string> {
  if (response.status >= 400 && !response.headers.has("Content-Encoding")) return beginningOf(response).catch(() => "");
  response.body?.cancel().catch(() => {});
  return "";
}

/** The beginning of an answer; the rest is not read. */
async function beginningOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes >= MAX_READ) break;
  }
  return new TextDecoder().decode(Buffer.concat(chunks).subarray(0, MAX_READ));
}
