/** The screener's language: `rsi_14 < 30 and (rvol_20 > 2 or not close_to_sma_50 >= ema_20)`. */

export const COMPARISONS = ["<", "<=", ">", ">=", "=", "!="] as const;
export type Comparison = (typeof COMPARISONS)[number];

export type Operand = { readonly feature: string } | { readonly number: number };
export type Condition =
  | { readonly kind: "and" | "or"; readonly left: Condition; readonly right: Condition }
  | { readonly kind: "not"; readonly inner: Condition }
  | { readonly kind: "compare"; readonly left: Operand; readonly sign: Comparison; readonly right: Operand };

export interface ScreenerExpression {
  readonly condition: Condition;
  /** The features it speaks of, in order of appearance. */
  readonly features: readonly string[];
}

/** Why a text is no screen, and at which character (from 0). */
export interface ScreenerFault {
  readonly error: string;
  readonly at: number;
}

const MAX_LENGTH = 1_000;
const MAX_DEPTH = 40;
const TOKEN = /\s*(?:([A-Za-z_]\w*)|([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(?![\w.])|(<=|>=|==|!=|<>|[<>=()]))/iy;
const SIGNS: Readonly<Record<string, Comparison>> = { "==": "=", "<>": "!=" };

/**
 * Reads a screen. `and` binds closer than `or`, `not` closer than both. A feature without a value satisfies no
 * comparison, nor its negation.
 * @param isFeature whether there is a feature of that name
 */
export function parseScreener(text: string, isFeature: (name: string) => boolean): ScreenerExpression | ScreenerFault {
  try {
    return new Parser(text, isFeature).read();
  } catch (error) {
    if (error instanceof Misread) return { error: error.message, at: error.at };
    throw error;
  }
}

class Misread extends Error {
  constructor(
    message: string,
    readonly at: number,
  ) {
    super(message);
  }
}

interface Token {
  readonly kind: "word" | "number" | "sign" | "end";
  readonly text: string;
  readonly at: number;
}

class Parser {
  readonly #tokens: Token[];
  readonly #features = new Set<string>();
  #next = 0;
  #depth = 0;

  constructor(
    text: string,
    private readonly isFeature: (name: string) => boolean,
  ) {
    if (text.length > MAX_LENGTH) throw new Misread(`It is longer than ${MAX_LENGTH} characters`, MAX_LENGTH);
    this.#tokens = tokensOf(text);
  }

  read(): ScreenerExpression {
    const condition = this.#either();
    if (this.#token.kind !== "end") this.#expected("and, or, or the end");
    return { condition, features: [...this.#features] };
  }

  get #token(): Token {
    return this.#tokens[this.#next]!;
  }

  #expected(what: string): never {
    const { kind, text, at } = this.#token;
    throw new Misread(`Expected ${what}, not ${kind === "end" ? "the end" : `"${text}"`}`, at);
  }

  #take(text: string): boolean {
    const found = this.#token.text.toLowerCase() === text && this.#token.kind !== "end";
    if (found) this.#next += 1;
    return found;
  }

  #either(): Condition {
    let left = this.#both();
    while (this.#take("or")) left = { kind: "or", left, right: this.#both() };
    return left;
  }

  #both(): Condition {
    let left = this.#single();
    while (this.#take("and")) left = { kind: "and", left, right: this.#single() };
    return left;
  }

  #single(): Condition {
    if (++this.#depth > MAX_DEPTH) throw new Misread("It is nested too deeply", this.#token.at);
    try {
      if (this.#take("not")) return { kind: "not", inner: this.#single() };
      if (!this.#take("(")) return this.#comparison();
      const inner = this.#either();
      if (!this.#take(")")) this.#expected('")"');
      return inner;
    } finally {
      this.#depth -= 1;
    }
  }

  #comparison(): Condition {
    const left = this.#operand();
    const { text } = this.#token;
    const sign = SIGNS[text] ?? COMPARISONS.find((each) => each === text);
    if (sign === undefined) this.#expected(`one of ${COMPARISONS.join(" ")}`);
    this.#next += 1;
    return { kind: "compare", left, sign, right: this.#operand() };
  }

  #operand(): Operand {
    const { kind, text, at } = this.#token;
    if (kind === "number") {
      const number = Number(text);
      if (!Number.isFinite(number)) throw new Misread(`${text} is too large a number`, at);
      this.#next += 1;
      return { number };
    }
    if (kind !== "word" || /^(?:and|or|not)$/i.test(text)) this.#expected("a feature or a number");
    const feature = text.toLowerCase();
    if (!this.isFeature(feature)) throw new Misread(`There is no feature "${text}"`, at);
    this.#features.add(feature);
    this.#next += 1;
    return { feature };
  }
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  let at = 0;
  while (at < end) {
    const match = TOKEN.exec(text);
    if (match === null) {
      const place = at + /^\s*/.exec(text.slice(at))![0].length;
      throw new Misread(`"${text.slice(place, place + 20)}" cannot be read`, place);
    }
    const [whole, word, number, sign] = match;
    const found = (word ?? number ?? sign)!;
    const kind = word !== undefined ? "word" : number !== undefined ? "number" : "sign";
    tokens.push({ kind, text: found, at: at + whole.length - found.length });
    at = TOKEN.lastIndex;
  }
  return [...tokens, { kind: "end", text: "", at: end }];
}
