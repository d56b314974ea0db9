/**
 * The screener's language: `rsi_14 < 30 and (rank(rvol_20) > 0.9 or not close_to_sma_50 >= ema_20)`, with what is known of
 * companies and the first of a ranking: `sector = "Real Estate" and listed_on < 2010-01-01 and top(dollar_volume_20, 100)`.
 */

import { FACT_FORMS, FACT_NAMES, LISTINGS, readFact } from "../companies.ts";

export const COMPARISONS = ["<", "<=", ">", ">=", "=", "!="] as const;
export type Comparison = (typeof COMPARISONS)[number];

/** `rsi_14`, its rank among all profiles of the interval `rank(rsi_14)`, or a number. */
export type Operand = { readonly feature: string } | { readonly rankOf: string } | { readonly number: number };
export type ColumnOperand = Exclude<Operand, { readonly number: number }>;
/** What is known of a company, as far as a screen can name it. */
export const SCREEN_FACTS = ["exchange", "listing", ...FACT_NAMES] as const;
export type ScreenFact = (typeof SCREEN_FACTS)[number];

export type Condition =
  | { readonly kind: "and" | "or"; readonly left: Condition; readonly right: Condition }
  | { readonly kind: "not"; readonly inner: Condition }
  | { readonly kind: "compare"; readonly left: Operand; readonly sign: Comparison; readonly right: Operand }
  /** Small and capital letters are the same; days are compared as ISO dates. */
  | { readonly kind: "fact"; readonly fact: ScreenFact; readonly sign: Comparison; readonly text: string }
  /** Whether the feature is among the `count` largest of all profiles of the interval; equal to the last of them counts. */
  | { readonly kind: "top"; readonly feature: string; readonly count: number };

export interface ScreenerExpression {
  readonly condition: Condition;
  /** The features and ranks that it names, in order of appearance: `rsi_14`, `rank(rsi_14)`. */
  readonly columns: readonly string[];
}

/** Why a text is not a valid screen, and at which character (from 0). */
export interface ScreenerFault {
  readonly error: string;
  readonly at: number;
}

/** The name of the column of a feature's ranks. */
const rankColumn = (feature: string) => `rank(${feature})`;

/** The operand behind a column's name; it may be typed with spaces and capitals. `null` if there is none such. */
export function parseColumn(
  text: string,
  isFeature: (name: string) => boolean,
): { readonly name: string; readonly operand: ColumnOperand } | null {
  const [, ranked, plain] = /^\s*(?:rank\s*\(\s*(\w+)\s*\)|(\w+))\s*$/i.exec(text) ?? [];
  const feature = (ranked ?? plain ?? "").toLowerCase();
  if (!isFeature(feature)) return null;
  return ranked === undefined
    ? { name: feature, operand: { feature } }
    : { name: rankColumn(feature), operand: { rankOf: feature } };
}

const MAX_LENGTH = 1_000;
const MAX_DEPTH = 40;
const MAX_TOP = 1_000_000;
const TOKEN =
  /\s*(?:([A-Za-z_]\w*)|(\d{4}-\d\d-\d\d)(?![\w.-])|([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(?![\w.])|(<=|>=|==|!=|<>|[<>=(),])|("[^"]*"|'[^']*'))/iy;
const DAYS: readonly string[] = ["listed_on", "delisted_on"];
const SIGNS: ReadonlyMap<string, Comparison> = new Map([
  ["==", "="],
  ["<>", "!="],
]);

/**
 * Parses a screen. `and` binds closer than `or`, `not` closer than both. A feature without a value satisfies no
 * comparison, nor its negation, and has no rank.
 * @param isFeature whether there is a feature of that name
 */
export function parseScreener(text: string, isFeature: (name: string) => boolean): ScreenerExpression | ScreenerFault {
  try {
    return new Parser(text, isFeature).read();
  } catch (error) {
    if (error instanceof ScreenerSyntaxError) return { error: error.message, at: error.at };
    throw error;
  }
}

class ScreenerSyntaxError extends Error {
  constructor(
    message: string,
    readonly at: number,
  ) {
    super(message);
  }
}

interface Token {
  readonly kind: "word" | "date" | "number" | "sign" | "text" | "end";
  readonly text: string;
  readonly at: number;
}

class Parser {
  readonly #tokens: Token[];
  readonly #columns = new Set<string>();
  #next = 0;
  #depth = 0;

  constructor(
    text: string,
    private readonly isFeature: (name: string) => boolean,
  ) {
    if (text.length > MAX_LENGTH)
      throw new ScreenerSyntaxError(`It is longer than ${MAX_LENGTH} characters`, MAX_LENGTH);
    this.#tokens = tokensOf(text);
  }

  read(): ScreenerExpression {
    const condition = this.#orExpression();
    if (this.#token.kind !== "end") this.#expected("and, or, or the end");
    return { condition, columns: [...this.#columns] };
  }

  get #token(): Token {
    return this.#tokens[this.#next]!;
  }

  #expected(what: string): never {
    const { kind, text, at } = this.#token;
    throw new ScreenerSyntaxError(`Expected ${what}, not ${kind === "end" ? "the end" : `"${text}"`}`, at);
  }

  #take(text: string): boolean {
    const found = this.#token.text.toLowerCase() === text && this.#token.kind !== "end";
    if (found) this.#next += 1;
    return found;
  }

  #orExpression(): Condition {
    let left = this.#andExpression();
    while (this.#take("or")) left = { kind: "or", left, right: this.#andExpression() };
    return left;
  }

  #andExpression(): Condition {
    let left = this.#term();
    while (this.#take("and")) left = { kind: "and", left, right: this.#term() };
    return left;
  }

  #term(): Condition {
    if (++this.#depth > MAX_DEPTH) throw new ScreenerSyntaxError("It is nested too deeply", this.#token.at);
    try {
      if (this.#take("not")) return { kind: "not", inner: this.#term() };
      if (this.#isCall("top")) return this.#top();
      const fact = SCREEN_FACTS.find((name) => name === this.#token.text.toLowerCase());
      if (fact !== undefined && this.#token.kind === "word") return this.#factComparison(fact);
      if (!this.#take("(")) return this.#comparison();
      const inner = this.#orExpression();
      if (!this.#take(")")) this.#expected('")"');
      return inner;
    } finally {
      this.#depth -= 1;
    }
  }

  #comparison(): Condition {
    const left = this.#operand();
    return { kind: "compare", left, sign: this.#sign(), right: this.#operand() };
  }

  #sign(): Comparison {
    const { text, kind } = this.#token;
    const sign = SIGNS.get(text) ?? COMPARISONS.find((each) => each === text);
    if (sign === undefined || kind !== "sign") this.#expected(`one of ${COMPARISONS.join(" ")}`);
    this.#next += 1;
    return sign;
  }

  /** Whether a function of that name is called here. */
  #isCall(name: string): boolean {
    const { kind, text } = this.#token;
    return kind === "word" && text.toLowerCase() === name && this.#tokens[this.#next + 1]!.text === "(";
  }

  #top(): Condition {
    this.#next += 2;
    const { kind, text, at } = this.#token;
    if (kind !== "word") this.#expected("a feature");
    const feature = this.#feature(text, at);
    this.#next += 1;
    if (!this.#take(",")) this.#expected("a comma and how many, as in top(dollar_volume_20, 100)");
    const { text: number, at: place } = this.#token;
    const count = Number(number);
    if (this.#token.kind !== "number" || !Number.isInteger(count) || count < 1 || count > MAX_TOP)
      throw new ScreenerSyntaxError(`top needs a whole number from 1 to ${MAX_TOP}`, place);
    this.#next += 1;
    if (!this.#take(")")) this.#expected('")"');
    this.#columns.add(feature);
    return { kind: "top", feature, count };
  }

  #factComparison(fact: ScreenFact): Condition {
    this.#next += 1;
    const { at: place } = this.#token;
    const sign = this.#sign();
    const isDay = DAYS.includes(fact);
    if (!isDay && sign !== "=" && sign !== "!=")
      throw new ScreenerSyntaxError(`${fact} can only be compared with = and !=`, place);
    const { kind, text, at } = this.#token;
    if (kind === "end" || kind === "sign") this.#expected(isDay ? "a date" : "a value");
    this.#next += 1;
    const { kind: next, text: more } = this.#token;
    if (kind === "word" && next === "word" && !/^(?:and|or)$/i.test(more))
      throw new ScreenerSyntaxError(`Put several words in quotes: "${text} ${more}"`, at);
    const value = kind === "text" ? text.slice(1, -1) : text;
    const read = valueOfFact(fact, value);
    if (read === null) throw new ScreenerSyntaxError(`"${value}" is not ${WANTED[fact] ?? "a value"}`, at);
    return { kind: "fact", fact, sign, text: read };
  }

  #operand(): Operand {
    const { kind, text, at } = this.#token;
    if (kind === "number") {
      const number = Number(text);
      if (!Number.isFinite(number)) throw new ScreenerSyntaxError(`${text} is too large a number`, at);
      this.#next += 1;
      return { number };
    }
    if (kind !== "word" || /^(?:and|or|not)$/i.test(text)) this.#expected("a feature or a number");
    this.#next += 1;
    if (!this.#take("(")) {
      const feature = this.#feature(text, at);
      this.#columns.add(feature);
      return { feature };
    }
    if (!/^rank$/i.test(text)) throw new ScreenerSyntaxError(`There is no function "${text}", only rank`, at);
    const { kind: inner, text: name, at: place } = this.#token;
    if (inner !== "word") this.#expected("a feature");
    const rankOf = this.#feature(name, place);
    this.#next += 1;
    if (!this.#take(")")) this.#expected('")"');
    this.#columns.add(rankColumn(rankOf));
    return { rankOf };
  }

  /** The feature that is named at character `at`. */
  #feature(text: string, at: number): string {
    const feature = text.toLowerCase();
    if (this.isFeature(feature)) return feature;
    const hint = feature === "rank" ? ": write rank(rsi_14)" : "";
    throw new ScreenerSyntaxError(`There is no feature "${text}"${hint}`, at);
  }
}

const WANTED: Readonly<Partial<Record<ScreenFact, string>>> = {
  listing: "listed or delisted",
  ...FACT_FORMS,
};

/** A value as facts are stored, in small letters; `null` if the fact cannot have it. */
function valueOfFact(fact: ScreenFact, text: string): string | null {
  if (fact === "exchange") return text.trim().toLowerCase() || null;
  if (fact === "listing") return LISTINGS.find((each) => each === text.toLowerCase()) ?? null;
  return readFact(fact, text)?.toLowerCase() ?? null;
}

const KINDS = ["word", "date", "number", "sign", "text"] as const;

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  let at = 0;
  while (at < end) {
    const match = TOKEN.exec(text);
    if (match === null) {
      const place = at + /^\s*/.exec(text.slice(at))![0].length;
      throw new ScreenerSyntaxError(`"${text.slice(place, place + 20)}" cannot be read`, place);
    }
    const [whole, ...groups] = match;
    const group = groups.findIndex((each) => each !== undefined);
    const found = groups[group]!;
    tokens.push({ kind: KINDS[group]!, text: found, at: at + whole.length - found.length });
    at = TOKEN.lastIndex;
  }
  return [...tokens, { kind: "end", text: "", at: end }];
}
