/** What becomes of writes when the file under an open database goes away. */

import { expect, test } from "bun:test";
import { copyFileSync, renameSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { FileIdentity } from "../../../../src/storage/connection/file/file-identity.ts";
import { hurried } from "../../../../src/storage/connection/patience.ts";
import { migrateDatabase, openDatabase, StorageUnavailable } from "../../../../src/storage/db.ts";
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
    const write = hurried(10, () => db.write([{ sql: "INSERT INTO settings VALUES ('a', 'b', 0)", args: [] }]));
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
