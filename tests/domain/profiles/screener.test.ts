import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  COMPARISONS,
  type Condition,
  type Operand,
  parseColumn,
  parseScreener,
} from "../../../src/domain/profiles/screener.ts";

const NAMES = ["rsi_14", "rvol_20", "sma_5"];
const parse = (text: string) => parseScreener(text, (name) => NAMES.includes(name));

const operand = (side: Operand) => {
  if ("rankOf" in side) return `rank(${side.rankOf})`;
  return "number" in side ? String(side.number) : side.feature;
};
/** With every parenthesis there can be. */
const write = (condition: Condition): string => {
  if (condition.kind === "not") return `not (${write(condition.inner)})`;
  if (condition.kind === "fact") return `${condition.fact} ${condition.sign} "${condition.text}"`;
  if (condition.kind === "top") return `top(${condition.feature}, ${condition.count})`;
  if (condition.kind === "compare") return `${operand(condition.left)} ${condition.sign} ${operand(condition.right)}`;
  return `(${write(condition.left)}) ${condition.kind} (${write(condition.right)})`;
};

const side = fc.oneof(
  fc.constantFrom(...NAMES).map((feature): Operand => ({ feature })),
  fc.constantFrom(...NAMES).map((rankOf): Operand => ({ rankOf })),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number): Operand => ({ number: number + 0 })),
);
const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.record({
      kind: fc.constant("compare" as const),
      left: side,
      sign: fc.constantFrom(...COMPARISONS),
      right: side,
    }),
    fc.record({
      kind: fc.constant("fact" as const),
      fact: fc.constantFrom("sector" as const, "industry" as const, "exchange" as const),
      sign: fc.constantFrom("=" as const, "!=" as const),
      text: fc.constantFrom("technology", "oil & gas (integrated)", "nyse arca", "and", "100"),
    }),
    fc.record({
      kind: fc.constant("top" as const),
      feature: fc.constantFrom(...NAMES),
      count: fc.integer({ min: 1, max: 1_000_000 }),
    }),
    fc.record({
      kind: fc.constantFrom("and" as const, "or" as const),
      left: tie("condition"),
      right: tie("condition"),
    }),
    fc.record({ kind: fc.constant("not" as const), inner: tie("condition") }),
  ),
}));

test("the screener parses a written expression as it was meant", () => {
  fc.assert(
    fc.property(condition, (meant) => {
      const text = write(meant);
      fc.pre(text.length <= 1_000);
      expect(parse(text)).toMatchObject({ condition: meant });
    }),
  );
});

test("in the screener `and` binds closer than `or`, and `not` closer than both", () => {
  const plain = parse("not rsi_14<30 and rvol_20>2 or sma_5==1");
  const full = parse("((not (RSI_14 < 30)) AND (rvol_20 > 2)) OR (sma_5 = 1)");
  expect(plain).toEqual(full);
  expect(plain).toMatchObject({ columns: ["rsi_14", "rvol_20", "sma_5"] });
});

test("a rank is a function of a feature, in any spelling, and a column of its own", () => {
  const parsed = parse("RANK ( rsi_14 ) > 0.9 and rsi_14 < rank(sma_5)");
  expect(parsed).toEqual({
    condition: {
      kind: "and",
      left: { kind: "compare", left: { rankOf: "rsi_14" }, sign: ">", right: { number: 0.9 } },
      right: { kind: "compare", left: { feature: "rsi_14" }, sign: "<", right: { rankOf: "sma_5" } },
    },
    columns: ["rank(rsi_14)", "rsi_14", "rank(sma_5)"],
  });
});

test("the name of a column is read as the condition reads it", () => {
  const column = (text: string) => parseColumn(text, (name) => NAMES.includes(name));
  expect(column("RSI_14")).toEqual({ name: "rsi_14", operand: { feature: "rsi_14" } });
  expect(column(" rank( sma_5 ) ")).toEqual({ name: "rank(sma_5)", operand: { rankOf: "sma_5" } });
  for (const text of ["", "rank", "rank()", "rank(nothing)", "rank(rsi_14", "rsi_14)", "rank(rsi_14) x", "sma 5"])
    expect(column(text)).toBeNull();
});

describe("text the screener cannot read", () => {
  const wrong: [string, RegExp, number][] = [
    ["", /Expected a feature or a number, not the end/, 0],
    ["rsi_14 <", /Expected a feature or a number, not the end/, 8],
    ["rsi_14 30", /Expected one of/, 7],
    ["rsi_99 < 30", /no feature "rsi_99"/, 0],
    ["rsi_14 < 30 rvol_20 > 2", /Expected and, or, or the end, not "rvol_20"/, 12],
    ["(rsi_14 < 30", /Expected "\)"/, 12],
    ["rsi_14 < 30)", /not "\)"/, 11],
    ["rsi_14 < 30; drop table profiles", /";/, 11],
    ["rsi_14 < '30'", /'30'/, 9],
    ["rsi_14 < 1e999", /too large/, 9],
    ["rsi_14 < 3x", /cannot be read/, 9],
    ["rank > 0.9", /no feature "rank": write rank\(rsi_14\)/, 0],
    ["rank(rsi_99) > 0.9", /no feature "rsi_99"/, 5],
    ["rank(0.5) > 0.9", /Expected a feature, not "0.5"/, 5],
    ["rank() > 0.9", /Expected a feature, not "\)"/, 5],
    ["rank(rsi_14 > 0.9", /Expected "\)", not ">"/, 12],
    ["zscore(rsi_14) > 2", /no function "zscore", only rank/, 0],
    ["and < 3", /Expected a feature or a number/, 0],
    ["rsi_14 < 30 and", /not the end/, 15],
    [`${"(".repeat(100)}rsi_14<1${")".repeat(100)}`, /nested too deeply/, 40],
    [`rsi_14<1 ${"or rsi_14<1 ".repeat(200)}`, /longer than/, 1_000],
  ];
  for (const [text, message, at] of wrong) {
    test(`an expression that is wrong is refused where it is: ${text.slice(0, 40)}`, () => {
      expect(parse(text)).toEqual({ error: expect.stringMatching(message), at });
    });
  }
});

test("no text makes the screener's parser throw", () => {
  fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => void parse(text)));
});

describe("facts and rankings in the screener", () => {
  const conditionOf = (text: string) => {
    const parsed = parse(text);
    return "error" in parsed ? parsed : parsed.condition;
  };

  test.each([
    ["sector = Technology", { fact: "sector", sign: "=", text: "technology" }],
    ["Sector == 'Real Estate'", { fact: "sector", sign: "=", text: "real estate" }],
    ["country != USA", { fact: "country", sign: "!=", text: "united states" }],
    ['type = "Common Stock"', { fact: "type", sign: "=", text: "stock" }],
    ["currency = usd", { fact: "currency", sign: "=", text: "usd" }],
    ["listed_on < 2010-01-01", { fact: "listed_on", sign: "<", text: "2010-01-01" }],
    ["listing = Delisted", { fact: "listing", sign: "=", text: "delisted" }],
    ["exchange = 'NYSE ARCA'", { fact: "exchange", sign: "=", text: "nyse arca" }],
  ])("%s", (text, meant) => {
    expect(conditionOf(text)).toEqual({ kind: "fact", ...meant } as never);
  });

  test("facts, rankings and features go together; a ranking shows its feature", () => {
    expect(
      parse('sector = Technology and rsi_14 < 30 and not TOP(rvol_20, 100) or (isin = "us0378331005")'),
    ).toMatchObject({
      columns: ["rsi_14", "rvol_20"],
      condition: { kind: "or", left: { kind: "and", right: { kind: "not", inner: { kind: "top", count: 100 } } } },
    });
  });

  test.each([
    ["sector < Technology", "sector can only be compared with = and !=", 7],
    ["sector = Real Estate", 'Put several words in quotes: "Real Estate"', 9],
    ["sector =", "Expected a value, not the end", 8],
    ["sector Technology", 'Expected one of < <= > >= = !=, not "Technology"', 7],
    ["listed_on < 2010", '"2010" is not a date such as 2010-01-01', 12],
    ["listed_on < 2010-02-31", '"2010-02-31" is not a date such as 2010-01-01', 12],
    ["listing = gone", '"gone" is not listed or delisted', 10],
    ["isin = AAPL", '"AAPL" is not an ISIN such as US0378331005', 7],
    ["top(rsi_14)", 'Expected a comma and how many, as in top(dollar_volume_20, 100), not ")"', 10],
    ["top(rsi_14, 0)", "top needs a whole number from 1 to 1000000", 12],
    ["top(rsi_14, 1.5)", "top needs a whole number from 1 to 1000000", 12],
    ["top(nope, 5)", 'There is no feature "nope"', 4],
    ["Technology = sector", 'There is no feature "Technology"', 0],
  ])("%s is refused in words", (text, error, at) => {
    expect(parse(text)).toEqual({ error, at });
  });
});
