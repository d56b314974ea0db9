import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  advance,
  describePosition,
  describeStage,
  describeWait,
  type JobPosition,
  progressLine,
  STAGES,
  type Stage,
  stageAt,
  type Wait,
  waitWords,
} from "../../../src/domain/runs/progress.ts";

const NOW = 1_700_000_000_000;
const START: JobPosition = { stage: { stage: "fetch", done: 1, total: 24 }, percent: 0, wait: null };

describe("the words of the contract", () => {
  const rows: [Parameters<typeof describeStage>[0], string, number | null, string][] = [
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
  ];
  for (const [stage, status, progress, microStage] of rows) {
    test(`${status}: ${microStage}`, () => {
      expect<object>(describeStage(stage)).toEqual({ status, microStage });
      // Where the contract names no percentage, it stays what it was.
      const percent = progress === null ? 17 : 0;
      expect(advance({ ...START, percent }, stage).percent).toBe(progress ?? percent);
    });
  }

  test("log lines are written as the contract says", () => {
    const at = (stage: Stage) => {
      const position = advance(START, stage);
      return progressLine({ symbol: "AAPL", progress: position.percent, ...describePosition(position, 0) });
    };
    expect(at({ stage: "fetch", done: 1, total: 24 })).toBe("AAPL: Fetching history - Batch 2/24: 4% (1%)");
    expect(at({ stage: "engineer", done: 100, total: 200 })).toBe(
      "AAPL: Engineering features - Feature 100/200: 50% (57%)",
    );
    expect(at({ stage: "waiting", wait: { cause: "quota", until: 12_000 } })).toBe(
      "AAPL: Fetching history - Rate limit: resuming in 12s (0%)",
    );
  });
});

const retry = (over: Partial<Extract<Wait, { cause: "retry" }>> = {}): Wait => {
  return { cause: "retry", until: NOW + 3_000, attempt: 2, of: 5, reason: "HTTP 503", ...over };
};

describe("a wait", () => {
  const rows: [Wait, string][] = [
    [{ cause: "rate", until: NOW + 12_000 }, "Rate limit: resuming in 12s"],
    [{ cause: "quota", until: NOW + 1_190_000 }, "Rate limit: resuming in 1190s"],
    [{ cause: "hold", until: NOW + 11_001 }, "Rate limit: resuming in 12s"],
    [{ cause: "rate", until: NOW - 5_000 }, "Rate limit: resuming in 1s"],
    [retry(), "Retry 2/5 in 3s: HTTP 503"],
    [retry({ attempt: 3, of: 3, until: NOW + 1, reason: "answer cut off" }), "Retry 3/3 in 1s: answer cut off"],
  ];
  for (const [wait, sentence] of rows) {
    test(`a wait for its ${wait.cause} says: ${sentence}`, () => {
      expect(describeWait(wait, NOW)).toBe(sentence);
    });
  }

  test("a wait keeps status and percent, and ends with the next stage", () => {
    const before = { ...START, percent: 17 };
    const waiting = advance(before, { stage: "waiting", wait: retry() });
    expect(waiting).toEqual({ ...before, wait: retry() });
    const [status, microStage] = ["Fetching history", "Retry 2/5 in 3s: HTTP 503"] as const;
    expect(describePosition(waiting, NOW)).toEqual({ status, microStage });
    const after = advance(waiting, { stage: "fetch", done: 9, total: 24 });
    expect(after).toEqual({ stage: { stage: "fetch", done: 9, total: 24 }, percent: 17, wait: null });
    expect(describePosition(after, NOW)).toEqual({ status, microStage: "Batch 10/24: 37%" });
  });

  test("the words of a wait say what it is as data", () => {
    const moment = fc.integer({ min: -10_000, max: 100_000_000 });
    const anyWait: fc.Arbitrary<Wait> = fc.oneof(
      fc.record({ cause: fc.constantFrom("rate" as const, "quota" as const, "hold" as const), until: moment }),
      fc.record({
        cause: fc.constant("retry" as const),
        until: moment,
        attempt: fc.integer({ min: 2, max: 9 }),
        of: fc.integer({ min: 2, max: 9 }),
        reason: fc.string(),
      }),
    );
    fc.assert(
      fc.property(anyWait, (wait) => {
        const [, before, seconds, after] = /^(.*?) in (\d+)s(.*)$/s.exec(describeWait(wait, 0)) ?? [];
        expect({ before, after }).toEqual(waitWords(wait) as never);
        expect(Number(seconds)).toBe(Math.max(1, Math.ceil(wait.until / 1_000)));
        if (wait.cause === "retry")
          expect([before, after]).toEqual([`Retry ${wait.attempt}/${wait.of}`, `: ${wait.reason}`]);
      }),
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
    { stage: "waiting", wait: retry() },
  ),
);

test("whatever a job reports within an attempt, its percent never falls and stays within 0 and 100", () => {
  fc.assert(
    fc.property(fc.array(anyStage, { maxLength: 40 }), (stages) => {
      let state = START;
      for (const stage of stages) {
        const next = advance(state, stage);
        expect(next.percent).toBeGreaterThanOrEqual(state.percent);
        expect(next.percent).toBeLessThanOrEqual(100);
        expect(Number.isInteger(next.percent)).toBe(true);
        state = next;
      }
      expect(advance(state, { stage: "queued" }).percent).toBe(0);
    }),
  );
});

test("a job waits exactly while its micro-stage says so", () => {
  fc.assert(
    fc.property(fc.array(anyStage, { maxLength: 20 }), (stages) => {
      let position = START;
      for (const stage of stages) {
        position = advance(position, stage);
        const { microStage } = describePosition(position, NOW);
        expect(position.wait !== null).toBe(/^(?:Rate limit:|Retry \d)/.test(microStage));
      }
    }),
  );
});

test("a percentage tells the stage that it belongs to", () => {
  for (const [stage, { from, to = from }] of Object.entries<{ from: number; to?: number }>(STAGES)) {
    for (let percent = from; percent <= to; percent++) expect<string>(stageAt(percent)).toBe(stage);
  }
});

test("percent and micro-stage follow the formulas for every count", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5_000 }), fc.nat(), (total, n) => {
      const done = n % (total + 1);
      const p = Math.floor((100 * done) / total);
      const fetch = { stage: "fetch", done, total } as const;
      expect(describeStage(fetch)).toEqual({
        status: "Fetching history",
        microStage: `Batch ${Math.min(done + 1, total)}/${total}: ${p}%`,
      });
      expect(advance(START, fetch).percent).toBe(Math.floor((45 * done) / total));
      const engineer = { stage: "engineer", done, total } as const;
      expect(describeStage(engineer)).toEqual({
        status: "Engineering features",
        microStage: `Feature ${done}/${total}: ${p}%`,
      });
      expect(advance(START, engineer).percent).toBe(50 + Math.floor((15 * done) / total));
    }),
  );
});
