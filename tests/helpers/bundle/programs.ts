/**
 * What processes and threads of tests start from, in half the processor time of several hundred modules: the executable,
 * and the workers as bundles. Built once for each state of the sources, and shared by all processes of the tests.
 * Workers are bundled twice: as they are, and as functions that a thread can call more than once (`threads.ts`).
 */

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { BunPlugin } from "bun";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const SOURCES = join(ROOT, "src");
/** Below the packages, so that those which are not bundled are found from there. */
const CACHE = join(ROOT, "node_modules/.cache/barkeep-tests");
/** Bundles of other states of the sources are removed after this time, milliseconds. */
const KEPT_MS = 30 * 60_000;

/** Paths below `src`. */
const FILES = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).toSorted();
const WORKERS = FILES.filter((name) => basename(name) === "worker.ts");
const INSTALLATION = join(SOURCES, "installation.ts");
const BUILDER = join(ROOT, ".ci/executable.ts");
/** What is embedded in the executable, beside the sources. */
const EMBEDDED = readdirSync(join(ROOT, "public"), { recursive: true, encoding: "utf8" }).toSorted();
/** The commit that the executable of the tests says that it was built from. */
export const EXECUTABLE_COMMIT = "0123456789abcdef0123456789abcdef01234567";
/** Workers of tests, by their paths from the root. */
const FAKES = readdirSync(join(ROOT, "tests/fakes/workers")).map((name) => `tests/fakes/workers/${name}`);

/** The state of everything that is bundled: names, sizes and times of change. */
function stateOfSources(): string {
  const paths = [
    ...FILES.map((name) => join(SOURCES, name)),
    ...EMBEDDED.map((name) => join(ROOT, "public", name)),
    ...[...FAKES, "package.json"].map((name) => join(ROOT, name)),
    BUILDER,
  ];
  const state = [...paths, import.meta.path].map((path) => {
    const { mtimeMs, size } = statSync(path);
    return `${path} ${mtimeMs} ${size}`;
  });
  return Bun.hash(`${Bun.version} ${state.join("\n")}`).toString(36);
}

/** The folder of the workers as functions. */
const REUSED = "reused";

const bundled = (folder: string, source: string) => join(folder, source.replace(/\.ts$/, ".js"));

/** A module keeps its own folder in the bundle; only the modules of threads are looked for among the bundles. */
function withAddresses(text: string, path: string): string {
  const moved = text.replaceAll("import.meta.dir", JSON.stringify(dirname(path)));
  return path === INSTALLATION ? moved : moved.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href));
}

const TYPES = new Bun.Transpiler({ loader: "ts", target: "bun" });

/**
 * A worker's module as a function of its global object and of the `process` that it ends: what it imports is shared by all
 * calls, its variables are not.
 */
function asFunction(text: string): string {
  const script = TYPES.transformSync(text);
  const imports = /^(?:import\b[^;]*;\s*)*/.exec(script)![0];
  const body = script.slice(imports.length);
  if (/^(?:import|export)\b/m.test(body)) throw new Error(`a worker imports first and exports types alone:\n${body}`);
  return `${imports}export function start(self, process) {\n${body}\n}`;
}

const isWorker = (path: string) => WORKERS.includes(relative(SOURCES, path));

async function build(folder: string): Promise<void> {
  const draft = `${folder}.${process.pid}`;
  const sources = (isFunction: boolean): BunPlugin => ({
    name: "sources",
    setup({ onLoad }) {
      onLoad({ filter: /\/src\/.*\.tsx?$/ }, async ({ path }) => {
        const text = withAddresses(await Bun.file(path).text(), path);
        const contents = isFunction && isWorker(path) ? asFunction(text) : text;
        return { contents, loader: path.endsWith("x") ? "tsx" : "ts" };
      });
    },
  });
  const bundle = (names: readonly string[], root: string, outdir: string, splitting: boolean, isFunction = false) =>
    Bun.build({
      entrypoints: names.map((name) => join(root, name)),
      root,
      outdir,
      target: "bun",
      splitting,
      // It loads a binary that lies beside it.
      external: ["libsql"],
      plugins: [sources(isFunction)],
    });
  // A thread reads all of its one file; threads that go on share what they read.
  await bundle(WORKERS, SOURCES, draft, false);
  await bundle(FAKES, ROOT, draft, false);
  await bundle(WORKERS, SOURCES, join(draft, REUSED), true, true);
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
    // Another process may remove it at the same time.
    const { mtimeMs } = statSync(other, { throwIfNoEntry: false }) ?? { mtimeMs: Number.POSITIVE_INFINITY };
    if (other !== folder && mtimeMs < Date.now() - KEPT_MS) rmSync(other, { recursive: true, force: true });
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

const addressOf = (root: string, source: string) => pathToFileURL(join(root, source)).href;

/**
 * The executable, whose code is compiled before it starts; built when it is first needed.
 * @throws Error if it cannot be built
 */
export function executable(): string {
  const file = join(folder, "barkeep");
  if (existsSync(file)) return file;
  const draft = `${file}.${process.pid}`;
  const env = { ...process.env, BARKEEP_COMMIT: EXECUTABLE_COMMIT };
  const { success, stderr } = Bun.spawnSync([process.execPath, "--no-env-file", BUILDER, draft], { env });
  if (!success) throw new Error(`the executable cannot be built: ${stderr}`);
  renameSync(draft, file);
  return file;
}

/** The bundle of a worker, by its path below `src`. */
export const bundleOf = (source: string): string => bundled(folder, source);
/** The bundles of the tests' own workers by the addresses of their modules. */
export const FAKE_WORKERS: ReadonlyMap<string, URL> = new Map(
  FAKES.map((source) => [addressOf(ROOT, source), pathToFileURL(bundleOf(source))]),
);
/** The workers as modules with a function `start(self)`, by the addresses of their modules. */
export const WORKER_FUNCTIONS: ReadonlyMap<string, URL> = new Map(
  WORKERS.map((source) => [addressOf(SOURCES, source), pathToFileURL(bundleOf(join(REUSED, source)))]),
);

if (import.meta.main) executable();
