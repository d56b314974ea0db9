/**
 * The HTTP client of all vendors: a permit of the limiter before every request, a time limit, retries with full jitter,
 * classified answers, and no key in any message.
 */

import { messageOf, type PlanRefusal, ProviderError, type ProviderErrorKind } from "../../domain/errors.ts";
import { redactor } from "../../redact.ts";
import { type HttpResponse, NotSentError, sendGet } from "../http-request.ts";
import type { FetchContext, Permit, QuotaReport, RequestEnd } from "../provider.ts";
import { pause, timeRequest } from "../sleep.ts";
import {
  type Answer,
  type Classification,
  classify,
  planScopeOf,
  retryAfterOf,
  shortened,
  wordsOf,
} from "./classify.ts";

/** What the client needs of a vendor. */
export interface HttpVendor {
  readonly title: string;
  readonly baseUrl: string;
  /** The variables that hold the keys, named when one is refused. */
  readonly keyVariables: readonly string[];
  readonly secrets: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  /** The vendor's own domains, old ones included: a redirect is followed between them and nowhere else. */
  readonly domains: readonly string[];
  /** Classifies errors in this vendor's own wording; called before the general rules. */
  recognise?(answer: Answer): Classification | null;
  /** The quota report of an answer: headers, counters, whether an error was free of charge. */
  quota?(answer: Answer): QuotaReport;
}

export interface VendorRequest {
  /** Below the base URL, beginning with `/`; or a whole URL on the same host (a `next page` link). */
  readonly path: string;
  readonly query: Readonly<Record<string, string | number | undefined>>;
  /** Weighted units. */
  readonly cost: number;
  /** Another host of the vendor, with its scheme; used while the base URL is the vendor's own. */
  readonly host?: string;
  /** Whether a good answer is a file, to be read as `bytes`. */
  readonly isFile?: boolean;
}

/** Time limits and waits; tests shorten them. */
export interface RetryTiming {
  /** A request that takes longer (ms) has failed. */
  readonly timeoutMs: number;
  /** The longest first wait before a retry (ms); it doubles with every attempt. */
  readonly backoffMs: number;
  /** The longest first hold after a rate limit without `Retry-After` (ms); doubles with every attempt, up to a minute. */
  readonly busyMs: number;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** A larger answer (bytes) is an error. */
  readonly maxAnswerBytes: number;
}

const DEFAULT_TIMING: RetryTiming = {
  timeoutMs: 60_000,
  backoffMs: 1_000,
  busyMs: 5_000,
  random: Math.random,
  maxAnswerBytes: 64 * 2 ** 20,
};
/** Attempts for each kind of error; all other kinds have one. More rarely help with a malformed response. */
const ATTEMPTS: Readonly<Partial<Record<ProviderErrorKind, number>>> = {
  transient: 5,
  rate_limited: 5,
  quota_exceeded: 5,
  invalid_response: 3,
};
const MAX_BACKOFF_MS = 30_000;
const MINUTE = 60_000;
/** Redirects of one request that are followed. */
const MAX_REDIRECTS = 3;
/** The end of an array or object, which an answer that was cut off seldom has. */
const ENDS_WHOLE = /[\]}]\s*$/;
/** After this many answers that were cut off or late, the client requests less instead of retrying. */
const OVERLOAD_TRIES = 2;
/**
 * Kept connections break together, or again and again where a server closes them without saying so. Each costs a request:
 * after the first, none is used for so long.
 */
const SINGLE_MS = 10 * MINUTE;

/** A request that may succeed with a smaller window. */
export class RequestTooLarge extends ProviderError {}

/** An attempt without a usable answer. */
interface Failure extends Classification {
  readonly says: string;
  /** What the page shows: `HTTP 503`, `no answer within 60s`. */
  readonly brief: string;
  /** Whether the answer was cut off or did not come in time. */
  readonly overload?: boolean;
  /** The error of an answer that was read, and had another shape. */
  readonly error?: ProviderError;
}

export class VendorClient {
  readonly #vendor: HttpVendor;
  readonly #timing: RetryTiming;
  /** Until then (`performance.now()`), each request has a connection of its own. */
  #singleUntil = Number.NEGATIVE_INFINITY;
  readonly redact: (text: string) => string;

  constructor(vendor: HttpVendor, timing: Partial<RetryTiming> = {}) {
    this.#vendor = vendor;
    this.#timing = { ...DEFAULT_TIMING, ...timing };
    this.redact = redactor(vendor.secrets);
  }

  /**
   * The vendor's answer to a request.
   * @throws ProviderError when it refused or could not answer; `RequestTooLarge` when a smaller window may be answered;
   * the signal's reason when the job is stopped.
   */
  get(request: VendorRequest, context: FetchContext): Promise<Answer> {
    return this.read(request, context, (answer) => answer);
  }

  /**
   * What `read` makes of the vendor's answer. One that it cannot read (`invalid_response`) may be a fault of the moment, and
   * is requested again like one that is no JSON; `read` must leave nothing behind then.
   * @throws what `get` throws, and the last error of `read`
   */
  async read<Content>(
    request: VendorRequest,
    context: FetchContext,
    read: (answer: Answer) => Content | Promise<Content>,
  ): Promise<Content> {
    let overloads = 0;
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#send(request, context, attempt);
      const result = "status" in answer ? await readable(answer, read) : answer;
      if ("content" in result) return result.content;
      if (result.overload) overloads++;
      if (result.tooLarge || overloads >= OVERLOAD_TRIES) throw new RequestTooLarge(result.kind, this.#explain(result));
      const tries = ATTEMPTS[result.kind] ?? 1;
      if (attempt >= tries)
        throw (
          result.error ??
          new ProviderError(result.kind, this.#explain(result), result.retryAfter, this.#refusalOf(result))
        );
      // Rate limits and spent quotas are waited for in the limiter, which holds all requests to the vendor.
      if (result.kind === "rate_limited" || result.kind === "quota_exceeded") continue;
      const wait = Math.max(this.#backoff(attempt), (result.retryAfter ?? 0) * 1000);
      const until = Math.ceil(Date.now() + wait);
      context.waiting({ cause: "retry", until, attempt: attempt + 1, of: tries, reason: result.brief });
      context.log("warn", `${this.#explain(result)}; try ${attempt + 1} of ${tries} in ${(wait / 1000).toFixed(1)}s`);
      await pause(wait, context.signal);
    }
  }

  /** Sends a request, and another one to where the vendor redirects it: each has a permit, and is counted. */
  async #send(request: VendorRequest, context: FetchContext, attempt: number): Promise<Answer | Failure> {
    let url = this.#urlOf(request);
    for (let hops = 0; ; hops++) {
      const permit = await context.acquire(request.cost);
      const result = await this.#try(
        { url, isFile: request.isFile, follows: hops < MAX_REDIRECTS },
        permit,
        context,
        attempt,
      );
      if (!(result instanceof URL)) return result;
      url = result;
    }
  }

  /** One request: its answer, why there is none, or where else to send it. */
  async #try(
    { url, isFile, follows }: { readonly url: URL; readonly isFile?: boolean | undefined; readonly follows: boolean },
    permit: Permit,
    context: FetchContext,
    attempt: number,
  ): Promise<Answer | Failure | URL> {
    const limit = AbortSignal.timeout(this.#timing.timeoutMs);
    const ended = timeRequest(attempt);
    let arrived = 0;
    try {
      const response = await sendGet(url, {
        headers: { accept: "application/json", "user-agent": "barkeep", ...this.#vendor.headers },
        signal: AbortSignal.any([context.signal, limit]),
        isSingle: performance.now() < this.#singleUntil,
      });
      arrived = response.status;
      // The vendor has counted the request by now, however long the body takes.
      permit.settle({});
      const target = follows ? this.#redirectOf(response, url) : null;
      if (target !== null) {
        permit.settle({ ended: ended(arrived) });
        response.close();
        return target;
      }
      const answer = await readAnswer(response, this.#timing.maxAnswerBytes);
      if (answer === null) {
        permit.settle({ ended: ended(response.status) });
        const says = `the answer is larger than ${Math.floor(this.#timing.maxAnswerBytes / 2 ** 20)} MB`;
        return { kind: "bad_request", tooLarge: true, brief: `HTTP ${response.status}`, says };
      }
      context.log("debug", this.redact(`GET ${url}: HTTP ${answer.status}, ${answer.text.length} characters`));
      return this.#handleResponse(answer, permit, attempt, { ended: ended(answer.status), isFile });
    } catch (error) {
      const late = limit.aborted;
      const stopped = context.signal.aborted;
      const unsent = !arrived && !late && !stopped && error instanceof NotSentError;
      const code = arrived || (stopped ? "stopped" : late ? "timeout" : "no_connection");
      // Only a request that certainly did not reach the vendor cost nothing.
      permit.settle({ ...(unsent && { charged: 0 }), ended: ended(code) });
      if (stopped) throw context.signal.reason;
      if (!arrived && !unsent && !late) this.#singleUntil = performance.now() + SINGLE_MS;
      const broken = arrived ? "answer cut off" : unsent ? "no connection" : "connection closed without an answer";
      const brief = late ? `no answer within ${this.#timing.timeoutMs / 1000}s` : broken;
      return {
        kind: "transient",
        brief,
        says: late ? brief : `${brief} (${messageOf(error)})`,
        overload: arrived > 0 || late,
      };
    }
  }

  /** Where an answer redirects to, if that is the vendor itself. */
  #redirectOf({ status, headers }: HttpResponse, from: URL): URL | null {
    const location = status >= 301 && status <= 308 ? headers.get("location") : null;
    if (location === null || !URL.canParse(location, from.href)) return null;
    const target = new URL(location, from);
    const stays = target.host === from.host && target.protocol === from.protocol;
    return stays || (target.protocol === "https:" && this.#isOwn(from) && this.#isOwn(target)) ? target : null;
  }

  /** Whether a host is one of the vendor's. */
  #isOwn({ hostname }: URL): boolean {
    return this.#vendor.domains.some((domain) => hostname === domain || hostname.endsWith(`.${domain}`));
  }

  #handleResponse(
    answer: Answer,
    permit: Permit,
    attempt: number,
    { ended, isFile = false }: { readonly ended: RequestEnd; readonly isFile?: boolean | undefined },
  ): Answer | Failure {
    const report = { ...this.#vendor.quota?.(answer), ended };
    const general = () => (isFile && answer.status === 200 && !isText(answer) ? null : classify(answer));
    const classified = this.#vendor.recognise?.(answer) ?? general();
    if (!classified) {
      permit.settle({ ...report, accepted: true });
      return answer;
    }
    const brief = `HTTP ${answer.status}`;
    const says = shortened(classified.says ?? redirectWords(answer) ?? wordsOf(answer), this.redact) || brief;
    if (classified.kind === "rate_limited") {
      const holdSeconds = classified.retryAfter ?? retryAfterOf(answer.headers) ?? this.#busySeconds(attempt);
      permit.settle({ ...report, holdSeconds, reason: `${this.#vendor.title} is busy: ${brief}` });
    } else if (classified.kind === "quota_exceeded") {
      const used = { ...report.used, [classified.period ?? "day"]: Number.POSITIVE_INFINITY };
      permit.settle({ ...report, used, holdSeconds: classified.retryAfter });
    } else {
      permit.settle(report);
    }
    const cutOff = classified.kind === "invalid_response" && classified.tooLarge;
    return {
      ...classified,
      brief,
      says: !cutOff ? says : ENDS_WHOLE.test(answer.text) ? "the answer is not JSON" : "answer cut off",
      overload: cutOff,
      tooLarge: classified.tooLarge && !cutOff,
    };
  }

  #urlOf({ path, query, host }: VendorRequest): URL {
    const own = new URL(this.#vendor.baseUrl);
    const base = host !== undefined && this.#isOwn(own) ? new URL(host) : own;
    const isLink = /^https?:\/\//.test(path);
    if (isLink && !URL.canParse(path))
      throw new ProviderError("invalid_response", `${this.#vendor.title}: the link to the next page is no address`);
    const url = isLink ? new URL(path) : new URL(`${base.pathname.replace(/\/$/, "")}${path}`, base);
    // Links in answers are followed only on the vendor's own host: the request carries the key.
    url.protocol = base.protocol;
    url.host = base.host;
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    return url;
  }

  /** Full jitter: a random wait up to a bound that doubles with every attempt. */
  #backoff(attempt: number): number {
    return this.#timing.random() * Math.min(MAX_BACKOFF_MS, this.#timing.backoffMs * 2 ** (attempt - 1));
  }

  /** How long a vendor that says nothing about it is left alone, seconds. */
  #busySeconds(attempt: number): number {
    const bound = Math.min(MINUTE, this.#timing.busyMs * 2 ** (attempt - 1));
    return (bound * (0.5 + this.#timing.random() / 2)) / 1_000;
  }

  #refusalOf({ kind, scope, says }: Failure): PlanRefusal | undefined {
    return kind === "plan" ? { scope: scope ?? planScopeOf(says), words: this.redact(says) } : undefined;
  }

  #explain({ kind, says, brief, error }: Failure): string {
    if (error !== undefined) return error.message;
    const words = says.startsWith(brief) || says.includes("HTTP") ? says : `${brief}: ${says}`;
    // A region is refused whatever the key.
    const advice = brief === "HTTP 451" ? "" : adviceFor(kind, this.#vendor.keyVariables);
    return this.redact(`${this.#vendor.title}: ${words}${advice ? ` (${advice})` : ""}`);
  }
}

/** What `read` makes of an answer, or the failure that its shape is. */
async function readable<Content>(
  answer: Answer,
  read: (answer: Answer) => Content | Promise<Content>,
): Promise<{ readonly content: Content } | Failure> {
  try {
    return { content: await read(answer) };
  } catch (error) {
    if (!(error instanceof ProviderError) || error.kind !== "invalid_response") throw error;
    return { kind: error.kind, brief: "unexpected answer", says: error.message, error };
  }
}

/** Where a redirect that was not followed leads; without its path, which may hold a key. */
function redirectWords({ status, headers }: Answer): string | undefined {
  const location = status >= 300 && status < 400 ? headers.get("location") : null;
  if (location === null) return undefined;
  const host = URL.canParse(location) ? new URL(location).host : "another path";
  return `it redirects to ${host}, which was not followed: check the base URL`;
}

/** What the user can do about an error. */
function adviceFor(kind: ProviderErrorKind, keyVariables: readonly string[]): string {
  const keys = keyVariables.join(" and ");
  if (kind === "auth") return keys ? `check ${keys}` : "the provider refuses this address";
  return kind === "plan" ? PLAN_ADVICE : "";
}

const PLAN_ADVICE = "the provider's plan does not include this; choose another provider or upgrade";

/** The message of a refusal that is known from an earlier one. */
export const planMessage = (title: string, words: string): string => `${title}: ${words} (${PLAN_ADVICE})`;

/** Of an answer that is no success, its status decides: at most this much of its body (bytes) is read for the vendor's words. */
const MAX_REFUSAL_BYTES = 2 ** 20;

/**
 * The answer with its whole body; `null` if that is larger than `most` bytes, of which no more are read. Of a refusal a
 * body that is too large is left out, so that a 429 is a 429 whatever follows it.
 */
async function readAnswer(response: HttpResponse, most: number): Promise<Answer | null> {
  const isRefusal = response.status < 200 || response.status > 299;
  const bytes = (await response.body(isRefusal ? MAX_REFUSAL_BYTES : most)) ?? (isRefusal ? new Uint8Array() : null);
  if (bytes === null) return null;
  const text = new TextDecoder().decode(bytes);
  const { status, headers } = response;
  return {
    status,
    headers,
    text,
    bytes,
    json: parseJson(text),
  };
}

/** Whether an answer reads like a message and not like a file. */
const isText = ({ text }: Answer) => /^\s*[\w<{["]/.test(text) && !text.startsWith("PK");

/** A string, or a number that JSON does not have, as some servers write it. */
const STRING_OR_NO_NUMBER = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"|-?\b(?:NaN|Infinity)\b/g;

/** The JSON in a text, or `undefined`. A number that is none is null: it must not cost the rest of the answer. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (!/NaN|Infinity/.test(text)) return undefined;
  }
  try {
    return JSON.parse(text.replace(STRING_OR_NO_NUMBER, (each) => (each.startsWith('"') ? each : "null")));
  } catch {
    return undefined;
  }
}
