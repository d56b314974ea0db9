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
    test(text.slice(0, 40), () => {
      expect(parse(text)).toEqual({ error: expect.stringMatching(message), at });
    });
  }
});

test("no text makes the screener's parser throw", () => {
  fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => void parse(text)));
});
