import { expect, test } from "bun:test";
import { listSymbols } from "../../../src/domain/market/symbol.ts";

test("a list of symbols names the first and counts the others", () => {
  const lists = [[], ["A"], ["A", "B"], ["A", "B", "C"], ["A", "B", "C", "D"]];
  expect(lists.map((symbols) => listSymbols(symbols, 2))).toEqual([
    "",
    "A",
    "A, B",
    "A, B and 1 more",
    "A, B and 2 more",
  ]);
});
