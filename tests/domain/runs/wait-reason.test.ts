import { expect, test } from "bun:test";
import { waitConditions } from "../../../src/domain/runs/wait-reason.ts";
import { job, run } from "../../helpers/fixtures.ts";

const queued = { state: "queued", status: "Queued", microStage: "Waiting for a worker" } as const;

test("a queued job says how many are ahead of it and when it will start", () => {
  const jobs = [
    job({ symbol: "A" }),
    job({ symbol: "B" }),
    job({ symbol: "C", ...queued }),
    job({ symbol: "D", ...queued }),
    job({ symbol: "E", ...queued }),
  ];
  expect(waitConditions(jobs[4]!, run({ symbolsPerMinute: 30 }), jobs)).toEqual([
    { why: "2 symbols are before it in the queue.", clearsIn: 4 },
    { why: "2 of at most 2 symbols are at work: A, B.", clearsIn: 2 },
  ]);
});

test("a limit that holds up the jobs ahead is named first", () => {
  const jobs = [job({ symbol: "A", wait: { cause: "rate", until: 40_000 } }), job({ symbol: "B", ...queued })];
  expect(waitConditions(jobs[1]!, run(), jobs)[0]).toEqual({
    why: "A before it: The rate limit of demo has no room for its next request.",
    clearsAt: 40_000,
    clearsIn: null,
    setAt: "/settings#provider-demo",
  });
});

test("a job parked for a long wait says what it waits for", () => {
  const parked = job({ state: "queued", wait: { cause: "quota", until: 5_000_000 } });
  expect(waitConditions(parked, run({ blocked: { by: "quota", until: 4_900 } }), [parked])).toEqual([
    { why: "The API quota of demo is used up.", clearsAt: 4_900_000, clearsIn: null, setAt: "/settings#provider-demo" },
  ]);
  const asked = waitConditions(parked, run({ blocked: { by: "hold", until: 4_900 } }), [parked]);
  expect(asked[0]?.why).toBe("The provider demo has asked us to wait before the next request.");
  expect(waitConditions(parked, run(), [parked])[0]?.clearsAt).toBe(5_000_000);
});

test("a run that may have more symbols at work says that more cannot be used", () => {
  const jobs = [job({ symbol: "A" }), job({ symbol: "B", ...queued })];
  expect(waitConditions(jobs[1]!, run({ maxWorkers: 64 }), jobs)[0]?.why).toBe(
    "1 symbol is at work, as many as can be used now: A.",
  );
});

test("a queued job whose run has no job at work says that the workers are busy with other runs", () => {
  const jobs = [job(queued)];
  expect(waitConditions(jobs[0]!, run(), jobs)).toEqual([
    { why: "The workers are busy with other runs.", clearsIn: null },
  ]);
});

test("a retrying or paused job gives its own reason; one at work or ended has none", () => {
  const retrying = job({ wait: { cause: "retry", until: 3_000, attempt: 2, of: 5, reason: "HTTP 503" } });
  const held = [{ why: "Retry 2/5: HTTP 503.", clearsAt: 3_000, clearsIn: null }];
  expect(waitConditions(retrying, run(), [retrying])).toEqual(held);
  expect(waitConditions(retrying, run({ blocked: { by: "quota", until: 4_900 } }), [retrying])).toEqual(held);
  const paused = job({ state: "paused", microStage: "Paused by you since 14:02:11 UTC" });
  expect(waitConditions(paused, run(), [])[0]?.why).toStartWith("Paused by you since 14:02:11 UTC. Resume it");
  const parked = job({ ...queued, wait: { cause: "hold", until: 900_000 } });
  expect(waitConditions(parked, run(), [parked])[0]?.clearsAt).toBe(900_000);
  for (const state of ["running", "complete", "failed", "cancelled", "skipped"] as const) {
    expect(waitConditions(job({ state }), run(), [])).toEqual([]);
  }
});
