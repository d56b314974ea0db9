/** The screener's language: `rsi_14 < 30 and (rank(rvol_20) > 0.9 or not close_to_sma_50 >= ema_20)`. */

export const COMPARISONS = ["<", "<=", ">", ">=", "=", "!="] as const;
export type Comparison = (typeof COMPARISONS)[number];

/** `rsi_14`, its rank among all profiles of the interval `rank(rsi_14)`, or a number. */
export type Operand = { readonly feature: string } | { readonly rankOf: string } | { readonly number: number };
export type ColumnOperand = Exclude<Operand, { readonly number: number }>;
export type Condition =
  | { readonly kind: "and" | "or"; readonly left: Condition; readonly right: Condition }
  | { readonly kind: "not"; readonly inner: Condition }
  | { readonly kind: "compare"; readonly left: Operand; readonly sign: Comparison; readonly right: Operand };

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
const TOKEN = /\s*(?:([A-Za-z_]\w*)|([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(?![\w.])|(<=|>=|==|!=|<>|[<>=()]))/iy;
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
  readonly kind: "word" | "number" | "sign" | "end";
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
    const { text } = this.#token;
    const sign = SIGNS.get(text) ?? COMPARISONS.find((each) => each === text);
    if (sign === undefined) this.#expected(`one of ${COMPARISONS.join(" ")}`);
    this.#next += 1;
    return { kind: "compare", left, sign, right: this.#operand() };
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
    const [whole, word, number, sign] = match;
    const found = (word ?? number ?? sign)!;
    const kind = word !== undefined ? "word" : number !== undefined ? "number" : "sign";
    tokens.push({ kind, text: found, at: at + whole.length - found.length });
    at = TOKEN.lastIndex;
  }
  return [...tokens, { kind: "end", text: "", at: end }];
}
