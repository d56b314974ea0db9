/** Errors with a message for people: what was wrong and what to do. */

/** Why a provider's answer could not be used, and so what is done next (docs/adding-a-provider.md). */
const PROVIDER_ERROR_KINDS = [
  "auth",
  "plan",
  "quota_exceeded",
  "rate_limited",
  "bad_request",
  "unknown_symbol",
  "no_data",
  "transient",
  "invalid_response",
] as const;
export type ProviderErrorKind = (typeof PROVIDER_ERROR_KINDS)[number];

/** By which of its limits a plan refuses a request; `other` where the vendor's words do not tell. */
export type PlanScope = "history" | "recent" | "exchange" | "interval" | "symbol" | "other";

/** What a plan refuses: by which of its limits, and in the vendor's words. */
export interface PlanRefusal {
  readonly scope: PlanScope;
  readonly words: string;
}

/** A provider could not answer a request. `message` is one line for a person and never holds a key. */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
  constructor(
    readonly kind: ProviderErrorKind,
    message: string,
    /** Seconds to wait before the next try, if the provider said so. */
    readonly retryAfter?: number,
    /** For `plan`. */
    readonly refusal?: PlanRefusal,
  ) {
    super(message);
  }
}

export interface FieldError {
  /** Where in the input, e.g. `symbols.3` or `years`. */
  readonly path: string;
  readonly message: string;
}

/** The kinds of refusal, each with its HTTP status. */
const REFUSALS = {
  invalid: 422,
  not_found: 404,
  conflict: 409,
  forbidden: 403,
  too_many: 429,
  unavailable: 503,
} as const;
export type RefusalKind = keyof typeof REFUSALS;

/** A request that is refused before anything was changed: bad input, an unknown id, a conflict. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  constructor(
    readonly kind: RefusalKind,
    message: string,
    readonly errors: readonly FieldError[] = [],
    /** Seconds after which the same request may succeed, if that is known. */
    readonly retryAfter?: number,
  ) {
    super(message);
  }
  get status(): (typeof REFUSALS)[RefusalKind] {
    return REFUSALS[this.kind];
  }
}

/** The message after its field; an empty path means the whole input. */
export const describeError = ({ path, message }: FieldError): string => (path === "" ? message : `${path}: ${message}`);

/** Refuses input that is wrong at one field. */
export function invalid(path: string, message: string): Refusal {
  const error = { path, message };
  return new Refusal("invalid", describeError(error), [error]);
}

/** Refuses input that is wrong at one or more fields. */
export function invalidFields(errors: readonly FieldError[]): Refusal {
  const [first] = errors;
  const message = errors.length === 1 && first ? describeError(first) : `${errors.length} fields are wrong`;
  return new Refusal("invalid", message, errors);
}

/** Characters that end a line, control a terminal or reverse the direction of text. */
const CONTROL = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Whether a name holds characters that cannot be shown. */
export const hasControlCharacters = (text: string): boolean => text.search(CONTROL) >= 0;

/** The text on one line, with control characters escaped as `\n` or `\x1b`. */
export const onOneLine = (text: string): string =>
  text.replace(CONTROL, (each) => {
    const code = each.codePointAt(0)!;
    if (each === "\n") return "\\n";
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
  });

/** Quotes input in a message: shortened, without control characters. */
export function quote(text: string): string {
  const clean = text.replace(/[^\x20-\x7e\u00a0-\uffff]/g, "\ufffd");
  return JSON.stringify(clean.length > 40 ? `${clean.slice(0, 40)}…` : clean);
}

/** The message of any thrown value, as one line; if closing failed as well, that of the first error. */
export function messageOf(error: unknown): string {
  if (error instanceof SuppressedError) return messageOf(error.suppressed);
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, " ").trim() || "unknown error";
}
