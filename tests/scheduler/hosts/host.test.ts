/** What a worker reports and is told, over requests of which any may be lost or come twice. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Registration, Report } from "../../../src/pipeline/remote/protocol.ts";
import { Host } from "../../../src/scheduler/hosts/host.ts";

const registration: Registration = {
  rules: {},
  version: "0.0.0",
  host: "elsewhere",
  cores: 1,
  memory: 1,
  jobs: 2,
  providers: null,
  intervals: null,
};
const newHost = () =>
  new Host({ session: "s", registration, token: "t", address: "127.0.0.1", mayHaveKeys: true, now: 0 });

const reportOf = (number: number): Report => ({ thread: number, report: { type: "thread_started" } });

test("property: every report of a worker is taken once and in order, whatever requests and answers are lost or repeated", () => {
  const step = fc.record({
    made: fc.nat(4),
    fate: fc.constantFrom("arrives" as const, "lost" as const, "unanswered" as const, "twice" as const),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const host = newHost();
      const taken: number[] = [];
      const take = (first: number, reports: readonly Report[]) => {
        for (const { thread } of host.fresh(first, reports)) taken.push(thread);
      };
      let made = 0;
      let first = 1;
      let unsent: Report[] = [];
      for (const { made: more, fate } of [...steps, { made: 0, fate: "arrives" as const }]) {
        for (let at = 0; at < more; at++) unsent.push(reportOf(++made));
        if (fate === "lost") continue;
        take(first, unsent);
        if (fate === "twice") take(first, unsent);
        if (fate === "unanswered") continue;
        unsent = unsent.slice(host.received - first + 1);
        first = host.received + 1;
      }
      expect(taken).toEqual(Array.from({ length: made }, (_, at) => at + 1));
    }),
  );
});

test("reports that come before those that they follow are left until these have come", () => {
  const host = newHost();
  expect(host.fresh(3, [reportOf(3)])).toEqual([]);
  expect(host.received).toBe(0);
  expect(host.fresh(1, [1, 2, 3].map(reportOf)).length).toBe(3);
});

test("an order is sent until it has arrived, and a request that waits for orders ends with the first", async () => {
  const host = newHost();
  const waiting = host.nextOrder(60_000);
  host.order(1, { type: "storage_recovered" });
  await waiting;
  host.order(2, { type: "leave" });
  expect(host.ordersAfter(0).map(({ number }) => number)).toEqual([1, 2]);
  expect(host.ordersAfter(0).map(({ number }) => number)).toEqual([1, 2]);
  expect(host.ordersAfter(1).map(({ thread }) => thread)).toEqual([2]);
  // A later request waits in place of an earlier one, whose sender may be gone.
  const earlier = host.nextOrder(60_000);
  const later = host.nextOrder(60_000);
  await earlier;
  host.wake();
  await later;
});

test("a worker that leaves its orders unread counts as gone", () => {
  const host = newHost();
  for (let at = 0; at < 20_001; at++) host.order(1, { type: "storage_recovered" });
  expect(host.isGone(60_000)).toBe(true);
});
