import { expect, test } from "bun:test";
import { chmodSync, statSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "../../../../src/storage/db.ts";
import { temporaryFolder } from "../../../helpers/folder.ts";

test("a database and the files beside it can be read by their user only, new or not", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "new", "x.db");
  const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);
  const before = process.umask(0o022);
  try {
    const db = await openDatabase(`file:${path}`);
    await db.script("create table t (x)");
    expect([modeOf(join(folder.path, "new")), modeOf(path), modeOf(`${path}-wal`), modeOf(`${path}-shm`)]).toEqual([
      "700",
      "600",
      "600",
      "600",
    ]);
    db.close();
    chmodSync(path, 0o644);
    const again = await openDatabase(`file:${path}`);
    expect(modeOf(path)).toBe("600");
    again.close();
  } finally {
    process.umask(before);
  }
});
