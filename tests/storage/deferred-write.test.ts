import { expect, test } from "bun:test";
import { openDatabase } from "../../src/storage/db.ts";
import { DeferredWrite } from "../../src/storage/deferred-write.ts";
import { LogStore } from "../../src/storage/log.ts";
import { UsageStore } from "../../src/storage/quotas/usage.ts";
import { line } from "../helpers/fixtures.ts";
import { migratedDatabase, temporaryFolder } from "../helpers/folder.ts";

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

test("a write that fails is tried again by itself, and each cause of failure is reported once", async () => {
  const errors: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  let writes = 0;
  const deferred = new DeferredWrite(
    async () => {
      writes += 1;
      if (writes < 3) throw new Error("disk full");
      resolve();
    },
    (error) => void errors.push(error),
  );
  await deferred.flush();
  await deferred.flush();
  expect(writes).toBe(2);
  await promise;
  expect(errors).toEqual([new Error("disk full")]);
  await deferred.close();
});

test("a closed one writes a last time, and not again when that fails", async () => {
  let writes = 0;
  const deferred = new DeferredWrite(
    async () => {
      writes += 1;
      throw new Error("closed");
    },
    () => {},
  );
  await deferred.close();
  deferred.request();
  await Bun.sleep(300);
  expect(writes).toBe(1);
});

test("log lines and usage that could not be written are written when that is possible again", async () => {
  using folder = temporaryFolder();
  const db = await openDatabase(await migratedDatabase(folder));
  const errors: unknown[] = [];
  const logs = new LogStore(db, (error) => void errors.push(error));
  const usage = await UsageStore.open(db, (error) => void errors.push(error));
  logs.save(line({ message: "while the disk was full" }));
  usage.count("demo", 3);
  await db.script("PRAGMA query_only = ON");
  const flushed = Promise.all([logs.flush(), usage.flush()]);
  logs.save(line({ message: "later" }));
  await db.script("PRAGMA query_only = OFF");
  db.flush();
  await flushed;
  await Promise.all([logs.close(), usage.close()]);
  expect(errors).toEqual([]);
  expect(await db.rows("SELECT message FROM logs", [])).toEqual([["while the disk was full"], ["later"]]);
  expect(await db.rows("SELECT provider, requests, units FROM api_usage", [])).toEqual([["demo", 1, 3]]);
  db.close();
});
