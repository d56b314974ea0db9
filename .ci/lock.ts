/** Reads bun.lock: the packages it pins, which of them need which others, and where each is installed. */

import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import lock from "../bun.lock";

const ROOT = join(import.meta.dir, "..");
const INNER = "/node_modules/";

export interface LockedPackage {
  /** As bun.lock writes it: `zod`, or `tsx/esbuild` for a copy that only `tsx` uses. */
  readonly key: string;
  readonly name: string;
  readonly version: string;
  /** Subresource integrity (`sha512-…`), if the lock file has one. */
  readonly integrity: string | null;
  /** Keys of the packages that it needs. */
  readonly needs: readonly string[];
  readonly folder: string;
}

/**
 * All packages that these need, directly or through others, themselves included; sorted by key.
 * @param except names that are not entered, unless they are among the first
 */
export function closureOf(names: readonly string[], except: readonly string[] = []): LockedPackage[] {
  const found = new Map<string, LockedPackage>();
  const open = [...names];
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    if (found.has(key)) continue;
    const each = lockedPackage(key);
    found.set(key, each);
    open.push(...each.needs.filter((need) => !except.includes(need)));
  }
  return [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** The licence that an installed package names, in SPDX' form; `null` if it is not installed or names none. */
export async function licenceOf({ folder }: LockedPackage): Promise<string | null> {
  const file = Bun.file(join(folder, "package.json"));
  if (!(await file.exists())) return null;
  const { license } = await file.json();
  return typeof license === "string" ? license : null;
}

/** The size of its files in bytes; 0 if it is not installed. Copies of other packages inside it do not count. */
export function sizeOf({ folder }: LockedPackage): number {
  if (!existsSync(folder)) return 0;
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const own = files
    .map((file) => join(file.parentPath, file.name))
    .filter((path) => !path.includes(INNER, folder.length));
  return own.reduce((sum, path) => sum + statSync(path).size, 0);
}

/** @throws {Error} if bun.lock does not have it */
function lockedPackage(key: string): LockedPackage {
  const entry = lock.packages[key];
  if (entry === undefined) throw new Error(`bun.lock does not have ${key}: run \`bun install\``);
  const [id, ...rest] = entry;
  const at = id.lastIndexOf("@");
  const info = rest.find((each) => typeof each === "object") as Bun.BunLockFilePackageInfo | undefined;
  const integrity = rest.find((each) => typeof each === "string" && /^sha\d+-/.test(each)) as string | undefined;
  // Bun installs optional peers too if the lock file has them, also in production.
  const needed = Object.keys({ ...info?.dependencies, ...info?.optionalDependencies, ...info?.peerDependencies });
  return {
    key,
    name: id.slice(0, at),
    version: id.slice(at + 1),
    integrity: integrity ?? null,
    needs: needed.flatMap((name) => keyOf(key, name) ?? []).sort(),
    folder: join(ROOT, ...namesOf(key).flatMap((name) => ["node_modules", name])),
  };
}

/** The entry that a package resolves a name to: the copy nearest to it. Unresolved optional ones have none. */
function keyOf(from: string, name: string): string | undefined {
  const names = namesOf(from);
  for (let depth = names.length; depth >= 0; depth--) {
    const key = [...names.slice(0, depth), name].join("/");
    if (lock.packages[key] !== undefined) return key;
  }
}

/** The names in a key; a scope belongs to its name. */
const namesOf = (key: string): string[] => key.match(/(?:@[^/]+\/)?[^/]+/g) ?? [];
