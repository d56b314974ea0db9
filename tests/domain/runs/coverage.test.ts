import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  BATCH_STATES,
  type BatchState,
  batchesOfCell,
  cellStates,
  coverageOf,
  coverageWords,
  MAX_CELLS,
  worst,
} from "../../../src/domain/runs/coverage.ts";

const states = fc.array(fc.constantFrom(...BATCH_STATES), { minLength: 1, maxLength: 400 });

describe("the cells of a coverage strip", () => {
  test("a coverage strip has one cell for each batch as long as there is room", () => {
    const few = fc.array(fc.constantFrom(...BATCH_STATES), { maxLength: MAX_CELLS });
    fc.assert(fc.property(few, (batches) => expect(cellStates(coverageOf(batches))).toEqual(batches)));
  });

  test("a coverage strip puts every batch into exactly one cell, in order", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), (total) => {
        const cells = Array.from({ length: Math.min(total, MAX_CELLS) }, (_, cell) => batchesOfCell(cell, total));
        const edges = [0, ...cells.map(({ to }) => to)];
        expect(cells.map(({ from }) => from)).toEqual(edges.slice(0, -1));
        expect(edges.at(-1)).toBe(total);
        const sizes = cells.map(({ from, to }) => to - from);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("a cell shows the worst state among its batches, and counts batches, not cells", () => {
    fc.assert(
      fc.property(states, (batches) => {
        const coverage = coverageOf(batches);
        const shown = cellStates(coverage);
        expect(shown.length).toBe(Math.min(batches.length, MAX_CELLS));
        expect(worst(shown)).toBe(worst(batches));
        expect(coverage.total).toBe(batches.length);
        expect(coverage.failed).toBe(batches.filter((state) => state === "failed").length);
      }),
    );
  });

  test("a coverage strip has a description in words", () => {
    const batches: BatchState[] = ["fetched", "empty", "failed", "retrying", "pending"];
    expect(coverageWords(coverageOf(batches))).toBe("2 of 5 batches fetched, 1 failed");
    expect(coverageWords(coverageOf(["fetched"]))).toBe("1 of 1 batch fetched");
  });
});
