import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { advance, describeStage, progressLine, type Stage } from "../../../src/domain/runs/progress.ts";
import { job } from "../../helpers/fixtures.ts";

describe("the words of the contract", () => {
  const rows: [Stage, string | null, number | null, string][] = [
    [{ stage: "queued" }, "Queued", 0, "Waiting for a worker"],
    [{ stage: "fetch", done: 0, total: 24 }, "Fetching history", 0, "Batch 1/24: 0%"],
    [{ stage: "fetch", done: 1, total: 24 }, "Fetching history", 1, "Batch 2/24: 4%"],
    [{ stage: "fetch", done: 23, total: 24 }, "Fetching history", 43, "Batch 24/24: 95%"],
    [{ stage: "fetch", done: 24, total: 24 }, "Fetching history", 45, "Batch 24/24: 100%"],
    [{ stage: "engineer", done: 0, total: 200 }, "Engineering features", 50, "Feature 0/200: 0%"],
    [{ stage: "engineer", done: 100, total: 200 }, "Engineering features", 57, "Feature 100/200: 50%"],
    [{ stage: "engineer", done: 200, total: 200 }, "Engineering features", 65, "Feature 200/200: 100%"],
    [{ stage: "create" }, "Creating profile", 70, "Preparing profile metadata..."],
    [{ stage: "store" }, "Storing profile", 90, "Writing to database..."],
    [{ stage: "complete", seconds: 145.23 }, "Complete", 100, "Completed in 145.2s"],
    [{ stage: "failed", reason: "no key" }, "Failed", null, "no key"],
    [{ stage: "stopped", status: "Paused", reason: "by you" }, "Paused", null, "by you"],
    [{ stage: "waiting", reason: "Retry 2/5 in 3s: HTTP 503" }, null, null, "Retry 2/5 in 3s: HTTP 503"],
  ];
  for (const [stage, status, progress, microStage] of rows) {
    test(`${status ?? "the present status"}: ${microStage}`, () => {
      expect(describeStage(stage)).toEqual({ status, progress, microStage } as never);
    });
  }

  test("log lines are written as the contract says", () => {
    const at = (stage: Stage) => progressLine({ ...job({ progress: 0 }), ...advance(job({ progress: 0 }), stage) });
    expect(at({ stage: "fetch", done: 1, total: 24 })).toBe("AAPL: Fetching history - Batch 2/24: 4% (1%)");
    expect(at({ stage: "engineer", done: 100, total: 200 })).toBe(
      "AAPL: Engineering features - Feature 100/200: 50% (57%)",
    );
  });
});

const counted = (stage: "fetch" | "engineer") =>
  fc
    .tuple(fc.integer({ min: 1, max: 500 }), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([total, part]): Stage => ({ stage, done: Math.floor(total * part), total }));
const anyStage: fc.Arbitrary<Stage> = fc.oneof(
  counted("fetch"),
  counted("engineer"),
  fc.constantFrom<Stage>(
    { stage: "create" },
    { stage: "store" },
    { stage: "complete", seconds: 1 },
    { stage: "failed", reason: "x" },
    { stage: "stopped", status: "Paused", reason: "x" },
    { stage: "waiting", reason: "x" },
  ),
);

test("whatever a job reports within an attempt, its percent never falls and stays within 0 and 100", () => {
  fc.assert(
    fc.property(fc.array(anyStage, { maxLength: 40 }), (stages) => {
      let state = job({ progress: 0 });
      for (const stage of stages) {
        const next = { ...state, ...advance(state, stage) };
        expect(next.progress).toBeGreaterThanOrEqual(state.progress);
        expect(next.progress).toBeLessThanOrEqual(100);
        expect(Number.isInteger(next.progress)).toBe(true);
        state = next;
      }
      expect(advance(state, { stage: "queued" }).progress).toBe(0);
    }),
  );
});

test("percent and micro-stage follow the formulas for every count", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5_000 }), fc.nat(), (total, n) => {
      const done = n % (total + 1);
      const p = Math.floor((100 * done) / total);
      expect(describeStage({ stage: "fetch", done, total })).toEqual({
        status: "Fetching history",
        progress: Math.floor((45 * done) / total),
        microStage: `Batch ${Math.min(done + 1, total)}/${total}: ${p}%`,
      });
      expect(describeStage({ stage: "engineer", done, total })).toEqual({
        status: "Engineering features",
        progress: 50 + Math.floor((15 * done) / total),
        microStage: `Feature ${done}/${total}: ${p}%`,
      });
    }),
  );
});
