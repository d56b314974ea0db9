import { expect, test } from "bun:test";
import { WriteLock } from "../../../../src/storage/connection/file/write-lock.ts";

test("one thread at a time holds a write lock, and each of them gets it", async () => {
  const [threads, turns] = [4, 200];
  const lock = new WriteLock();
  const total = new SharedArrayBuffer(4);
  const script = new URL("../../../fakes/workers/locking-worker.ts", import.meta.url);
  const workers = Array.from({ length: threads }, () => new Worker(script));
  await Promise.all(
    workers.map((worker) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      worker.onmessage = () => resolve();
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage({ lock: lock.shared, total, turns });
      return promise;
    }),
  );
  for (const worker of workers) worker.terminate();
  expect(new Int32Array(total)[0]).toBe(threads * turns);
  await lock.acquire();
});

test("a write lock that is held lets its thread go on with other work until it is released", async () => {
  const holder = new WriteLock();
  const waiter = new WriteLock(holder.shared);
  await holder.acquire();
  const order: string[] = [];
  const taken = waiter.acquire().then(() => order.push("taken"));
  await new Promise((resolve) => setImmediate(resolve));
  order.push("other work");
  holder.release();
  await taken;
  expect(order).toEqual(["other work", "taken"]);
});
