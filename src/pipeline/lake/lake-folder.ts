/** A lake in a folder. A file gets its place, by rename, when it is whole and on the disk. */

import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { MANIFEST, type Manifest, PART, parseManifest, writeManifest } from "./manifest.ts";

/** Files on their way; readers of Parquet pass over names with a dot. */
const INCOMING = ".incoming";

/** A file that is written and has no place yet. */
export interface StagedFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export class LakeFolder {
  constructor(private readonly root: string) {}

  /** The present manifest; `null` if there is none. */
  async manifest(): Promise<Manifest | null> {
    try {
      return parseManifest(await readFile(join(this.root, MANIFEST), "utf8"));
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  /** Writes pieces to a file without a place, and waits until the disk has them. */
  async stage(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<StagedFile> {
    const folder = join(this.root, INCOMING);
    await mkdir(folder, { recursive: true });
    const path = join(folder, randomUUID());
    const hash = new Bun.CryptoHasher("sha256");
    let bytes = 0;
    const file = await open(path, "wx");
    try {
      for await (const piece of pieces) {
        hash.update(piece);
        bytes += piece.length;
        await file.writeFile(piece);
      }
      await file.sync();
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    return { path, bytes, sha256: hash.digest("hex") };
  }

  /** Gives a staged file its place, and waits until the disk has the name. */
  async publish(staged: StagedFile, place: string): Promise<void> {
    const target = join(this.root, place);
    const created = await mkdir(dirname(target), { recursive: true });
    await rename(staged.path, target);
    // The names of new folders are in the folders above them.
    const top = created === undefined ? dirname(target) : dirname(created);
    for (let folder = dirname(target); folder.length >= top.length; folder = dirname(folder)) await syncFolder(folder);
  }

  discard(staged: StagedFile): Promise<void> {
    return rm(staged.path, { force: true });
  }

  async replaceManifest(manifest: Manifest): Promise<void> {
    await this.publish(await this.stage([new TextEncoder().encode(writeManifest(manifest))]), MANIFEST);
  }

  /** Deletes a file, and the folders that it leaves empty. */
  async remove(place: string): Promise<void> {
    await rm(join(this.root, place), { force: true });
    for (let folder = dirname(place); folder !== "."; folder = dirname(folder)) {
      const isEmpty = await rmdir(join(this.root, folder)).then(
        () => true,
        () => false,
      );
      if (!isEmpty) return;
    }
  }

  /** Deletes what no manifest names: files on their way in a process that was killed, and parts that `isNamed` denies. */
  async sweep(isNamed: (place: string) => boolean): Promise<number> {
    await rm(join(this.root, INCOMING), { recursive: true, force: true });
    const lists = await Promise.all(
      ["bars", "actions"].map(async (top) => {
        const names = await readdir(join(this.root, top), { recursive: true }).catch((error) => {
          if (isMissing(error)) return [];
          throw error;
        });
        return names.map((name) => `${top}/${name.split(sep).join("/")}`);
      }),
    );
    const orphans = lists.flat().filter((place) => PART.test(place) && !isNamed(place));
    for (const place of orphans) await this.remove(place);
    return orphans.length;
  }

  /** Length and SHA-256 of a file; `null` if there is none. */
  async digest(place: string): Promise<Pick<StagedFile, "bytes" | "sha256"> | null> {
    const hash = new Bun.CryptoHasher("sha256");
    let bytes = 0;
    try {
      for await (const piece of createReadStream(join(this.root, place)) as AsyncIterable<Uint8Array>) {
        hash.update(piece);
        bytes += piece.length;
      }
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
    return { bytes, sha256: hash.digest("hex") };
  }
}

const isMissing = (error: unknown) => error instanceof Error && "code" in error && error.code === "ENOENT";

async function syncFolder(path: string): Promise<void> {
  // Windows has no such call for folders.
  if (process.platform === "win32") return;
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
