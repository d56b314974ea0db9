/**
 * GET requests on connections that are kept for the next ones. `fetch` sends a request again by itself when a kept
 * connection breaks; here that is an error, so that the number of requests that were sent is known.
 */

import type { IncomingMessage } from "node:http";
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from "node:zlib";
import { once } from "../installation.ts";

/** A connection without a request is closed after this time (ms): sooner than the usual server does, whose limit is 5 s. */
const IDLE_MS = 4_000;

/** Read with the first request: a server sends few itself, and these modules take 3 MB. */
const loadSenders = once(async () => {
  const [http, https] = await Promise.all([import("node:http"), import("node:https")]);
  const agentsOf = (keepAlive: boolean) => {
    const options = { keepAlive, timeout: IDLE_MS, proxyEnv: process.env };
    return { plain: new http.Agent(options), tls: new https.Agent(options) };
  };
  return { http, https, kept: agentsOf(true), single: agentsOf(false) };
});

const DECODERS = new Map<string, (body: Buffer, options: { maxOutputLength: number }) => Buffer>([
  ["gzip", gunzipSync],
  ["x-gzip", gunzipSync],
  ["deflate", inflateSync],
  ["br", brotliDecompressSync],
  ["zstd", zstdDecompressSync],
]);
const ACCEPTED = "gzip, br, zstd";

/** The agents pass by a proxy that they do not know. */
const strangeProxy = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"].find((name) => {
  const value = process.env[name] ?? "";
  return value !== "" && !(/^https?:/i.test(value) && URL.canParse(value));
});

/** A request that certainly did not leave, because no connection came about. */
export class NotSentError extends Error {
  override readonly name = "NotSentError";
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Headers;
  /**
   * The whole body, decoded; `null` if it is larger than `most` bytes, as sent or decoded, of which no more are read.
   * @throws Error if the body ends too early or cannot be decoded
   */
  body(most: number): Promise<Buffer | null>;
  /** Closes the connection; the body is not read. */
  close(): void;
}

interface RequestOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Ends the request, and the reading of its body. */
  readonly signal: AbortSignal;
  /** Whether it is sent on a connection of its own, which cannot have been closed meanwhile. */
  readonly isSingle?: boolean;
}

/**
 * Sends one request, once; redirects are not followed. Proxies are those of `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`.
 * @throws NotSentError if there was no connection; other errors if there was, and no answer
 */
export async function sendGet(url: URL, { headers, signal, isSingle = false }: RequestOptions): Promise<HttpResponse> {
  if (strangeProxy !== undefined) throw new NotSentError(`${strangeProxy} is not the URL of an HTTP proxy`);
  const { http, https, kept, single } = await loadSenders();
  const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
  const isTls = url.protocol === "https:";
  const agents = isSingle ? single : kept;
  const request = (isTls ? https : http).request(url, {
    agent: isTls ? agents.tls : agents.plain,
    headers: { "accept-encoding": ACCEPTED, ...headers },
    signal,
  });
  let isSent = false;
  const sent = () => {
    isSent = true;
  };
  request.once("socket", (socket) => {
    if (socket.connecting) socket.once(isTls ? "secureConnect" : "connect", sent);
    else sent();
  });
  request.once("response", (message) => resolve(responseOf(message)));
  request.once("upgrade", (_, socket) => {
    socket.destroy();
    reject(new Error("the answer is another protocol"));
  });
  request.on("error", (error) => reject(isSent ? error : new NotSentError(wordsOf(error), { cause: error })));
  request.end();
  return promise;
}

/** The error of several addresses that were tried has no message of its own. */
const wordsOf = (error: Error) => error.message || ("code" in error ? String(error.code) : error.name);

function responseOf(message: IncomingMessage): HttpResponse {
  const headers = new Headers();
  for (let at = 0; at < message.rawHeaders.length; at += 2)
    headers.append(message.rawHeaders[at]!, message.rawHeaders[at + 1]!);
  // The reader of the body gets it too; without one, it must not end the process.
  message.on("error", () => {});
  return {
    status: message.statusCode!,
    headers,
    body: async (most) => {
      const read = await readAtMost(message, most);
      return read === null ? null : decode(read, headers.get("content-encoding"), most);
    },
    close: () => void message.destroy(),
  };
}

async function readAtMost(message: IncomingMessage, most: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    // The end of the loop closes the connection.
    if (bytes > most) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function decode(body: Buffer, encoding: string | null, most: number): Buffer | null {
  if (encoding === null || body.byteLength === 0 || encoding.toLowerCase() === "identity") return body;
  const decoder = DECODERS.get(encoding.toLowerCase());
  if (decoder === undefined) throw new Error("the answer has an encoding that was not asked for");
  try {
    return decoder(body, { maxOutputLength: most });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE") return null;
    throw error;
  }
}
