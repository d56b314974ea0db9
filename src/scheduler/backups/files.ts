/** The files of backups in their folder: names, the folder's fitness, and what is deleted. */

import { constants } from "node:fs";
import { access, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isoSecond } from "../../domain/time.ts";

/** The names that backups by the server have, and no other file. */
const NAME = /^barkeep-\d{8}T\d{6}Z\.db$/;
/** What a copy leaves that was interrupted by the end of the process. */
const UNFINISHED = /^barkeep-\d{8}T\d{6}Z\.db\.part(?:-wal|-shm|-journal)?$/;

/** `barkeep-20260115T033000Z.db`, for a moment in epoch milliseconds. */
const nameOf = (at: number): string => `barkeep-${isoSecond(Math.floor(at / 1_000)).replaceAll(/[-:]/g, "")}.db`;

/** @throws Error with the code of the system unless it is a folder that can be written */
export async function requireFolder(folder: string): Promise<void> {
  if (!(await stat(folder)).isDirectory()) throw Object.assign(new Error("not a folder"), { code: "ENOTDIR" });
  await access(folder, constants.W_OK | constants.X_OK);
}

/** A path in the folder that no backup has yet; of the second `at` (epoch milliseconds), or a later one. */
export async function freePath(folder: string, at: number): Promise<string> {
  const names = new Set(await readdir(folder));
  let moment = at;
  while (names.has(nameOf(moment))) moment += 1_000;
  return join(folder, nameOf(moment));
}

/** Deletes what interrupted backups have left in the folder. */
export async function deleteUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (UNFINISHED.test(name)) await rm(join(folder, name), { force: true });
}

/**
 * Deletes the oldest backups beyond `keep`, never `made`, the newest of all. Names from after it were given by a clock that
 * has been set back since: those go first, or they would crowd out every new one for as long as they are of the future.
 * @returns the names of the deleted ones
 */
export async function deleteOldest(folder: string, made: string, keep: number): Promise<string[]> {
  const others = (await readdir(folder)).filter((name) => NAME.test(name) && name !== made);
  const [ahead, past] = [others.filter((name) => name > made), others.filter((name) => name < made)];
  const old = [...past.sort().reverse(), ...ahead.sort().reverse()].slice(Math.max(0, keep - 1));
  for (const name of old) {
    await rm(join(folder, name));
    // Left by who has opened it as a database.
    for (const end of ["-wal", "-shm", "-journal"]) await rm(join(folder, name + end), { force: true });
  }
  return old;
}

/** How many backups are in the folder, and their bytes. @throws Error with the code of the system */
export async function sizeOfBackups(folder: string): Promise<{ readonly files: number; readonly bytes: number }> {
  const names = (await readdir(folder)).filter((name) => NAME.test(name));
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => null,
      ),
    ),
  );
  const present = sizes.filter((size) => size !== null);
  return { files: present.length, bytes: present.reduce((sum, size) => sum + size, 0) };
}
