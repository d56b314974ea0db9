/**
 * Classifies a vendor's answer by status and body together. Vendors send errors as plain text, inside a 200 or as an
 * HTML page, with wrong content types: neither the status nor the content type can be trusted alone.
 */

import { cutText, onOneLine, type PlanScope, type ProviderErrorKind } from "../../domain/errors.ts";

/** An HTTP answer with its whole body. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as it came. */
  readonly bytes?: Uint8Array;
  /** The parsed body, or `undefined` if it is not JSON. */
  readonly json: unknown;
}

/** What an answer without usable content means. */
export interface Classification {
  readonly kind: ProviderErrorKind;
  /** The vendor's message, where it is better than the start of the body. */
  readonly says?: string;
  /** Seconds to wait, if the vendor named them. */
  readonly retryAfter?: number;
  /** Whether a smaller window may help. */
  readonly tooLarge?: boolean;
  /** The period whose quota is spent, for `quota_exceeded`. */
  readonly period?: "hour" | "day" | "month";
  /** What the plan refuses, for `plan`; from the words of the message unless given. */
  readonly scope?: PlanScope;
}

/** Words of a quota of a period; a period alone may be that of the bars, of a bill or of an outage. */
const quotaOf = (adjective: string, noun: string, more = "") =>
  new RegExp(
    `\\b${adjective}\\b(?:\\W+\\w+){0,3}?\\W+(?:limit|quota|request|call|credit|allocation|allowance|usage|look)` +
      `|(?:\\bper|\\bthis|\\bthe|\\ban?|/)\\s*${noun}\\b${more}`,
    "i",
  );
const DAY_SPENT = quotaOf("daily", "day", "|\\bday's\\b|\\b24 hours\\b|API requests limit");
const HOUR_SPENT = quotaOf("hourly", "hour");
const MONTH_SPENT = quotaOf("monthly", "month");
/** Beside a longer period, it is not known which of the two quotas is spent. */
const BY_MINUTE = /\b(?:minute|second)s?\b/i;
const TOO_FAST = /rate limit|too many requests|requests per (?:minute|second)/i;
const TOO_MANY = /rate limit|too many|requests per|api credits|run over|exceeded/i;
/** Words of refusals by plan. PLAN in capitals is a ticker. */
const PLAN = new RegExp(
  [
    "\\b[Pp]lans?\\b|[Ss]ubscri(?!ption key)|[Uu]pgrad|[Ee]ntitle|[Ff]ree users|[Pp]remium|[Pp]ayment required",
    "[Nn]ot (?:allowed|permitted|available) for|[Ee]xclusively|available (?:only|starting)\\b",
    "permission (?:for|to \\w+) (?:this|that|the) (?:ticker|symbol|data|endpoint|exchange|interval)",
  ].join("|"),
);
const KEY = /unauthenticated|unauthori[sz]ed|api[ _-]?(?:key|token)|access key|invalid (?:key|token)|forbidden/i;
const UNKNOWN = /not found|invalid symbol|unknown (?:symbol|ticker)|no such (?:symbol|ticker)/i;
/** There is no such address: that says nothing of a symbol. */
const NO_ROUTE =
  /\b(?:page|route|endpoint|path|url|method)\b[^.]*\bnot found|\bno (?:such )?(?:route|endpoint|path)\b/i;
const TOO_LONG = /max(?:imum)? period|too (?:long|large|many (?:rows|data|bars))|period length|date range/i;

/** A longer wait than this (seconds) concerns the vendor as a whole. */
const LONG_RETRY = 90;

/** The classification by the rules for all vendors; `null` for an answer that can be read. */
export function classify(answer: Answer): Classification | null {
  const { status, text, json } = answer;
  const retryAfter = retryAfterOf(answer.headers);
  if (status >= 200 && status < 300) return json === undefined ? classifyText(text) : classifyNotice(json);
  if (status === 401) return { kind: "auth" };
  if (status === 402) return spent(text) ?? { kind: "plan" };
  if (status === 403) {
    if (isHtml(answer)) return { kind: "transient" };
    if (TOO_FAST.test(text)) return { ...(spent(text) ?? { kind: "rate_limited" }), retryAfter };
    return { kind: PLAN.test(text) ? "plan" : "auth" };
  }
  if (status === 404 && (isHtml(answer) || NO_ROUTE.test(text))) return { kind: "invalid_response" };
  if (status === 418) return { kind: "rate_limited", retryAfter: retryAfter ?? 120 };
  if (status === 429) return { ...(spentDay(text) ?? { kind: "rate_limited" }), retryAfter };
  if (status === 451) return { kind: "auth", says: "not offered from this region (HTTP 451)" };
  // A job that waits for so long would keep its place for nothing: all requests are held instead.
  if (status === 503 && (retryAfter ?? 0) > LONG_RETRY) return { kind: "rate_limited", retryAfter };
  if (status === 408 || status === 425 || status >= 500) return { kind: "transient", retryAfter };
  if (status >= 400 && !isHtml(answer) && planWords(text)) return { kind: "plan" };
  if (status === 404) return { kind: "unknown_symbol" };
  if (status === 400 || status === 413 || status === 414 || status === 422) {
    return { kind: "bad_request", tooLarge: status !== 400 || TOO_LONG.test(text) };
  }
  return { kind: status < 400 ? "invalid_response" : "bad_request" };
}

/** A 200 whose body is not JSON: some vendors send errors as a line of text. */
function classifyText(text: string): Classification {
  if (text.length > 2_000 || /^\s*[<[{]/.test(text))
    return { kind: "invalid_response", tooLarge: /^\s*[[{]/.test(text) };
  return classifyMessage(text) ?? { kind: "invalid_response" };
}

/** A 200 whose JSON is an error message and nothing else; `null` for any other. */
function classifyNotice(json: unknown): Classification | null {
  const said = sentenceIn(json);
  if (said === undefined || Object.values(json as object).some((value) => typeof value === "object" && value !== null))
    return null;
  return classifyMessage(said);
}

/** Classifies a vendor's error message by its wording; `null` if no rule matches. */
export function classifyMessage(text: string): Classification | null {
  if (TOO_LONG.test(text) && !TOO_FAST.test(text)) return { kind: "bad_request", tooLarge: true };
  if (TOO_MANY.test(text) || DAY_SPENT.test(text)) return spent(text) ?? { kind: "rate_limited" };
  if (PLAN.test(text)) return { kind: "plan" };
  if (KEY.test(text)) return { kind: "auth" };
  if (NO_ROUTE.test(text)) return { kind: "invalid_response" };
  if (UNKNOWN.test(text)) return { kind: "unknown_symbol" };
  return null;
}

/** The limits that a refusal may name, the clearest words first. */
const SCOPES: readonly (readonly [PlanScope, RegExp])[] = [
  ["recent", /\btoday|\brecent\b|real[- ]?time|before end of day|too late/i],
  ["interval", /intraday|\binterval|(?<!\b(?:an?|per|next|each)\s)\bminute|only eod/i],
  ["symbol", /\bsymbol|\bticker|\bfigi\b/i],
  ["history", /time ?frame|histor|years? (?:of|back)|date range|older than|before this date/i],
  ["exchange", /entitled|\bexchange|\bmarket\b|crypto|forex/i],
];

/** A plan that is over refuses everything: what else its refusal names is no limit. */
const PLAN_OVER =
  /\b(?:plan|subscription|trial|licen[cs]e)\b[^.]*\b(?:has|is|was)(?: been)? (?:expired|ended|over|cancell?ed|suspended)\b/i;

/** What a plan refuses, by the wording of the refusal; `other` if that is not said. */
export const planScopeOf = (text: string): PlanScope =>
  PLAN_OVER.test(text) ? "other" : (SCOPES.find(([, words]) => words.test(text))?.[0] ?? "other");

const spentDay = (text: string): Classification | null =>
  DAY_SPENT.test(text) && !BY_MINUTE.test(text) ? { kind: "quota_exceeded", period: "day" } : null;

/** The quota that a refusal says is spent; `null` if it names none, or a shorter one beside it. */
function spent(text: string): Classification | null {
  if (BY_MINUTE.test(text)) return null;
  const day = spentDay(text);
  if (day !== null) return day;
  if (HOUR_SPENT.test(text)) return { kind: "quota_exceeded", period: "hour" };
  if (MONTH_SPENT.test(text)) return { kind: "quota_exceeded", period: "month" };
  return null;
}

/** Decided by the body: plain text is often labelled as HTML. */
function isHtml({ text }: Answer): boolean {
  return /^\s*<(?:!doctype|html)/i.test(text);
}

/** The longest wait that a vendor can mean, seconds: to the end of a month. */
const MAX_RETRY_AFTER = 31 * 86_400;

/**
 * Seconds of a `Retry-After` header, more than 0 and at most 31 days: a number, an HTTP date, or (a common mistake) a moment
 * of the epoch in seconds or milliseconds. Anything else counts as not stated: the caller waits as long as it sees fit.
 */
export function retryAfterOf(headers: Headers, now = Date.now()): number | undefined {
  const value = headers.get("retry-after")?.trim();
  if (!value) return undefined;
  const number = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
  // An HTTP date names GMT; any other text would be read in the zone of this machine.
  const date = /\sGMT$/.test(value) ? Date.parse(value) : Number.NaN;
  const waits = [number, number - now / 1_000, (number - now) / 1_000, (date - now) / 1_000];
  return waits.find((seconds) => seconds > 0 && seconds <= MAX_RETRY_AFTER);
}

/** What titles of pages escape. */
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

/** The text of a piece of HTML without elements: named and numeric references as characters, others as they are. */
function textOfHtml(html: string): string {
  return html.replace(/&(?:(amp|lt|gt|quot|apos|nbsp)|#(\d{1,6})|#x([\da-f]{1,5}));/g, (_, name, decimal, hex) =>
    name === undefined
      ? String.fromCodePoint(decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal))
      : ENTITIES[name]!,
  );
}

/** The body's own words: the vendor's message where there is one, the title of an HTML page, or the text. */
export function wordsOf({ json, text }: Pick<Answer, "json" | "text">): string {
  const title = () => textOfHtml(/<title>([^<]*)<\/title>/i.exec(text)?.[1] ?? "an HTML page");
  return sentenceIn(json) ?? (/^\s*</.test(text) ? title() : text);
}

/** Most of a vendor's words that are shown, and that are searched for keys, characters. */
const MAX_WORDS = 200;
const MAX_SEARCHED = 50_000;

/** The start of a vendor's words on one line. It is cut last: of a key at the cut, the beginning would remain. */
export function shortened(words: string, redact: (text: string) => string): string {
  const line = redact(words.slice(0, MAX_SEARCHED)).replace(/\s+/g, " ").trim();
  return onOneLine(line.length > MAX_WORDS ? `${cutText(line, MAX_WORDS)}…` : line);
}

/** Whether a sentence is about what a plan gives. */
export const planWords = (text: string): boolean => PLAN.test(text);

/** The vendor's sentence in an object of its answer, if it has one. */
export function sentenceIn(json: unknown): string | undefined {
  if (typeof json !== "object" || json === null) return undefined;
  const fields = json as Record<string, unknown>;
  for (const name of ["message", "error", "detail", "msg", "warning", "note", "Information", "Note"]) {
    if (typeof fields[name] === "string" && fields[name] !== "") return fields[name];
  }
  const errors = fields.errors;
  if (typeof errors !== "object" || errors === null) return undefined;
  // Anything but text might not even have a form as text.
  const sentences = Object.values(errors)
    .flat()
    .filter((each) => typeof each === "string" && each !== "");
  return sentences.length === 0 ? undefined : sentences.join("; ");
}
