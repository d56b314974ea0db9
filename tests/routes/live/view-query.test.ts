import { expect, test } from "bun:test";
import { MONITOR, runsOf, stripOf, type ViewQuery } from "../../../src/routes/live/view-query.ts";
import { run } from "../../helpers/fixtures.ts";

const ended = { finishedAt: 1_700_000_000_900, counts: { ...run().counts, running: 0, complete: 1 } } as const;
const failed = { ...ended, state: "failed", counts: { ...ended.counts, failed: 1 } } as const;
const at = (minute: number) => ({ createdAt: 1_700_000_000_000 + minute });
const old = run({ id: "old", ...at(0), ...ended, state: "complete" });
const bad = run({ id: "bad", ...at(1), ...failed });
const seen = run({ id: "seen", ...at(2), ...failed, acknowledgedAt: 1_700_000_001_000 });
const paused = run({ id: "paused", ...at(3), state: "paused" });
const busy = run({ id: "busy", ...at(4) });
const newest = run({ id: "newest", ...at(5), ...ended, state: "complete" });
const RUNS = [old, bad, seen, paused, busy, newest];

const strip = (query: Partial<ViewQuery>, runs = RUNS) => stripOf({ ...MONITOR, ...query }, runs).map(({ id }) => id);
const open = (query: Partial<ViewQuery>, runs = RUNS) => runsOf({ ...MONITOR, ...query }, runs).map(({ id }) => id);

test("the strip has unfinished runs, the newest, and failures until somebody acknowledges them", () => {
  expect(strip({})).toEqual(["bad", "busy", "paused", "newest"]);
  expect(strip({}, [{ ...bad, acknowledgedAt: 1 }, busy, newest])).toEqual(["busy", "newest"]);
  expect(strip({ open: "old" })).toEqual(["bad", "busy", "paused", "newest", "old"]);
  expect(strip({ run: "busy" })).toEqual([]);
});

test("the open run is the one asked for, then the one shown until it has ended, then the newest that is not finished", () => {
  expect(open({ open: "old" })).toEqual(["old"]);
  expect(open({ open: "gone", at: "paused" })).toEqual(["paused"]);
  expect(open({ at: "newest" })).toEqual(["busy"]);
  expect(open({})).toEqual(["busy"]);
  expect(open({}, [old, newest])).toEqual(["newest"]);
  expect(open({}, [])).toEqual([]);
  expect(open({ run: "seen", open: "old" })).toEqual(["seen"]);
});
