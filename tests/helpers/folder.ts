/** A temporary folder. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

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
