/** Errors with a message for people: what was wrong and what to do. */

/** Why a provider's answer could not be used, and so what is done next (docs/adding-a-provider.md). */
export const PROVIDER_ERROR_KINDS = [
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
    // It repeats what a server somewhere wrote, and ends in logs, mails and terminals.
    super(onOneLine(message));
  }
}

/** Whether the job can continue after the quota resets. */
export function isSpentQuota(error: ProviderError): boolean {
  return error.kind === "quota_exceeded" || error.kind === "rate_limited";
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

/** The first `most` characters of a text (UTF-16), without half of one at the end. */
export const cutText = (text: string, most: number): string => text.slice(0, most).replace(/[\ud800-\udbff]$/, "");

/** Quotes input in a message: shortened, without control characters. */
export function quote(text: string): string {
  const clean = text.replace(/[^\x20-\x7e\u00a0-\uffff]/g, "\ufffd");
  return JSON.stringify(clean.length > 40 ? `${clean.slice(0, 40)}…` : clean);
}

/** The message of any thrown value, as one line without control characters; if closing failed as well, that of the first error. */
export function messageOf(error: unknown): string {
  if (error instanceof SuppressedError) return messageOf(error.suppressed);
  if (isQueryError(error)) return messageOf(error.cause);
  const text = error instanceof Error ? error.message : String(error);
  return onOneLine(text.replace(/\s+/g, " ").trim()) || "unknown error";
}

/** An error that repeats a whole SQL statement, with its values; its cause says what was wrong. */
const isQueryError = (error: unknown): error is Error =>
  error instanceof Error && error.cause instanceof Error && error.message.startsWith("Failed query:");

/**
 * A path as the system quotes it in its errors: `ENOENT: no such file or directory, open '/srv/data/x'`. The quote within
 * `/srv/Jo's data` does not end it: a letter follows.
 */
const QUOTED_PATH = /'(?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])(?:[^']|'(?=\w))*'/g;

/** A text without the paths in it that errors of the system quote, for readers who may not see them. */
export const withoutPaths = (text: string): string => text.replace(QUOTED_PATH, "(a path)");

/** What leads to a file of this installation or of a package in it, and to any other file. */
const INSTALLATION =
  /(?:file:\/\/)?(?:[A-Za-z]:)?[\\/](?:[^()]*?[\\/](?=node_modules[\\/])|[^()]*[\\/](?=src[\\/])|[^()]*[\\/])/;

/**
 * Name, message and stack of any thrown value, for the log: some drivers make stacks that lack the message. Calls are
 * named below the installation, whose path may have the name of a user.
 */
export function traceOf(error: unknown): string {
  if (isQueryError(error)) return traceOf(error.cause);
  if (!(error instanceof Error)) return String(error);
  const calls = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return [`${error.name}: ${error.message}`, ...calls.map((line) => line.replace(INSTALLATION, ""))].join("\n");
}

/** Trouble of the whole database: nothing can be stored until it is over. */
export const TROUBLE_KINDS = ["locked", "full", "read_only", "failing", "gone", "damaged", "away"] as const;
export type TroubleKind = (typeof TROUBLE_KINDS)[number];

/** What is wrong with the database, and what a person can do about it. */
export interface StorageFault {
  readonly kind: TroubleKind;
  /** A clause: "The disk of the database is full". */
  readonly what: string;
  /** A sentence. */
  readonly advice: string;
  /** Whether it can end without a restart. */
  readonly canPass: boolean;
}

/** A fault and since when it has lasted, epoch milliseconds. */
export interface StorageTrouble extends StorageFault {
  readonly since: number;
}

/** The job queue cannot be reached: no job starts until it can. Nothing is lost, because the jobs are in the database. */
export interface QueueTrouble {
  readonly kind: "queue";
  /** A clause for everybody: "The job queue does not answer". */
  readonly what: string;
  /** Where it is and what it said, for admins and stderr: without a secret, but with addresses. */
  readonly detail: string;
  /** A sentence. */
  readonly advice: string;
  /** Epoch milliseconds. */
  readonly since: number;
}

const PASSING: Readonly<Record<Exclude<TroubleKind, "gone" | "damaged">, readonly [what: string, advice: string]>> = {
  locked: [
    "Another program has locked the database for writing",
    "End its transaction, or that program (a backup tool, an open sqlite3 shell).",
  ],
  full: ["The disk of the database is full", "Free space on it."],
  read_only: ["The database is read-only", "Let the server write to its file and folder, and check the disk."],
  failing: ["The disk of the database reports errors", "Check the disk and its connection."],
  away: ["The database server does not answer", "Check that server and the network to it."],
};
const DAMAGED: StorageFault = {
  kind: "damaged",
  what: "The database file is damaged",
  advice: "Stop the server, restore the newest backup and start it again.",
  canPass: false,
};

/** The fault of a kind; that of a file that is gone is described by who noticed it. */
export function faultOf(kind: Exclude<TroubleKind, "gone">): StorageFault {
  if (kind === "damaged") return DAMAGED;
  const [what, advice] = PASSING[kind];
  return { kind, what, advice, canPass: true };
}

/** What the server does meanwhile. */
export function consequenceOf(trouble: StorageFault | QueueTrouble): string {
  if (trouble.kind === "queue")
    return "No new jobs begin, those at work end, and all goes on by itself when it is over.";
  return trouble.canPass
    ? "No new jobs begin, those at work wait, and all go on by themselves when it is over."
    : "No new jobs begin, and nothing more is stored.";
}
