import { expect, test } from "bun:test";
import { tabState, tabWords } from "../../../public/app/live/tab-state.js";

test("a tab says how far its run is, and only the state of one that has ended", () => {
  expect(tabWords("running", 42.9)).toBe("42%");
  expect(tabWords("waiting", 66)).toBe("Waiting 66%");
  expect(tabWords("paused", 0)).toBe("Paused 0%");
  expect(["complete", "failed", "cancelled"].map((state) => tabWords(state, 100))).toEqual([
    "Complete",
    "Failed",
    "Cancelled",
  ]);
});

test("a run of which nothing is at work until a known moment waits, as on its page", () => {
  const run = { status: "running", progress: 5, counts: { running: 0 }, limited_until: "2026-01-02T03:04:05Z" };
  expect(tabState(run)).toBe("waiting");
  expect(tabState({ ...run, counts: { running: 1 } })).toBe("running");
  expect(tabState({ ...run, limited_until: null })).toBe("running");
  expect(tabState({ ...run, status: "failed" })).toBe("failed");
});
