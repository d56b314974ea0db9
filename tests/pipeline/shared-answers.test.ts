/** What the jobs of a run share: made once, given to each, made again by another when its maker is gone. */

import { expect, test } from "bun:test";
import { ProviderError } from "../../src/domain/errors.ts";
import type { SharedValue } from "../../src/pipeline/messages.ts";
import { SharedAnswers } from "../../src/pipeline/workers/shared-answers.ts";

/** A job that writes down what it is told. */
function asker() {
  const told: unknown[] = [];
  return {
    told,
    lead: () => void told.push("lead"),
    answer: (value: unknown) => void told.push(value),
    refuse: (error: unknown) => void told.push((error as Error).message),
  };
}

const plan = (symbols: string[]) => ({ from: 0, to: 1, keys: [], symbols });

test("shared answers are made by the first job that asks, and each job is given its part only", () => {
  const shared = new SharedAnswers();
  const [first, second, third, late] = [asker(), asker(), asker(), asker()];
  shared.ask("run", "day", "A", first);
  shared.ask("run", "day", "B", second);
  shared.ask("run", "day", "C", third);
  expect([first.told, second.told]).toEqual([["lead"], []]);
  shared.done(
    "run",
    "day",
    first,
    new Map<string, SharedValue>([
      ["A", plan(["a"])],
      ["B", "failed"],
    ]),
  );
  shared.ask("run", "day", "B", late);
  expect([first.told, second.told, third.told, late.told]).toEqual([
    ["lead", plan(["a"])],
    ["failed"],
    [undefined],
    ["failed"],
  ]);
});

test("shared answers are made by the next job when the one that makes them is gone", () => {
  const shared = new SharedAnswers();
  const [first, second, third] = [asker(), asker(), asker()];
  for (const each of [first, second, third]) shared.ask("run", "day", "A", each);
  shared.leave("run", first);
  expect([second.told, third.told]).toEqual([["lead"], []]);
  // Too late: it is not the maker any more.
  shared.done("run", "day", first, new Map([["A", "failed"]]));
  expect(third.told).toEqual([]);
  shared.leave("run", third);
  shared.leave("run", second);
  const next = asker();
  shared.ask("run", "day", "A", next);
  expect(next.told).toEqual(["lead"]);
});

test("a shared answer that failed refuses those that wait, and the next job makes it", () => {
  const shared = new SharedAnswers();
  const [first, second, next] = [asker(), asker(), asker()];
  shared.ask("run", "day", "A", first);
  shared.ask("run", "day", "A", second);
  shared.failed("run", "day", first, new ProviderError("quota_exceeded", "spent"));
  shared.ask("run", "day", "A", next);
  expect([second.told, next.told]).toEqual([["spent"], ["lead"]]);
});

test("shared answers are kept apart by run, dropped with it, and bounded in number", () => {
  const shared = new SharedAnswers();
  const [one, two] = [asker(), asker()];
  shared.ask("one", "day", "A", one);
  shared.done("one", "day", one, new Map([["A", "failed"]]));
  shared.ask("two", "day", "A", two);
  expect(two.told).toEqual(["lead"]);
  shared.forget("one");
  expect(shared.size).toBe(1);
  for (let run = 0; run < 40; run++) {
    const each = asker();
    shared.ask(`run ${run}`, "day", "A", each);
    shared.done(`run ${run}`, "day", each, new Map());
  }
  expect(shared.size).toBeLessThan(18);
});
