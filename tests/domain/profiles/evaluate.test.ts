import { expect, test } from "bun:test";
import fc from "fast-check";
import { evaluate, largerWithin, orderOf, rankWithin, TRUE } from "../../../src/domain/profiles/evaluate.ts";
import { COMPARISONS, type Condition, type Operand } from "../../../src/domain/profiles/screener.ts";

const value = fc.oneof(fc.constant(Number.NaN), fc.integer({ min: -2, max: 2 }), fc.double({ noNaN: true }));
const side = fc.oneof(
  fc.constantFrom<Operand>({ feature: "a" }, { feature: "b" }, { rankOf: "a" }),
  fc.integer({ min: -2, max: 2 }).map((number): Operand => ({ number })),
);
const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 4 },
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

/** What SQL makes of a condition on a row: `null` for unknown. */
function meaning(each: Condition, of: (operand: Operand) => number): boolean | null {
  switch (each.kind) {
    case "not": {
      const inner = meaning(each.inner, of);
      return inner === null ? null : !inner;
    }
    case "and":
    case "or": {
      const sides = [meaning(each.left, of), meaning(each.right, of)];
      const decisive = each.kind === "or";
      if (sides.includes(decisive)) return decisive;
      return sides.includes(null) ? null : !decisive;
    }
    case "compare": {
      const [a, b] = [of(each.left), of(each.right)];
      if (Number.isNaN(a) || Number.isNaN(b)) return null;
      return { "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "=": a === b, "!=": a !== b }[each.sign];
    }
    default:
      throw new Error(`${each.kind} is tested below`);
  }
}

test("a condition over columns is for each profile what it is in SQL for a row", () => {
  const rows = fc.array(fc.record({ a: value, b: value }), { maxLength: 30 });
  fc.assert(
    fc.property(condition, rows, (each, table) => {
      const columns = {
        a: Float64Array.from(table, ({ a }) => a),
        b: Float64Array.from(table, ({ b }) => b),
      };
      const ranks = rankWithin(columns.a, Array(table.length).fill(0));
      const columnOf = (operand: Operand) =>
        "rankOf" in operand ? ranks : columns[(operand as { feature: "a" | "b" }).feature];
      const truth = evaluate(each, columnOf, table.length);
      const expected = table.map((_, at) =>
        meaning(each, (operand) => ("number" in operand ? operand.number : columnOf(operand)[at]!)),
      );
      expect([...truth].map((found) => found === TRUE)).toEqual(expected.map((found) => found === true));
    }),
  );
});

test("ranks are shares of the known values of the same group, and equal values share the mean of theirs", () => {
  const values = Float64Array.of(30, 10, Number.NaN, 10, 20, 5, 7);
  expect([...rankWithin(values, [0, 0, 0, 0, 0, 1, 1])]).toEqual([1, 0.375, Number.NaN, 0.375, 0.75, 0.5, 1]);
  expect([...rankWithin(Float64Array.of(Number.NaN), [0])]).toEqual([Number.NaN]);
  expect(rankWithin(new Float64Array(4), []).length).toBe(0);
});

test("a rank counts how many values of the group are smaller", () => {
  const table = fc.array(fc.tuple(value, fc.constantFrom(0, 1)), { maxLength: 60 });
  fc.assert(
    fc.property(table, (rows) => {
      const ranks = rankWithin(
        Float64Array.from(rows, ([each]) => each),
        rows.map(([, group]) => group),
      );
      for (const [at, [own, group]] of rows.entries()) {
        const known = rows.filter(([each, other]) => other === group && !Number.isNaN(each)).map(([each]) => each);
        const less = known.filter((each) => each < own).length;
        const equal = known.filter((each) => each === own).length;
        expect(ranks[at]!).toBe(Number.isNaN(own) ? Number.NaN : (less + (equal + 1) / 2) / known.length);
      }
    }),
  );
});

test("places are sorted by their values both ways, equal ones in their order, unknown ones last", () => {
  const numbers = fc.oneof(value, fc.double(), fc.constantFrom(-0, 0, Number.NaN));
  const table = fc.array(numbers, { maxLength: 60 });
  fc.assert(
    fc.property(table, fc.boolean(), (values, descending) => {
      const order = orderOf(Float64Array.from(values), descending);
      const places = [...values.keys()];
      const known = places.filter((at) => !Number.isNaN(values[at]));
      const unknown = places.filter((at) => Number.isNaN(values[at]));
      const compare = (a: number, b: number) => (values[a]! < values[b]! ? -1 : values[a]! > values[b]! ? 1 : 0);
      const sorted = known.toSorted((a, b) => (descending ? compare(b, a) : compare(a, b)) || a - b);
      expect([...order]).toEqual([...sorted, ...unknown]);
    }),
  );
});

test("a fact that is not known satisfies no comparison, nor its negation", () => {
  const sector = { codes: Uint32Array.of(1, 2, 0, 1), values: ["energy", "real estate"] };
  const listed = { codes: Uint32Array.of(1, 2, 3, 0), values: ["1999-01-04", "2010-01-01", "2021-06-30"] };
  const screened = {
    factOf: (fact: string) => (fact === "sector" ? sector : listed),
    largerOf: () => new Float64Array(4),
  };
  const where = (each: Condition) =>
    [...evaluate(each, () => new Float64Array(4), 4, screened)].map((truth) => Number(truth === TRUE));
  const energy = { kind: "fact", fact: "sector", sign: "=", text: "energy" } as const;
  expect(where(energy)).toEqual([1, 0, 0, 1]);
  expect(where({ kind: "not", inner: energy })).toEqual([0, 1, 0, 0]);
  expect(where({ ...energy, sign: "!=" })).toEqual([0, 1, 0, 0]);
  expect(where({ kind: "fact", fact: "listed_on", sign: "<=", text: "2010-01-01" })).toEqual([1, 1, 0, 0]);
});

test("the top of a feature are its largest known values of the group, with all that equal the last of them", () => {
  const table = fc.array(fc.tuple(value, fc.constantFrom(0, 1)), { maxLength: 40 });
  fc.assert(
    fc.property(table, fc.integer({ min: 1, max: 12 }), (rows, count) => {
      const column = Float64Array.from(rows, ([each]) => each);
      const groups = rows.map(([, group]) => group);
      const larger = largerWithin(column, groups);
      const screened = { factOf: () => ({ codes: new Uint32Array(0), values: [] }), largerOf: () => larger };
      const truth = evaluate({ kind: "top", feature: "a", count }, () => column, rows.length, screened);
      const above = (at: number) => rows.filter(([each, group]) => group === groups[at] && each > column[at]!).length;
      const expected = rows.map(([each], at) => !Number.isNaN(each) && above(at) < count);
      expect([...truth].map((found) => found === TRUE)).toEqual(expected);
    }),
  );
});
