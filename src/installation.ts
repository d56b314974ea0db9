/**
 * What is installed: its version, and where its own files lie, in the folders of a checkout or inside the single
 * executable. Nothing else reads files beside the code or names modules of threads: `.ci/executable.ts` embeds them.
 */

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { version } from "../package.json";

/** Inside the executable, this module is at the root of what it holds. */
const ROOT = Bun.isStandaloneExecutable ? import.meta.dir : join(import.meta.dir, "..");

/** The absolute path of a file or folder, from its path in a checkout. */
export const ownFile = (path: string): string => join(ROOT, path);

/** Below `src`: each has the module of a thread, `worker.ts`. */
type ThreadFolder =
  | "pipeline/analysis"
  | "pipeline/companies"
  | "pipeline/exports"
  | "pipeline/exports/encoding"
  | "pipeline/lake"
  | "pipeline/remote"
  | "pipeline/validation"
  | "pipeline/workers"
  | "scheduler/backups"
  | "scheduler/maintenance"
  | "scheduler/series";

/** The module of a thread; in a bundle it lies at the same place as a bundle of its own. */
export function threadModule(folder: ThreadFolder): URL {
  const ending = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new URL(`./${folder}/worker.${ending}`, import.meta.url);
}

/** Where an optional package is to be imported from; `null` if it is not installed. */
export function findPackage(name: string): string | null {
  try {
    // The executable has no packages of its own; it takes those that were installed in its folder.
    return Bun.isStandaloneExecutable
      ? Bun.resolveSync(name, dirname(process.execPath))
      : import.meta.resolve(name) && name;
  } catch {
    return null;
  }
}

/** What to do so that an optional package is found: `name` may have a version. */
export const installAdvice = (name: string): string =>
  Bun.isStandaloneExecutable
    ? `npm install ${name} in the folder of the executable, then start Barkeep again`
    : `bun add --optional --omit=dev ${name}, then start Barkeep again`;

export interface Version {
  readonly version: string;
  /** The first twelve digits of the commit; `null` if it is not known. */
  readonly commit: string | null;
}

/** @param commit as the build names it; otherwise that of the executable, or of the checkout if this is one */
export function versionOf(commit: string | undefined): Version {
  return { version, commit: (commit || ownCommit())?.slice(0, 12) ?? null };
}

/** Inside the executable: a file with the commit that it was built from, empty if that is not known. */
export const COMMIT_FILE = "commit";

/** All forty digits, or as the build names it; `null` if it is not known. */
export const ownCommit = (): string | null =>
  Bun.isStandaloneExecutable ? readFileSync(ownFile(COMMIT_FILE), "utf8") || null : commitOfCheckout(ROOT);

/** The version as people read it: `0.2.0 (4f6c1f0a2b3c)`. */
export const versionText = ({ version, commit }: Version): string =>
  commit === null ? version : `${version} (${commit})`;

const COMMIT = /^[0-9a-f]{40}/;

/** The commit that is checked out in a folder, without asking git; `null` if there is none. */
function commitOfCheckout(folder: string): string | null {
  const read = (path: string) => readFileSync(join(folder, ".git", path), "utf8").trim();
  try {
    const head = read("HEAD");
    const ref = /^ref: (\S+)$/.exec(head)?.[1];
    if (ref === undefined) return COMMIT.exec(head)?.[0] ?? null;
    try {
      return COMMIT.exec(read(ref))?.[0] ?? null;
    } catch {
      const line = read("packed-refs")
        .split("\n")
        .find((each) => each.endsWith(` ${ref}`));
      return COMMIT.exec(line ?? "")?.[0] ?? null;
    }
  } catch {
    return null;
  }
}

/**
 * For what is loaded when it is needed: calls `make` on the first call and answers the same to all later ones; after a
 * failure the next call tries again.
 */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
