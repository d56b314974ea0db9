import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { join } from "node:path";
import Driver from "libsql";
import { StatementCache } from "../../../../src/storage/connection/file/statement-cache.ts";
import { WriteLock } from "../../../../src/storage/connection/file/write-lock.ts";
import { WriteQueue } from "../../../../src/storage/connection/file/write-queue.ts";
import { StorageUnavailable } from "../../../../src/storage/connection/trouble.ts";
import { withWaitLimit } from "../../../../src/storage/connection/wait-limit.ts";
import { temporaryFolder } from "../../../helpers/folder.ts";

let folder: ReturnType<typeof temporaryFolder>;
let driver: InstanceType<typeof Driver>;
let statements: StatementCache;
let lock: WriteLock;
let queue: WriteQueue;

beforeEach(() => {
  folder = temporaryFolder();
  driver = new Driver(join(folder.path, "queue.db"), { timeout: 10 });
  driver.pragma("journal_mode = WAL");
  driver.exec("CREATE TABLE parent (id INTEGER PRIMARY KEY)");
  driver.exec("CREATE TABLE t (x INTEGER PRIMARY KEY, p INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)");
  driver.pragma("foreign_keys = ON");
  statements = new StatementCache(driver);
  lock = new WriteLock();
  queue = new WriteQueue(driver, statements, lock, 25);
});
afterEach(() => {
  statements.clear();
  driver.close();
  folder[Symbol.dispose]();
});

const insert = (...values: (number | string)[]) =>
  queue.add(() => {
    for (const value of values) statements.run("INSERT INTO t (x) VALUES (?)", [value]);
    return values.length;
  });
const stored = () => statements.rows("SELECT x FROM t ORDER BY x", []).map(([x]) => x);
const outcomes = async (writes: Promise<unknown>[]) =>
  (await Promise.allSettled(writes)).map((end) => (end.status === "fulfilled" ? end.value : String(end.reason)));

test("writes that come together share one transaction, in their order", async () => {
  const run = spyOn(statements, "run");
  expect(await Promise.all([insert(3), insert(1, 2), insert(4)])).toEqual([1, 2, 1]);
  const own = run.mock.calls.map(([sql]) => sql).filter((sql) => !sql.startsWith("INSERT"));
  expect(own).toEqual(["COMMIT"]);
  expect(stored()).toEqual([1, 2, 3, 4]);
});

test("a write that fails does not affect the others of its group", async () => {
  const ends = await outcomes([insert(1), insert(2, 1), insert(3)]);
  expect(ends).toEqual([1, expect.stringContaining("UNIQUE constraint failed"), 1]);
  expect(stored()).toEqual([1, 3]);
});

test("writes that fail one after the other do not affect those before, between and after them", async () => {
  const ends = await outcomes([insert(1), insert(2, 1), insert(3, 1), insert(4), insert(5, 4), insert(6)]);
  const refused = expect.stringContaining("UNIQUE constraint failed");
  expect(ends).toEqual([1, refused, refused, 1, refused, 1]);
  expect(stored()).toEqual([1, 4, 6]);
});

test("a write alone that fails leaves nothing, and the next one is stored", async () => {
  expect(await outcomes([insert(1, 1)])).toEqual([expect.stringContaining("UNIQUE constraint failed")]);
  expect(await insert(5)).toBe(1);
  expect(stored()).toEqual([5]);
});

test("a commit that fails is reported to each of the writes that it held, and to no other", async () => {
  const orphan = queue.add(() => statements.run("INSERT INTO t (x, p) VALUES (7, 99)", []));
  const ends = await outcomes([insert(1), orphan, insert(2)]);
  expect(ends).toEqual(Array(3).fill(expect.stringContaining("FOREIGN KEY constraint failed")));
  expect(stored()).toEqual([]);
  expect(await insert(1)).toBe(1);
});

test("a write waits for another process without blocking its thread, and is then stored", async () => {
  const other = new Driver(join(folder.path, "queue.db"));
  other.exec("BEGIN IMMEDIATE");
  const write = insert(1);
  let turns = 0;
  // The queue tries again and again meanwhile, and releases the lock each time.
  for (; turns < 5; turns++) {
    await Bun.sleep(1);
    await lock.acquire();
    lock.release();
  }
  expect(stored()).toEqual([]);
  other.exec("COMMIT");
  expect(await write).toBe(1);
  other.close();
});

test("work alone runs outside of a transaction, between two groups", async () => {
  const order: string[] = [];
  const alone = queue.alone(() => order.push(driver.inTransaction ? "inside" : "outside"));
  await Promise.all([alone, insert(1)]);
  expect(order).toEqual(["outside"]);
});

test("writes that may wait are committed together with the next one that may not, in their order", async () => {
  const run = spyOn(statements, "run");
  const commits = () => run.mock.calls.filter(([sql]) => sql === "COMMIT").length;
  const order: string[] = [];
  const note = (name: string) => () => void order.push(name);
  const early = [1, 2].map((x) =>
    queue.add(() => statements.run("INSERT INTO t (x) VALUES (?)", [x]), true).then(note(`may wait ${x}`)),
  );
  expect(commits()).toBe(0);
  const now = insert(3).then(note("now"));
  await Promise.all([...early, now]);
  expect(order).toEqual(["may wait 1", "may wait 2", "now"]);
  expect(commits()).toBe(1);
  expect(stored()).toEqual([1, 2, 3]);
});

test("a write that may wait is committed without another, by itself or when it is flushed", async () => {
  await queue.add(() => statements.run("INSERT INTO t (x) VALUES (1)", []), true);
  expect(stored()).toEqual([1]);
  const waiting = queue.add(() => statements.run("INSERT INTO t (x) VALUES (2)", []), true);
  queue.flush();
  await waiting;
  expect(stored()).toEqual([1, 2]);
});

test("a closed queue rejects what it has not written, and everything after it", async () => {
  await lock.acquire();
  const waiting = insert(1);
  queue.close();
  lock.release();
  expect(await outcomes([waiting, insert(2)])).toEqual(Array(2).fill("Error: The database is closed"));
  expect(stored()).toEqual([]);
});

test("a write waits while the disk is full, whose beginning and end are reported once, and is then stored in its order", async () => {
  const reported: (string | null)[] = [];
  queue.retries.watch((trouble) => reported.push(trouble?.kind ?? null));
  driver.exec("CREATE TABLE big (content BLOB)");
  driver.exec("PRAGMA max_page_count = 10");
  const big = queue.add(() => statements.run("INSERT INTO big VALUES (zeroblob(100000))", []));
  const small = insert(1);
  await waitUntil(() => reported.length > 0);
  expect([queue.retries.trouble?.kind, stored()]).toEqual(["full", []]);
  driver.exec("PRAGMA max_page_count = 1000");
  queue.retries.wake();
  await Promise.all([big, small]);
  expect([reported, stored(), queue.retries.trouble]).toEqual([["full", null], [1], null]);
});

test("a write whose caller gives up while another program writes is not made later", async () => {
  const other = new Driver(join(folder.path, "queue.db"));
  other.exec("BEGIN IMMEDIATE");
  const refused = withWaitLimit(30, () => insert(1)).catch((error) => error);
  const patient = insert(2);
  const error = await refused;
  expect(error).toBeInstanceOf(StorageUnavailable);
  expect(error).toMatchObject({
    kind: "unavailable",
    message: expect.stringMatching(/locked the database.*nothing was changed/),
  });
  other.exec("COMMIT");
  await patient;
  expect(stored()).toEqual([2]);
  other.close();
});

test("when the process is about to end, what waits for the database is given up", async () => {
  const other = new Driver(join(folder.path, "queue.db"));
  other.exec("BEGIN IMMEDIATE");
  const first = insert(1);
  queue.hurry(20);
  expect(await outcomes([first, insert(2)])).toEqual(Array(2).fill(expect.stringContaining("locked")));
  other.close();
  expect(await insert(3)).toBe(1);
});

/** Waits for what no event tells. */
async function waitUntil(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await Bun.sleep(1);
}
