/**
 * The programs and the workers as bundles: a process or a thread of a test starts with one of them in half the time that
 * several hundred modules take. Built once for each state of the sources, and shared by all processes of the tests.
 */

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { BunPlugin } from "bun";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const SOURCES = join(ROOT, "src");
/** Below the packages, so that those which are not bundled are found from there. */
const CACHE = join(ROOT, "node_modules/.cache/barkeep-tests");
/** Bundles of other states of the sources are removed after this time, milliseconds. */
const KEPT_MS = 60 * 60_000;

/** Paths below `src`. */
const FILES = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).toSorted();
const WORKERS = FILES.filter((name) => basename(name) === "worker.ts");
const PROGRAMS = ["cli.ts", "server.ts"];
const INSTALLATION = join(SOURCES, "installation.ts");

/** The state of everything that is bundled: names, sizes and times of change. */
function stateOfSources(): string {
  const state = [...FILES.map((name) => join(SOURCES, name)), join(ROOT, "package.json"), import.meta.path].map(
    (path) => {
      const { mtimeMs, size } = statSync(path);
      return `${path} ${mtimeMs} ${size}`;
    },
  );
  return Bun.hash(`${Bun.version} ${state.join("\n")}`).toString(36);
}

const bundled = (folder: string, source: string) => join(folder, source.replace(/\.ts$/, ".js"));

/** A module keeps its own folder in the bundle; only the modules of threads are looked for among the bundles. */
function withAddresses(text: string, path: string): string {
  const moved = text.replaceAll("import.meta.dir", JSON.stringify(dirname(path)));
  return path === INSTALLATION ? moved : moved.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href));
}

async function build(folder: string): Promise<void> {
  const draft = `${folder}.${process.pid}`;
  const addresses: BunPlugin = {
    name: "addresses",
    setup({ onLoad }) {
      onLoad({ filter: /\/src\/.*\.tsx?$/ }, async ({ path }) => ({
        contents: withAddresses(await Bun.file(path).text(), path),
        loader: path.endsWith("x") ? "tsx" : "ts",
      }));
    },
  };
  // A command reads the parts that it needs, a worker all of its one file.
  for (const [sources, splitting] of [[PROGRAMS, true] as const, [WORKERS, false] as const]) {
    await Bun.build({
      entrypoints: sources.map((source) => join(SOURCES, source)),
      root: SOURCES,
      outdir: draft,
      target: "bun",
      splitting,
      // It loads a binary that lies beside it.
      external: ["libsql"],
      plugins: [addresses],
    });
  }
  try {
    renameSync(draft, folder);
  } catch (error) {
    // Another process was first.
    rmSync(draft, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
}

function removeOthers(folder: string): void {
  for (const name of readdirSync(CACHE)) {
    const other = join(CACHE, name);
    if (other !== folder && statSync(other).mtimeMs < Date.now() - KEPT_MS)
      rmSync(other, { recursive: true, force: true });
  }
}

async function open(): Promise<string> {
  const folder = join(CACHE, stateOfSources());
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  removeOthers(folder);
  await build(folder);
  return folder;
}

const folder = await open();

/** The bundle of a program or of a worker, by its path below `src`. */
export const bundleOf = (source: string): string => bundled(folder, source);
/** The bundles of the workers by the addresses of their modules. */
export const WORKER_BUNDLES: ReadonlyMap<string, URL> = new Map(
  WORKERS.map((source) => [pathToFileURL(join(SOURCES, source)).href, pathToFileURL(bundleOf(source))]),
);
