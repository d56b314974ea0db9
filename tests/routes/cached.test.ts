import { expect, setSystemTime, test } from "bun:test";
import { cachedFor } from "../../src/routes/cached.ts";

test("a result is read again when its time is over, and not before", async () => {
  let [now, reads] = [0, 0];
  const read = cachedFor(
    60_000,
    async () => ++reads,
    () => now,
  );
  expect([await read(), await read()]).toEqual([1, 1]);
  now = 59_999;
  expect(await read()).toBe(1);
  now = 60_000;
  expect(await read()).toBe(2);
});

test("a machine clock that is set back by a day does not prolong the time of a result", async () => {
  let [now, reads] = [0, 0];
  const read = cachedFor(
    60_000,
    async () => ++reads,
    () => now,
  );
  expect(await read()).toBe(1);
  setSystemTime(Date.now() - 86_400_000);
  try {
    now = 60_000;
    expect(await read()).toBe(2);
  } finally {
    setSystemTime();
  }
});

test("calls during a read share it, however long it takes", async () => {
  let [now, reads] = [0, 0];
  const reading = Promise.withResolvers<string>();
  const read = cachedFor(
    60_000,
    () => {
      reads += 1;
      return reading.promise;
    },
    () => now,
  );
  const first = read();
  now = 90_000;
  const second = read();
  reading.resolve("counts");
  expect([await first, await second, reads]).toEqual(["counts", "counts", 1]);
});

test("a failed read is not kept", async () => {
  let reads = 0;
  const read = cachedFor(60_000, async () => {
    reads += 1;
    if (reads === 1) throw new Error("the database is locked");
    return reads;
  });
  await expect(read()).rejects.toThrow("the database is locked");
  expect(await read()).toBe(2);
});
