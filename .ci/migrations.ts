/** Exits with 1 if src/storage/schema declares what no migration creates: generating into a copy must yield nothing. */

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { dialect, out, schema } from "../drizzle.config.ts";

const root = join(import.meta.dir, "..");
const migrations = join(root, out);
const copy = mkdtempSync(join(tmpdir(), "barkeep-migrations-"));
try {
  cpSync(migrations, copy, { recursive: true });
  // drizzle-kit takes no absolute folder, and without a terminal it fails where it would ask whether something was renamed.
  const options = ["--dialect", dialect, "--schema", schema, "--out", relative(root, copy)];
  const command = [process.execPath, "--bun", "drizzle-kit", "generate", ...options];
  const { stdout, stderr } = Bun.spawnSync(command, { cwd: root, stdin: "ignore" });
  const output = `${stdout}${stderr}`;
  // The exit code is of no use: it is 0 for new, malformed and colliding snapshots alike.
  if (!output.includes("No schema changes, nothing to migrate")) {
    const known = readdirSync(migrations);
    const added = readdirSync(copy).find((file) => !known.includes(file));
    console.error(added === undefined ? output : readFileSync(join(copy, added), "utf8"));
    console.error(
      added === undefined
        ? "drizzle-kit cannot compare the schema with the migrations (it would ask about what may be a renaming)."
        : "The schema has changes that no migration makes, shown above as SQL.",
    );
    console.error("Run `bun run db:generate --name <what_changes>` in a terminal, and read the SQL that it writes.");
    process.exitCode = 1;
  }
} finally {
  rmSync(copy, { recursive: true });
}
