/** What is running: the version of the package, and the commit it was built from. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { version } from "../package.json";

export interface Version {
  readonly version: string;
  /** The first twelve digits of the commit; `null` if it is not known. */
  readonly commit: string | null;
}

/** @param commit as the build names it; otherwise it is read from the checkout, if this is one */
export function versionOf(commit: string | undefined): Version {
  return { version, commit: (commit ?? commitOfCheckout(join(import.meta.dir, "..")))?.slice(0, 12) ?? null };
}

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
