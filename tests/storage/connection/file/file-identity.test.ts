/** What becomes of writes when the file under an open database goes away. */

import { expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, truncateSync } from "node:fs";
import { dirname, join } from "node:path";
import { FileIdentity } from "../../../../src/storage/connection/file/file-identity.ts";
import { WriteLock } from "../../../../src/storage/connection/file/write-lock.ts";
import { withWaitLimit } from "../../../../src/storage/connection/wait-limit.ts";
import {
  migrateDatabase,
  openDatabase,
  openShared,
  SharedConnection,
  StorageUnavailable,
  storageFault,
} from "../../../../src/storage/db.ts";
import { temporaryFolder } from "../../../helpers/folder.ts";

const WAYS: readonly (readonly [what: string, says: string, act: (path: string) => void])[] = [
  ["deleted", "was deleted or moved", (path) => rmSync(path)],
  ["moved", "was deleted or moved", (path) => renameSync(path, `${path}.old`)],
  [
    "replaced",
    "was replaced by another file",
    (path) => {
      copyFileSync(path, `${path}.copy`);
      renameSync(`${path}.copy`, path);
    },
  ],
  ["emptied", "was emptied", (path) => truncateSync(path)],
];

test.each(WAYS)("a database whose file was %s takes no more writes, and says why", async (_, says, act) => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.db");
  const db = await openDatabase(`file:${path}`);
  await migrateDatabase(db);
  expect(db.trouble()).toBeNull();
  act(path);
  // The file is looked at once a second; a new look is what the next second brings.
  const clock = performance.now;
  performance.now = () => clock.call(performance) + 2_000;
  try {
    expect(db.trouble()?.what).toContain(says);
    const write = withWaitLimit(10, () => db.write([{ sql: "INSERT INTO settings VALUES ('a', 'b', 0)", args: [] }]));
    await expect(write).rejects.toThrow(StorageUnavailable);
  } finally {
    performance.now = clock;
    db.close();
  }
});

test("a file that stays in its place is no fault, however it grows", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.db");
  const db = await openDatabase(`file:${path}`);
  const identity = new FileIdentity(path);
  await migrateDatabase(db);
  expect(identity.fault()).toBeNull();
  db.close();
});

const OPENINGS: readonly (readonly [what: string, says: string, act: (path: string) => void])[] = [
  ["deleted", "was deleted or moved while the server used it", (path) => rmSync(path)],
  [
    "moved with its folder",
    "was deleted or moved while the server used it",
    (path) => renameSync(dirname(path), `${dirname(path)}.old`),
  ],
  WAYS[2]!,
  ["emptied", "was emptied", (path) => truncateSync(path)],
];

test.each(OPENINGS)("a thread opens no database whose file was %s since the server opened it", async (_, says, act) => {
  using folder = temporaryFolder();
  const home = join(folder.path, "home");
  const path = join(home, "a.db");
  const db = await openDatabase(`file:${path}`);
  await migrateDatabase(db);
  const shared = { dbUrl: `file:${path}`, dbToken: undefined, dbFile: db.file, writeLock: new WriteLock().shared };
  (await openShared(shared)).close();
  act(path);
  const before = existsSync(home) ? readdirSync(home) : null;
  const error = await openShared(shared).catch((cause: unknown) => cause);
  expect(storageFault(error)).toMatchObject({ kind: "gone", what: expect.stringContaining(says) });
  expect(existsSync(home) ? readdirSync(home) : null).toEqual(before);
  db.close();
});

test("a thread that could not open the file of the server opens it when it is back", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.db");
  const db = await openDatabase(`file:${path}`);
  const connection = new SharedConnection({
    dbUrl: `file:${path}`,
    dbToken: undefined,
    dbFile: db.file,
    writeLock: new WriteLock().shared,
  });
  renameSync(path, `${path}.away`);
  await expect(connection.open()).rejects.toThrow("was deleted or moved");
  renameSync(`${path}.away`, path);
  expect(await (await connection.open()).rows("SELECT 1", [])).toEqual([[1]]);
  expect(await connection.open()).toBe(await connection.open());
  await connection.close();
  db.close();
});

test("a file that SQLite cannot open is trouble of the storage to a thread, and no error of its own", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.db");
  const db = await openDatabase(`file:${path}`);
  // The file is there, but is no longer one: SQLite says that it cannot be opened, without a code.
  renameSync(path, `${path}.away`);
  mkdirSync(path);
  const { dev, ino } = statSync(path);
  const shared = { dbUrl: `file:${path}`, dbToken: undefined, dbFile: { dev, ino }, writeLock: new WriteLock().shared };
  expect(storageFault(await openShared(shared).catch((error: unknown) => error))).toMatchObject({ kind: "failing" });
  db.close();
});
