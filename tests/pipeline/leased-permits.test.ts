/** Permits that a worker has ahead, with a server and threads that the test plays. */

import { afterEach, beforeEach, expect, setSystemTime, spyOn, test } from "bun:test";
import { LeasedPermits } from "../../src/pipeline/leased-permits.ts";
import type { FromWorker, ToWorker } from "../../src/pipeline/messages.ts";

/** When the stay at the server ends. */
const LATER = Date.UTC(2030, 0);

type OfJob = Extract<FromWorker, { readonly jobId: number }>;

let now = 0;
let clock: ReturnType<typeof spyOn>;
beforeEach(() => {
  now = 1_000;
  clock = spyOn(performance, "now").mockImplementation(() => now);
  setSystemTime(new Date("2026-01-05T10:00:00Z"));
});
afterEach(() => {
  clock.mockRestore();
  setSystemTime();
});

/** A job on thread 1 that asks for one permit after the other. */
function play() {
  const sent: OfJob[] = [];
  const told: ToWorker[] = [];
  const permits = new LeasedPermits({
    report: (_thread, report) => void sent.push(report),
    tell: (_thread, message) => void told.push(message),
  });
  const job = { jobId: 7, attempt: "a" };
  let request = 0;
  const types = () => sent.splice(0).map(({ type }) => type);
  return {
    permits,
    sent,
    told,
    types,
    acquire: () => permits.reported(1, { ...job, type: "acquire", request: ++request, provider: "acme", cost: 1 }),
    settle: (report = {}) => permits.reported(1, { ...job, type: "settle", request, report }),
    /** The server leases as many as it was asked for. */
    lease(count?: number) {
      const asked = sent.findLast((each) => each.type === "lease")!;
      permits.ordered(1, { type: "leased", attempt: "a", request: asked.request, count: count ?? asked.count }, LATER);
      return asked;
    },
    end: () => permits.reported(1, { ...job, type: "outcome", outcome: { kind: "lost" } }),
  };
}

test("a job that asks for permits fast gets a block ahead, uses it without the server, and settles under its numbers", () => {
  const { permits, sent, told, acquire, settle, lease, types } = play();
  acquire();
  expect(types()).toEqual(["acquire"]);
  settle();
  now += 20;
  acquire();
  expect(sent.slice(1)).toMatchObject([
    { type: "acquire", request: 2 },
    { type: "lease", count: 8 },
  ]);
  expect(told).toEqual([]);
  const block = lease();
  sent.length = 0;
  now += 20;
  acquire();
  expect(told).toMatchObject([{ type: "granted", request: 3, until: Date.now() + 5_000 }]);
  settle();
  settle({ charged: 1 });
  expect(sent).toMatchObject([
    { type: "use", request: block.request },
    { type: "settle", request: block.request },
    { type: "settle", request: block.request, report: { charged: 1 } },
  ]);
  // The next block is asked for when half of this one is left.
  sent.length = 0;
  for (let used = 1; used < 4; used++) acquire();
  expect(sent.filter(({ type }) => type === "lease").length).toBe(1);
  expect(permits.ordered(1, { type: "granted", request: 2 }, LATER)).toBe(false);
});

test("a job whose requests take more than half a second is leased nothing ahead", () => {
  const { acquire, settle, types } = play();
  for (let turn = 0; turn < 5; turn++) {
    acquire();
    settle();
    now += 600;
  }
  expect(new Set(types())).toEqual(new Set(["acquire", "settle"]));
});

test("a permit is never used after its time, by whichever clock, and is returned", () => {
  for (const wait of ["steady", "epoch"] as const) {
    const { sent, told, types, acquire, lease } = play();
    acquire();
    now += 10;
    acquire();
    const block = lease();
    sent.length = 0;
    if (wait === "steady") now += 5_000;
    // A machine that slept: the steady clock stood still.
    else setSystemTime(new Date(Date.now() + 5_000));
    acquire();
    expect(told, wait).toEqual([]);
    const numbers = Array.from({ length: 8 }, (_, at) => block.request + at);
    expect(sent[0]).toMatchObject({ type: "unused", requests: numbers });
    expect(sent[1]).toMatchObject({ type: "acquire", request: 3 });
    sent.length = 0;
    acquire();
    expect(types(), wait).not.toContain("unused");
  }
});

test("a permit that a waiting job does not use is returned when its time is over", () => {
  const looks: (() => void)[] = [];
  using _ = spyOn(globalThis, "setTimeout").mockImplementation(((look: () => void) => looks.push(look)) as never);
  const { acquire, lease, sent } = play();
  acquire();
  now += 10;
  acquire();
  const block = lease();
  sent.length = 0;
  now += 4_999;
  looks.shift()!();
  expect(sent).toEqual([]);
  now += 1;
  looks.shift()!();
  const numbers = Array.from({ length: 8 }, (_, at) => block.request + at);
  expect(sent).toMatchObject([{ type: "unused", requests: numbers }]);
  expect(looks).toEqual([]);
});

test("what is unused is returned at once when a job ends, is stopped, or its provider holds", () => {
  for (const how of ["end", "stop", "hold", "recall"] as const) {
    const { permits, acquire, settle, lease, end, sent, types } = play();
    acquire();
    now += 10;
    acquire();
    lease();
    sent.length = 0;
    if (how === "end") end();
    else if (how === "stop") permits.ordered(1, { type: "stop", jobId: 7, reason: "pause" }, LATER);
    else if (how === "hold") settle({ holdSeconds: 30 });
    else permits.ordered(1, { type: "recall", provider: "acme" }, LATER);
    expect(types()[0], how).toBe("unused");
    if (how === "end") continue;
    // And no more are asked for.
    now += 10;
    acquire();
    expect(types(), how).toEqual(["acquire"]);
  }
});

test("a block that comes after its job was stopped or its provider was held is returned", () => {
  for (const how of ["stop", "recall"] as const) {
    const { permits, acquire, lease, sent } = play();
    acquire();
    now += 10;
    acquire();
    if (how === "stop") permits.ordered(1, { type: "stop", jobId: 7, reason: "pause" }, LATER);
    else permits.ordered(1, { type: "recall", provider: "acme" }, LATER);
    sent.splice(0, sent.length - 1);
    lease();
    expect(sent.at(-1), how).toMatchObject({ type: "unused", requests: { length: 8 } });
  }
});

test("while the limiter has none to spare, each request waits for its own permit", () => {
  const { acquire, lease, types } = play();
  acquire();
  now += 10;
  acquire();
  lease(0);
  types();
  now += 10;
  acquire();
  expect(types()).toEqual(["acquire"]);
  now += 2_000;
  acquire();
  now += 10;
  acquire();
  expect(types()).toEqual(["acquire", "acquire", "lease"]);
});

test("permits from before a long stop are returned when they come", () => {
  const { permits, acquire, sent } = play();
  acquire();
  now += 10;
  acquire();
  const { request } = sent.at(-1) as Extract<OfJob, { type: "lease" }>;
  permits.ordered(1, { type: "leased", attempt: "a", request, count: 2 }, Date.now() - 1);
  expect(sent.at(-1)).toMatchObject({ type: "unused", requests: [request, request + 1] });
});
