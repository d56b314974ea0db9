/** Temporary folders, and databases in them. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrateDatabase, openDatabase } from "../../src/storage/db.ts";
import { openCipher } from "../../src/storage/settings.ts";

export interface Folder extends Disposable {
  readonly path: string;
  /** The URL of a database file in it. */
  database(name?: string): string;
}

export function temporaryFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), "barkeep-test-"));
  return {
    path,
    database: (name = "barkeep.db") => `file:${join(path, name)}`,
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** An empty database of the newest schema, built once in each test process. */
let template: Promise<ArrayBuffer> | undefined;

async function buildTemplate(): Promise<ArrayBuffer> {
  using folder = temporaryFolder();
  const db = await openDatabase(folder.database());
  await migrateDatabase(db);
  // One for all, so that a key is derived from a secret once (tests/setup.ts).
  await openCipher(db, "");
  await db.script("PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
  return await Bun.file(new URL(folder.database())).arrayBuffer();
}

/** The URL of a folder's database; one of the newest schema is put there if it has none, five times as fast as by migrations. */
export async function migratedDatabase(folder: Folder): Promise<string> {
  const file = new URL(folder.database());
  template ??= buildTemplate();
  if (!existsSync(file)) await Bun.write(file, await template);
  return folder.database();
}
