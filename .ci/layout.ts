/** Checks the tree against docs/architecture.md: folder sizes, file lengths, tests that mirror src. Exits with 1 on a fault. */

import { readFileSync } from "node:fs";
import { dirname } from "node:path";

const MAX_FILES = 12;
const MAX_LINES = 400;

/** Libraries of formulas: as long as their list. */
const LIBRARIES = new Set(["src/features/kernels", "src/features/families", "tests/features/oracle"]);
/** Migrations are generated. */
const GENERATED = /^src\/storage\/migrations(\/|$)/;
/** Folders of tests without a counterpart in src. */
const OWN_TESTS = /^tests\/(bench|campaign|e2e|fakes|helpers|features\/oracle)(\/|$)/;

const faults: string[] = [];
const { stdout } = Bun.spawnSync([
  "git",
  "ls-files",
  "--cached",
  "--others",
  "--exclude-standard",
  "src",
  "tests",
  "public",
]);
const files = stdout
  .toString()
  .trim()
  .split("\n")
  .filter((file) => Bun.file(file).size > 0 && !GENERATED.test(file));
const folders = Map.groupBy(files, dirname);

for (const [folder, { length }] of folders) {
  if (length > MAX_FILES && !LIBRARIES.has(folder))
    faults.push(`${folder} holds ${length} files: at most ${MAX_FILES}`);
  const inner = [...folders.keys()].some((other) => other.startsWith(`${folder}/`));
  if (length === 1 && /^(src|public)\//.test(folder) && !inner)
    faults.push(`${folder} holds a single file: make it a file`);
  if (folder.startsWith("tests/") && !OWN_TESTS.test(folder) && !folders.has(folder.replace(/^tests/, "src"))) {
    faults.push(`${folder} has no counterpart in src`);
  }
}
for (const file of files.filter((name) => /\.(tsx?|js|css)$/.test(name))) {
  const lines = readFileSync(file, "utf8").split("\n").length - 1;
  if (lines > MAX_LINES) faults.push(`${file} has ${lines} lines: at most ${MAX_LINES}`);
}
// Bun takes the JSX runtime from a tsconfig.json in the working directory only: a start from elsewhere needs the line.
for (const file of files.filter((name) => /^src\/.*\.tsx$/.test(name))) {
  if (!readFileSync(file, "utf8").startsWith("/** @jsxImportSource hono/jsx */"))
    faults.push(`${file} names no JSX runtime`);
}

for (const fault of faults) console.error(fault);
process.exit(faults.length === 0 ? 0 : 1);
