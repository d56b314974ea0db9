import { expect, test } from "bun:test";
import { DeferredWrite } from "../../src/storage/deferred-write.ts";

const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

test("several requests are one write, and a request after it is another", async () => {
  let writes = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const deferred = new DeferredWrite(
    async () => {
      writes += 1;
      resolve();
    },
    () => {},
  );
  deferred.request();
  deferred.request();
  expect(writes).toBe(0);
  await promise;
  expect(writes).toBe(1);
  deferred.request();
  await deferred.flush();
  expect(writes).toBe(2);
});

test("a second write waits for the first, and flush for both", async () => {
  const log: string[] = [];
  const deferred = new DeferredWrite(
    async () => {
      log.push("begin");
      await pause();
      log.push("end");
    },
    () => {},
  );
  void deferred.flush();
  await deferred.flush();
  expect(log).toEqual(["begin", "end", "begin", "end"]);
});

test("a write that fails is reported, and the next one is made", async () => {
  const errors: unknown[] = [];
  let writes = 0;
  const deferred = new DeferredWrite(
    async () => {
      writes += 1;
      if (writes === 1) throw new Error("disk full");
    },
    (error) => void errors.push(error),
  );
  await deferred.flush();
  await deferred.flush();
  expect(writes).toBe(2);
  expect(errors).toEqual([new Error("disk full")]);
});
