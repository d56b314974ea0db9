import { expect, test } from "bun:test";
import { PendingWrites } from "../../../src/pipeline/fetch/pending-writes.ts";
import type { JobStore } from "../../../src/pipeline/store/job-store.ts";

function start(mayWait = false, holdMs?: number) {
  let flushes = 0;
  let saved = 0;
  const store = { flush: () => void flushes++ } as unknown as JobStore;
  const writes = new PendingWrites({ store, committing: (write) => write(mayWait) }, holdMs);
  const save = () => {
    saved += 1;
    return Promise.resolve();
  };
  return { writes, hold: () => writes.hold(save), flushes: () => flushes, saved: () => saved };
}

test("pending writes let a job continue until there are thirty-two of them, or twenty thousand bars", async () => {
  const { writes, flushes } = start();
  const acknowledged = Promise.withResolvers<void>();
  for (let n = 0; n < 31; n++) await writes.add(20, acknowledged.promise);
  expect(flushes()).toBe(0);
  let isFull = true;
  const full = writes.add(20, acknowledged.promise).then(() => {
    isFull = false;
  });
  expect(flushes()).toBe(1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(isFull).toBe(true);
  acknowledged.resolve();
  await full;
  await writes.add(20_000, Promise.resolve());
  expect(flushes()).toBe(2);
});

test("a batch is kept back for those that follow, at most until the job has to know that they are stored", async () => {
  const { writes, hold, saved } = start();
  for (let n = 0; n < 3; n++) await writes.add(20, hold());
  expect(saved()).toBe(0);
  await writes.settle();
  expect(saved()).toBe(3);
});

test("a batch is kept back no longer than its time, though no other follows", async () => {
  const { writes, hold, saved } = start(false, 1);
  const held = hold();
  await writes.add(20, held);
  expect(saved()).toBe(0);
  await held;
  expect(saved()).toBe(1);
});

test("pending writes that may wait for those of other jobs are not committed at once", async () => {
  const { writes, hold, flushes, saved } = start(true);
  await writes.add(20, hold());
  await writes.settle();
  expect([saved(), flushes()]).toEqual([1, 0]);
});

test("a write that comes before the batches is waited for at the end, and no sooner unless a batch is", async () => {
  const { writes, hold, flushes, saved } = start();
  await writes.add(0, Promise.resolve());
  await writes.settleBatches();
  expect(flushes()).toBe(0);
  await writes.add(20, hold());
  await writes.settleBatches();
  expect([saved(), flushes()]).toEqual([1, 1]);
  await writes.settleBatches();
  expect(flushes()).toBe(1);
  await writes.add(0, Promise.reject(new Error("full disk")));
  expect(writes.settle()).rejects.toThrow("full disk");
});

test("a pending write that fails is thrown to the job once, at its next batch or at the end", async () => {
  const { writes } = start();
  await writes.add(1, Promise.reject(new Error("disk full")));
  expect(await writes.settle().catch(String)).toBe("Error: disk full");
  await writes.settle();
  await writes.add(
    1,
    writes.hold(() => Promise.reject(new Error("disk full"))),
  );
  expect(await writes.settle().catch(String)).toBe("Error: disk full");
  await writes.settle();
});
