/**
 * Builds the server and the command line as one executable for this system, which needs neither Bun nor packages:
 * `bun run build:exe [FILE]`, dist/barkeep if no file is given. src/installation.ts finds what is embedded here.
 */

import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import type { BunPlugin } from "bun";
import { COMMIT_FILE, ownCommit } from "../src/installation.ts";
import { ASSETS_FOLDER, writeAssets } from "../src/routes/assets.ts";

const ROOT = join(import.meta.dir, "..");
const SOURCES = join(ROOT, "src");
const MIGRATIONS = "src/storage/migrations";

/** The modules that start by themselves: the program, and one for each kind of thread. */
const entrypoints = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
  .filter((name) => name === "cli.ts" || basename(name) === "worker.ts")
  .toSorted();

/** In the database driver: loads its binary, by a name that is put together. */
const LOADER = /^function requireNative\(\) \{$.*?^\}$/ms;

/** Loads the binary that fits this system; it is first written to the folder for temporary files, once for each user. */
const loaderOf = (binary: string): string => `
function requireNative() {
  try {
    return require(${JSON.stringify(binary)});
  } catch (error) {
    throw new Error("The database driver cannot be loaded from the folder for temporary files, which must be writable " +
      "and allow execution: set TMPDIR to such a folder (" + error.message + ")");
  }
}`;

const driver: BunPlugin = {
  name: "driver",
  setup({ onLoad }) {
    onLoad({ filter: /\/node_modules\/libsql\/index\.js$/ }, async ({ path }) => {
      const require = createRequire(path);
      require(path);
      const binary = Object.keys(require.cache).find((each) => /\/@libsql\/[^/]+\/index\.node$/.test(each));
      const text = await Bun.file(path).text();
      if (binary === undefined || !LOADER.test(text)) {
        throw new Error(`${path} does not load its binary as it did: adapt ${basename(import.meta.path)}`);
      }
      return { contents: text.replace(LOADER, loaderOf(binary)), loader: "js" };
    });
  },
};

/**
 * @param commit what `--version` and `/healthz` say; empty if it is not known
 * @throws {AggregateError} if it cannot be built
 */
export async function buildExecutable(file: string, commit: string): Promise<void> {
  const staging = mkdtempSync(join(tmpdir(), "barkeep-executable-"));
  try {
    await writeAssets(join(staging, ASSETS_FOLDER));
    await Bun.write(join(staging, COMMIT_FILE), commit);
    cpSync(join(ROOT, MIGRATIONS), join(staging, MIGRATIONS), {
      recursive: true,
      filter: (path) => !path.endsWith("_snapshot.json"),
    });
    mkdirSync(dirname(file), { recursive: true });
    await Bun.build({
      entrypoints: entrypoints.map((name) => join(SOURCES, name)),
      root: SOURCES,
      target: "bun",
      format: "esm",
      // Threads share modules, and a command reads those that it needs.
      splitting: true,
      bytecode: true,
      compile: {
        outfile: file,
        // A folder is embedded under its own name.
        assets: readdirSync(staging).map((name) => join(staging, name)),
        // Settings come from .env as always; code that the working directory names must not run.
        autoloadBunfig: false,
        // Without it, optional packages in the folder of the executable are not found by their `exports`.
        autoloadPackageJson: true,
      },
      plugins: [driver],
    });
  } finally {
    rmSync(staging, { recursive: true });
  }
}

if (import.meta.main) {
  const file = resolve(process.argv[2] ?? join(ROOT, "dist/barkeep"));
  await buildExecutable(file, process.env.BARKEEP_COMMIT || (ownCommit() ?? ""));
  console.log(`${file}: ${(statSync(file).size / 1e6).toFixed(0)} MB`);
}
