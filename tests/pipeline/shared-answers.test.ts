/** What the jobs of a run share: made once, given to each, made again by another when its maker is gone. */

import { expect, test } from "bun:test";
import { ProviderError } from "../../src/domain/errors.ts";
import type { SharedValue } from "../../src/pipeline/messages.ts";
import { SharedAnswers } from "../../src/pipeline/workers/shared-answers.ts";

/** A job that records what it receives. */
function requester() {
  const received: unknown[] = [];
  return {
    received,
    lead: () => void received.push("lead"),
    answer: (value: unknown) => void received.push(value),
    refuse: (error: unknown) => void received.push((error as Error).message),
  };
}

const plan = (symbols: string[]) => ({ from: 0, to: 1, keys: [], symbols });

test("shared answers are made by the first job that requests them, and each job is given its part only", () => {
  const shared = new SharedAnswers();
  const [first, second, third, late] = [requester(), requester(), requester(), requester()];
  shared.request("run", "day", "A", first);
  shared.request("run", "day", "B", second);
  shared.request("run", "day", "C", third);
  expect([first.received, second.received]).toEqual([["lead"], []]);
  shared.done(
    "run",
    "day",
    first,
    new Map<string, SharedValue>([
      ["A", plan(["a"])],
      ["B", "failed"],
    ]),
  );
  shared.request("run", "day", "B", late);
  expect([first.received, second.received, third.received, late.received]).toEqual([
    ["lead", plan(["a"])],
    ["failed"],
    [undefined],
    ["failed"],
  ]);
});

test("shared answers are made by the next job when the one that makes them is gone", () => {
  const shared = new SharedAnswers();
  const [first, second, third] = [requester(), requester(), requester()];
  for (const each of [first, second, third]) shared.request("run", "day", "A", each);
  shared.leave("run", first);
  expect([second.received, third.received]).toEqual([["lead"], []]);
  // Too late: it is not the maker any more.
  shared.done("run", "day", first, new Map([["A", "failed"]]));
  expect(third.received).toEqual([]);
  shared.leave("run", third);
  shared.leave("run", second);
  const next = requester();
  shared.request("run", "day", "A", next);
  expect(next.received).toEqual(["lead"]);
});

test("a shared answer that failed refuses those that wait, and the next job makes it", () => {
  const shared = new SharedAnswers();
  const [first, second, next] = [requester(), requester(), requester()];
  shared.request("run", "day", "A", first);
  shared.request("run", "day", "A", second);
  shared.failed("run", "day", first, new ProviderError("quota_exceeded", "spent"));
  shared.request("run", "day", "A", next);
  expect([second.received, next.received]).toEqual([["spent"], ["lead"]]);
});

test("shared answers are kept apart by run, dropped with it, and bounded in number", () => {
  const shared = new SharedAnswers();
  const [one, two] = [requester(), requester()];
  shared.request("one", "day", "A", one);
  shared.done("one", "day", one, new Map([["A", "failed"]]));
  shared.request("two", "day", "A", two);
  expect(two.received).toEqual(["lead"]);
  shared.forget("one");
  expect(shared.size).toBe(1);
  for (let run = 0; run < 40; run++) {
    const each = requester();
    shared.request(`run ${run}`, "day", "A", each);
    shared.done(`run ${run}`, "day", each, new Map());
  }
  expect(shared.size).toBeLessThan(18);
});
