import { expect, test } from "bun:test";
import fc from "fast-check";
import { JobLoad } from "../../../src/cli/worker/job-load.ts";

const ofJob = (attempt: string) => ({ jobId: 1, attempt });

test("a worker has a place for a key while a thread of it computes nothing, whatever its other jobs wait for", () => {
  const load = new JobLoad(1, 8);
  expect(load.hasPlace()).toBe(true);
  load.begin("a", 1);
  expect([load.computing, load.hasPlace()]).toEqual([1, false]);
  load.reported({ ...ofJob("a"), type: "acquire", request: 1, provider: "demo", cost: 1 });
  load.reported({ ...ofJob("a"), type: "acquire", request: 2, provider: "demo", cost: 1 });
  expect(load.hasPlace()).toBe(true);
  load.reported({ ...ofJob("a"), type: "settle", request: 1, report: {} });
  expect(load.hasPlace()).toBe(true);
  load.ordered(2, { type: "refused", request: 2, kind: "transient", message: "", retryAfter: undefined });
  expect(load.hasPlace()).toBe(true);
  load.ordered(1, { type: "refused", request: 2, kind: "transient", message: "", retryAfter: undefined });
  expect(load.hasPlace()).toBe(false);
  load.reported({ ...ofJob("a"), type: "share", share: 4, key: "k", part: "p" });
  expect(load.hasPlace()).toBe(true);
  load.ordered(1, { type: "share_answer", share: 4, value: undefined });
  expect(load.hasPlace()).toBe(false);
  load.reported({ ...ofJob("a"), type: "committing", isCommitting: true });
  expect(load.hasPlace()).toBe(true);
});

test("a key that is claimed takes a place until its job comes, or for a second", () => {
  const load = new JobLoad(1, 8);
  load.claim();
  expect(load.hasPlace()).toBe(false);
  load.unclaim();
  expect(load.hasPlace()).toBe(true);
  load.claim();
  expect(load.hasPlace(performance.now() + 1_500)).toBe(true);
});

test("jobs that end fast make place for as many", () => {
  const load = new JobLoad(1, 8);
  for (const attempt of ["a", "b", "c"]) load.begin(attempt, 1);
  for (const attempt of ["a", "b", "c"]) load.end(attempt);
  load.begin("d", 1);
  load.begin("e", 1);
  expect(load.hasPlace()).toBe(true);
  expect(load.hasPlace(performance.now() + 1_000)).toBe(false);
});

test("property: a worker never has a place beyond its jobs, and has one again when all have ended", () => {
  const step = fc.record({ what: fc.constantFrom("claim", "begin", "wait", "go on", "end"), at: fc.nat(9) });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 6 }),
      fc.array(step),
      (threads, most, steps) => {
        const load = new JobLoad(threads, most);
        const jobs: string[] = [];
        for (const [number, { what, at }] of steps.entries()) {
          const job = jobs[at % Math.max(1, jobs.length)];
          if (what === "claim" && load.hasPlace()) {
            expect(jobs.length).toBeLessThan(most);
            load.claim();
          } else if (what === "begin") {
            jobs.push(String(number));
            load.begin(String(number), 1 + (at % threads));
          } else if (job === undefined) continue;
          else if (what === "wait") load.reported({ ...ofJob(job), type: "committing", isCommitting: true });
          else if (what === "go on") load.reported({ ...ofJob(job), type: "committing", isCommitting: false });
          else if (what === "end") load.end(jobs.splice(at % jobs.length, 1)[0]!);
          expect(load.computing).toBeLessThanOrEqual(jobs.length);
          if (jobs.length >= most) expect(load.hasPlace()).toBe(false);
        }
        for (const job of jobs) load.end(job);
        expect(load.hasPlace(performance.now() + 2_000)).toBe(true);
      },
    ),
  );
});
