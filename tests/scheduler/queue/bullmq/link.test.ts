/** A connection to a queue whose client leaves commands without an answer once it is closed. */

import { expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import { Link } from "../../../../src/scheduler/queue/bullmq/link.ts";
import type { BullMqModule } from "../../../../src/scheduler/queue/bullmq/packages.ts";

const never = () => new Promise<never>(() => {});
const times = { command: 60_000, lock: 60_000, stalled: 60_000 };

/** @param waitUntilReady how the connection begins */
function open(waitUntilReady: () => Promise<void>) {
  const queue = Object.assign(new EventEmitter(), {
    waitUntilReady,
    ...{ obliterate: never, addBulk: never, getJobCounts: never, close: async () => {} },
  });
  const failures: unknown[] = [];
  const made = function Queue() {
    return queue;
  };
  const module = { Queue: made } as unknown as BullMqModule;
  const options = { kind: "postgres", url: "postgres://x@localhost/x", name: "jobs", times } as const;
  const link = Link.open(module, { ...options, onFailure: (error) => void failures.push(error) });
  return { link, failures, fail: (error: Error) => queue.emit("error", error) };
}

test("commands under way end with the failure of their connection, and do not wait for their time", async () => {
  const { link: opening, failures, fail } = open(async () => {});
  const link = await opening;
  const commands = [link.empty(), link.add(["a"]), link.counts()];
  const ends = Promise.allSettled(commands);
  const error = new Error("Connection terminated unexpectedly");
  fail(error);
  expect((await ends).map((end) => end.status === "rejected" && end.reason)).toEqual([error, error, error]);
  expect(failures).toEqual([error]);
  expect(link.isOpen).toBe(false);
});

test("a connection that fails while it is opened is refused with that failure", async () => {
  const { link, fail } = open(never);
  const error = new Error("Connection terminated unexpectedly");
  fail(error);
  await expect(link).rejects.toBe(error);
});
