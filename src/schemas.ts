/** The checks that request bodies, queries and forms share, with the messages they refuse input with. */

import { z } from "zod";
import { canonicalProvider } from "./domain/defaults.ts";
import { type FieldError, hasControlCharacters, quote, Refusal } from "./domain/errors.ts";
import {
  MAX_SYMBOL_LENGTH,
  MAX_SYMBOLS,
  parseRequestedSymbol,
  parseSymbol,
  symbolHint,
} from "./domain/market/symbol.ts";

export const wantsWholeNumber = (min: number, max: number) => `wants a whole number from ${min} to ${max}`;

/** A whole number from `min` to `max`; `or` is what may be given instead. */
export const wholeNumber = (min: number, max: number, or = "") => {
  const error = wantsWholeNumber(min, max) + or;
  return z.int({ error }).min(min, { error }).max(max, { error });
};

/** The same from the text of a query parameter, converted as by `Number`. */
export const wholeNumberText = (min: number, max: number) => {
  const error = wantsWholeNumber(min, max);
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error });
};

/** One of `values`. */
export const choice = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: ({ input }) => `${quote(String(input))} is not one of ${values.join(", ")}` });

/** What is said of a field without a value; forms have a sentence of their own for it. */
export const MISSING = "is missing";

/** Text of 1 to `max` characters after `clean`, on one line. */
const cleanText = (max: number, clean: (text: string) => string) =>
  z
    .string({ error: ({ input }) => (input === undefined ? MISSING : "wants text") })
    .overwrite(clean)
    .min(1, { error: MISSING })
    .max(max, { error: `is longer than ${max} characters` })
    .refine((value) => !hasControlCharacters(value), { error: "has line breaks or control characters" });

/** Text of 1 to `max` characters, not counting spaces around it. */
export const text = (max: number) => cleanText(max, (value) => value.trim());

/** Joined emoji, whose invisible parts belong to the picture, or an invisible character; marks of direction are refused. */
const INVISIBLE = /(\p{RGI_Emoji})|(?![\u202a-\u202e\u2066-\u2069])[\p{Default_Ignorable_Code_Point}\p{Cf}]/gv;
/** Spaces of any width, and the character of Braille without dots. */
const SPACES = /[\p{Zs}\u2800]+/gu;

/**
 * A name as it is kept: names that look the same are the same. What cannot be seen is removed and not refused, since it
 * comes along unseen when a name is copied.
 */
export const cleanName = (name: string): string =>
  name
    .replace(INVISIBLE, (_, emoji?: string) => emoji ?? "")
    .normalize("NFC")
    .replace(SPACES, " ")
    .trim();

/** A name of 1 to `max` characters that a person gives to something. */
export const nameText = (max: number) => cleanText(max, cleanName);

/** The name that a form gives to a `what` as it is kept, and what is wrong with it. */
export function nameOf(what: string, max: number, given: unknown): { name: string; faults: readonly FieldError[] } {
  const { data = "", error } = nameText(max).safeParse(given);
  const fault = error?.issues[0]?.message;
  if (fault === undefined) return { name: data, faults: [] };
  return {
    name: "",
    faults: [{ path: "name", message: fault === MISSING ? `Give the ${what} a name` : `The name ${fault}` }],
  };
}

/** The same. @throws Refusal at `name` for one that cannot be kept */
export function requireName(what: string, max: number, given: unknown): string {
  const { name, faults } = nameOf(what, max, given);
  if (faults[0] !== undefined) throw new Refusal("invalid", faults[0].message, faults);
  return name;
}

/** The value that `read` gives for a text; where it is `null`, the text is refused with the message of `fault`. */
export const readable = <T>(
  read: (text: string) => T | null,
  fault: (text: string) => string,
  source: z.ZodString = z.string(),
) =>
  source.transform((text, context): T => {
    const value = read(text);
    if (value !== null) return value;
    context.addIssue({ code: "custom", message: fault(text) });
    return z.NEVER;
  });

const noSymbol = (text: string) =>
  `${quote(text)} is not a symbol: wants up to ${MAX_SYMBOL_LENGTH} letters and digits with single dots or dashes between, like AAPL, BRK.B or BTC-USD${symbolHint(text)}`;

/** A symbol in its canonical form. */
export const symbol = readable(parseSymbol, noSymbol, z.string({ error: "wants text" }));
/** The same of one that is to be fetched. */
const requestedSymbol = readable(parseRequestedSymbol, noSymbol, z.string({ error: "wants text" }));

/** The name of a provider; an earlier name becomes the present one. */
export const providerName = z.string({ error: "wants the name of a provider" }).max(40).overwrite(canonicalProvider);

/** Symbols, or none. */
export const anySymbols = z
  .array(requestedSymbol, { error: "wants a list of symbols" })
  .max(MAX_SYMBOLS, { error: `wants at most ${MAX_SYMBOLS} symbols; start several runs for more` });

const NO_SYMBOLS = "wants at least one symbol";

/** The symbols of a run. */
export const symbols = anySymbols.min(1, { error: NO_SYMBOLS });

/**
 * Fields that only answers have. A body may have them too, so that what was read can be sent back; they are ignored, and no
 * other field that is not known is.
 */
export const ignored = <const N extends string>(...names: readonly N[]) =>
  Object.fromEntries(
    names.map((name) => [name, z.unknown().optional().describe("part of answers; ignored here")]),
  ) as Record<N, z.ZodOptional<z.ZodUnknown>>;

interface Scoped {
  readonly scope?: string | undefined;
  readonly symbols?: readonly string[] | undefined;
  readonly watchlist_id?: number | null | undefined;
}

/** Whether a body names symbols and a watchlist, and no scope that says which of them counts. */
const namesBoth = ({ scope, symbols, watchlist_id }: Scoped): boolean =>
  scope === undefined && symbols !== undefined && symbols.length > 0 && Boolean(watchlist_id);

const BOTH = "wants either symbols or a watchlist, or a scope that says which counts";

/** The scope of a body, and what is wrong with what it chooses. */
export function scopeOf<S extends string>(body: Scoped & { readonly scope?: S | undefined }) {
  const scope: S | "symbols" | "watchlist" = body.scope ?? (body.watchlist_id ? "watchlist" : "symbols");
  const faults: FieldError[] = [];
  if (namesBoth(body)) faults.push({ path: "watchlist_id", message: BOTH });
  if (scope === "symbols" && !body.symbols?.length) faults.push({ path: "symbols", message: NO_SYMBOLS });
  if (scope === "watchlist" && !body.watchlist_id) faults.push({ path: "watchlist_id", message: "wants a watchlist" });
  return { scope, faults };
}

export const watchlistId = z.int({ error: "wants the number of a watchlist" }).positive({ error: "wants a watchlist" });

/** The fields `before` with the changes of `patch`, to be checked as a whole: naming symbols or a watchlist also selects them. */
export function patchedFields<Fields extends Scoped>(before: Fields, patch: Scoped): unknown {
  if (namesBoth(patch)) return { ...before, ...patch, scope: undefined };
  const scope = patch.scope ?? (patch.symbols ? "symbols" : patch.watchlist_id ? "watchlist" : before.scope);
  const merged = { ...before, ...patch, scope };
  return { ...merged, symbols: scope === "symbols" ? merged.symbols : undefined };
}

/** `unknown field "a"`, `unknown fields "a", "b"` */
export const unknownFields = (names: readonly string[]) =>
  `unknown field${names.length === 1 ? "" : "s"} ${names.map(quote).join(", ")}`;

/** An object that has no fields but those of `shape`. */
export const strictObject = <const S extends z.ZodRawShape>(shape: S) =>
  z.strictObject(shape, {
    error: ({ code, keys }) => (code === "unrecognized_keys" ? unknownFields(keys) : "wants a JSON object"),
  });

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a JSON object",
  record: "a JSON object",
  tuple: "a list",
};

/** What a limit counts: of a list its entries. */
const entriesOf = ({ origin }: { readonly origin: string }) => (origin === "array" ? " in the list" : "");

/** What is wrong by a check without a message of its own, in the words of the other checks. */
function inputWords(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type": {
      if (issue.input === undefined) return "is missing";
      const wanted = TYPES[issue.expected] ?? issue.expected;
      return Array.isArray(issue.input) ? `wants ${wanted}, and once only` : `wants ${wanted}`;
    }
    case "invalid_value":
      return `is not one of ${issue.values.join(", ")}`;
    case "too_big":
      return issue.origin === "string"
        ? `is longer than ${issue.maximum} characters`
        : `wants at most ${issue.maximum}${entriesOf(issue)}`;
    case "too_small":
      if (issue.origin === "string") return "is missing";
      return `wants ${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}${entriesOf(issue)}`;
    case "not_multiple_of":
      return `wants a multiple of ${issue.divisor}`;
    case "unrecognized_keys":
      return unknownFields(issue.keys);
    default:
      return "is not what is wanted here";
  }
}

// What zod itself says of such a check names neither field nor wish in words that stay; a message of a check comes first.
z.config({ customError: inputWords });

const KINDS: Readonly<Record<string, string>> = { string: "text", number: "a number", boolean: "true or false" };

/** The option of a check of what a vendor has answered, which says what is there instead of what is wanted of a person. */
export const ANSWER = {
  error: (issue: z.core.$ZodRawIssue): string => {
    const { input } = issue;
    if (input === undefined) return "is missing";
    if (issue.code !== "invalid_type") return "is not as expected";
    const found = input === null ? "null" : Array.isArray(input) ? "a list" : (KINDS[typeof input] ?? "an object");
    return `is ${found}, not ${TYPES[issue.expected] ?? issue.expected}`;
  },
} as const;

/** The faults that zod found, as the API and the forms show them; each once, as a number may break two rules of one message. */
export function fieldErrors(error: z.core.$ZodError): FieldError[] {
  const errors = error.issues.map(({ path, message }) => ({ path: path.join("."), message }));
  return [...new Map(errors.map((each) => [JSON.stringify(each), each])).values()];
}

/** The first fault in a line, for what has no fields to show it at; `whole` is what it is called as a whole. */
export function firstFault(error: z.core.$ZodError, whole: string): string {
  const [first] = fieldErrors(error);
  return `${first?.path || whole}: ${first?.message ?? "is not what is wanted here"}`;
}
