/** @jsxImportSource hono/jsx */
import { expect, test } from "bun:test";
import type { RunSummary } from "../../../src/domain/runs/run-summary.ts";
import { RunState } from "../../../src/views/runs/run-header.tsx";

const NONE = { queued: 0, running: 0, paused: 0, complete: 0, failed: 0, cancelled: 0, skipped: 0 };

/** What the badge says, without its icon. */
const words = (counts: Partial<RunSummary["counts"]>, gaps = 0, state: RunSummary["state"] = "complete") =>
  String(RunState({ state, gaps, counts: { ...NONE, ...counts } }))
    .replace(/<svg.*?<\/svg>/gs, "")
    .replace(/<[^>]*>/g, "")
    .trim();

test("a complete run says how many symbols were cancelled or skipped, and how many gaps are left", () => {
  expect(words({ complete: 5 })).toBe("Complete");
  expect(words({ complete: 3, skipped: 1, cancelled: 2 })).toBe("Complete, 1 skipped, 2 cancelled");
  expect(words({ complete: 4, cancelled: 1 }, 7)).toBe("Complete, 7 gaps, 1 cancelled");
  expect(words({ skipped: 2 })).toBe("Complete, 2 skipped");
});

test("a run that is not complete says its state alone", () => {
  expect(words({ complete: 1, cancelled: 1, running: 1 }, 0, "running")).toBe("Running");
  expect(words({ cancelled: 2 }, 0, "cancelled")).toBe("Cancelled");
});
