/** Where the output of a command goes. */

import { open, readlink, realpath, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";

/** Where an output goes: to a file that appears as a whole, or through a device or pipe, which no file may replace. */
interface Place {
  readonly path: string;
  readonly isFile: boolean;
}

/**
 * The place that a path leads to; a link is followed, and stays. Refuses one at which no file can be, before anything is
 * asked for: exports and backups create no folder, since a mistyped path would then lead somewhere else.
 */
export async function placeAt(path: string): Promise<Place> {
  const found = await stat(path).catch(() => null);
  if (found !== null && !found.isFile() && !found.isDirectory()) return { path, isFile: false };
  const link = found === null ? await readlink(path).catch(() => null) : null;
  const real = found === null ? resolve(dirname(path), link ?? basename(path)) : await realpath(path);
  const isFolder = async (place: string) => (await stat(place).catch(() => null))?.isDirectory() ?? false;
  const folder = /[\\/]$/.test(path) ? path : link === null ? dirname(path) : dirname(real);
  const fault = !(await isFolder(folder))
    ? `there is no folder ${folder}`
    : found?.isDirectory()
      ? "it is a folder"
      : null;
  if (fault !== null) throw new Error(`Nothing was written to ${path}: ${fault}`);
  return { path: real, isFile: true };
}

/** Writes piece by piece to what is no file. */
export async function passOn(response: Response, path: string): Promise<void> {
  const output = await open(path, "w");
  try {
    for await (const piece of response.body ?? []) await output.writeFile(piece);
  } finally {
    await output.close();
  }
}
