import { expect, test } from "bun:test";
import { type BatchGroup, describeGroup, failuresOf } from "../../../src/views/runs/batch-list.tsx";

const DAY = 86_400;

/** The batch of a day, counted from the first of January 2026. */
const batch = (day: number, error: string | null, attempts = 1): BatchGroup => ({
  from: 1_767_225_600 + day * DAY,
  to: 1_767_225_600 + (day + 1) * DAY,
  batches: 1,
  state: error === null ? "fetched" : "failed",
  unanswered: error === null ? 0 : 1,
  bars: 0,
  rejected: 0,
  attempts,
  error,
});

test("batches in a row that failed for one reason are one sentence, and others are not joined", () => {
  const groups = [
    batch(0, "HTTP 500"),
    batch(1, "HTTP 500", 3),
    batch(2, "HTTP 403"),
    batch(3, null),
    batch(4, "HTTP 403"),
    batch(5, "HTTP 403"),
  ];
  expect(failuresOf(groups).map(describeGroup)).toEqual([
    "2026-01-01 to 2026-01-02: failed, 2 batches, attempt 3, HTTP 500",
    "2026-01-03 to 2026-01-03: failed, HTTP 403",
    "2026-01-05 to 2026-01-06: failed, 2 batches, HTTP 403",
  ]);
  expect(failuresOf([batch(0, null)])).toEqual([]);
});
