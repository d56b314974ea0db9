import { expect, test } from "bun:test";
import { PendingWrites } from "../../../src/pipeline/fetch/pending-writes.ts";

function start() {
  let flushes = 0;
  return { writes: new PendingWrites({ flush: () => void flushes++ }), flushes: () => flushes };
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

test("a pending write that fails is thrown to the job once, at its next batch or at the end", async () => {
  const { writes } = start();
  await writes.add(1, Promise.reject(new Error("disk full")));
  expect(await writes.settle().catch(String)).toBe("Error: disk full");
  await writes.settle();
});
