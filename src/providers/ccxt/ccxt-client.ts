/**
 * Calls the optional package ccxt. The package is loaded by the thread that first needs it; each HTTP request it sends takes
 * a permit of the limiter.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { cutText, messageOf, ProviderError } from "../../domain/errors.ts";
import { once } from "../../installation.ts";
import { retryAfterOf } from "../http/classify.ts";
import type { RetryTiming } from "../http/client.ts";
import type { FetchContext } from "../provider.ts";
import { pause, timeRequest } from "../sleep.ts";
import { type CcxtExchange, type CcxtModule, createExchange, kindOf, loadCcxt } from "./ccxt-module.ts";

export interface CcxtOptions {
  /** The id of the exchange in the package, e.g. `kraken`. */
  readonly exchange: string;
  readonly name: string;
  readonly title: string;
  /** Where requests are sent instead of to the exchange's own host, path and query kept. */
  readonly baseUrl?: string | undefined;
  readonly timing?: Partial<Timing>;
  /** Loads the package. */
  readonly load?: () => Promise<CcxtModule>;
}

type Timing = Pick<RetryTiming, "timeoutMs" | "backoffMs" | "busyMs" | "random">;

/** A loaded package and its exchange. */
interface Loaded {
  readonly ccxt: CcxtModule;
  readonly exchange: CcxtExchange;
}

const TIMING: Timing = { timeoutMs: 60_000, backoffMs: 1_000, busyMs: 5_000, random: Math.random };
const ATTEMPTS = { transient: 5, rate_limited: 5, invalid_response: 3 } as const;
const MAX_WAIT_MS = 60_000;

export class CcxtClient {
  readonly title: string;
  readonly #timing: Timing;
  readonly #loaded: () => Promise<Loaded>;
  /** The job for which the package sends a request. */
  readonly #requester = new AsyncLocalStorage<{ context: FetchContext; attempt: number }>();

  constructor(private readonly options: CcxtOptions) {
    this.title = options.title;
    this.#timing = { ...TIMING, ...options.timing };
    this.#loaded = once(() => this.#load());
  }

  async exchange(): Promise<CcxtExchange> {
    return (await this.#loaded()).exchange;
  }

  /** The markets, loaded once. Another job that loads them may be stopped: then this one tries again. */
  markets(context: FetchContext): Promise<NonNullable<CcxtExchange["markets"]>> {
    return this.call(async (exchange) => {
      if (exchange.markets === undefined) await exchange.loadMarkets();
      return exchange.markets ?? {};
    }, context);
  }

  /**
   * Calls the package, again after failures that may pass.
   * @throws ProviderError when the exchange could not answer; the signal's reason when the job is stopped
   */
  async call<Answer>(work: (exchange: CcxtExchange) => Promise<Answer>, context: FetchContext): Promise<Answer> {
    const { title } = this;
    const { ccxt, exchange } = await this.#loaded();
    for (let attempt = 1; ; attempt++) {
      try {
        return await unlessStopped(
          this.#requester.run({ context, attempt }, () => work(exchange)),
          context.signal,
        );
      } catch (error) {
        context.signal.throwIfAborted();
        // What the limiter refuses stays refused.
        if (error instanceof ProviderError && error.kind !== "invalid_response") throw error;
        const kind = error instanceof ProviderError ? error.kind : kindOf(ccxt, error);
        const says = error instanceof ProviderError ? "unexpected answer" : wordsOf(error, this.options.exchange);
        const tries = ATTEMPTS[kind as keyof typeof ATTEMPTS] ?? 1;
        if (attempt >= tries)
          throw error instanceof ProviderError ? error : new ProviderError(kind, `${title}: ${says}`);
        // A rate limit is waited for in the limiter, which holds all requests to the exchange.
        if (kind === "rate_limited") continue;
        const wait = this.#waitMs(this.#timing.backoffMs, attempt);
        const until = Math.ceil(Date.now() + wait);
        context.waiting({ cause: "retry", until, attempt: attempt + 1, of: tries, reason: says.slice(0, 60) });
        context.log("warn", `${title}: ${says}; try ${attempt + 1} of ${tries} in ${(wait / 1000).toFixed(1)}s`);
        await pause(wait, context.signal);
      }
    }
  }

  async #load(): Promise<Loaded> {
    const { load = loadCcxt, exchange: id, baseUrl } = this.options;
    const ccxt = await load();
    const exchange = createExchange(ccxt, id, this.#timing.timeoutMs);
    const send = exchange.fetch.bind(exchange);
    exchange.fetch = (url, ...rest) => this.#metered({ ccxt, exchange }, () => send(withBase(url, baseUrl), ...rest));
    return { ccxt, exchange };
  }

  /** Sends a request of the package when the limiter permits it, and reports what came of it. */
  async #metered<Answer>({ ccxt, exchange }: Loaded, send: () => Promise<Answer>): Promise<Answer> {
    const { context, attempt } = this.#requester.getStore()!;
    const permit = await context.acquire(1);
    const ended = timeRequest(attempt);
    try {
      const answer = await send();
      permit.settle({ accepted: true, ended: ended("ok") });
      return answer;
    } catch (error) {
      const failed = ended(codeOf(error));
      if (kindOf(ccxt, error) !== "rate_limited") permit.settle({ ended: failed });
      else {
        const stated = retryAfterOf(new Headers({ ...exchange.last_response_headers }));
        const holdSeconds = stated ?? this.#waitMs(this.#timing.busyMs, attempt) / 1_000;
        permit.settle({ holdSeconds, reason: `${this.title} is busy`, ended: failed });
      }
      throw error;
    }
  }

  #waitMs(first: number, attempt: number): number {
    return (0.5 + this.#timing.random() / 2) * Math.min(MAX_WAIT_MS, first * 2 ** (attempt - 1));
  }
}

/** The URL with the scheme, host and leading path of `base`. */
function withBase(url: string, base: string | undefined): string {
  if (!base) return url;
  const { pathname, search } = new URL(url);
  return `${base.replace(/\/$/, "")}${pathname}${search}`;
}

/** The result of `work`, or the signal's reason as soon as it is aborted; what `work` gives then is ignored. */
function unlessStopped<Answer>(work: Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/** How a request ended, by the status in the message or the class of the error. */
function codeOf(error: unknown): string {
  const status = /\s([1-5]\d\d)\s/.exec(messageOf(error))?.[1];
  if (status !== undefined) return status;
  return error instanceof Error && error.constructor.name === "RequestTimeout" ? "timeout" : "no_connection";
}

/** An error of the package in one line; its messages begin with the id and may quote a whole page. */
function wordsOf(error: unknown, id: string): string {
  const text = messageOf(error)
    .replace(new RegExp(`^${id}\\s+(?:[A-Z]+ https?://\\S+\\s+)?`), "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  return text.length > 200 ? `${cutText(text, 200)}…` : text;
}
