import { expect, test } from "bun:test";
import type { Wait } from "../../../../src/domain/runs/progress.ts";
import { isStuck, isUnacknowledged, runRank } from "../../../../src/domain/runs/queue/attention.ts";
import { BY_ATTENTION } from "../../../../src/domain/runs/queue/job-sort.ts";
import { job, run } from "../../../helpers/fixtures.ts";

const NOW = 1_700_000_000_000;
const retry = (attempt: number): Wait => ({ cause: "retry", until: NOW + 1_000, attempt, of: 5, reason: "HTTP 503" });

test("a job is stuck when it is retried again and again, or silent for minutes; a limit is no fault", () => {
  expect(isStuck(job({ wait: retry(2), reportedAt: NOW }), NOW)).toBe(false);
  expect(isStuck(job({ wait: retry(3), reportedAt: NOW }), NOW)).toBe(true);
  expect(isStuck(job({ reportedAt: NOW - 179_000 }), NOW)).toBe(false);
  expect(isStuck(job({ reportedAt: NOW - 181_000 }), NOW)).toBe(true);
  expect(isStuck(job({ wait: { cause: "quota", until: NOW + 9e6 }, reportedAt: NOW - 9e6 }), NOW)).toBe(false);
  expect(isStuck(job({ state: "queued", reportedAt: 0 }), NOW)).toBe(false);
});

test("rows are in the order of who needs attention, and otherwise in that of the run", () => {
  const rows = [
    job({ symbol: "DONE", state: "complete" }),
    job({ symbol: "NEXT", state: "queued" }),
    job({ symbol: "LAST", state: "queued" }),
    job({ symbol: "WORK", reportedAt: NOW }),
    job({ symbol: "STUCK", wait: retry(4), reportedAt: NOW }),
    job({ symbol: "GONE", state: "cancelled" }),
    job({ symbol: "BAD", state: "failed" }),
    job({ symbol: "HELD", state: "paused" }),
  ];
  const order = BY_ATTENTION.apply(rows, NOW).map(({ symbol }) => symbol);
  expect(order).toEqual(["BAD", "STUCK", "WORK", "HELD", "NEXT", "LAST", "DONE", "GONE"]);
});

test("a run needs attention for failures that nobody has acknowledged, and for jobs that are stuck", () => {
  const failed = run({ state: "failed", finishedAt: 2, createdAt: 1 });
  expect(isUnacknowledged(failed)).toBe(true);
  expect(isUnacknowledged({ ...failed, acknowledgedAt: 3 })).toBe(false);
  expect(isUnacknowledged(run({ state: "complete", finishedAt: 2 }))).toBe(false);
  const ranks = [failed, run({ stuck: 1 }), run(), run({ state: "paused" }), { ...failed, acknowledgedAt: 3 }].map(
    runRank,
  );
  expect(ranks).toEqual([0, 0, 1, 2, 3]);
});
