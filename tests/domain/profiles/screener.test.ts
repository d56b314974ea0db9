import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { COMPARISONS, type Condition, type Operand, parseScreener } from "../../../src/domain/profiles/screener.ts";

const NAMES = ["rsi_14", "rvol_20", "sma_5"];
const parse = (text: string) => parseScreener(text, (name) => NAMES.includes(name));

const operand = (side: Operand) => ("feature" in side ? side.feature : String(side.number));
/** With every parenthesis there can be. */
const write = (condition: Condition): string => {
  if (condition.kind === "not") return `not (${write(condition.inner)})`;
  if (condition.kind === "compare") return `${operand(condition.left)} ${condition.sign} ${operand(condition.right)}`;
  return `(${write(condition.left)}) ${condition.kind} (${write(condition.right)})`;
};

const side = fc.oneof(
  fc.constantFrom(...NAMES).map((feature): Operand => ({ feature })),
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

test("the screener reads back what was written as it was meant", () => {
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
  expect(plain).toMatchObject({ features: ["rsi_14", "rvol_20", "sma_5"] });
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
