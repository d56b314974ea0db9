/** A lake in a folder. A file gets its place, by rename, when it is whole and on the disk. */

import { createReadStream } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { MANIFEST, type Manifest, PART, parseManifest, TOPS, writeManifest } from "./manifest.ts";
import type { LakeObject, LakeStorage, StagedFile } from "./storage.ts";

/** Files on their way; readers of Parquet pass over names with a dot. */
const INCOMING = ".incoming";

export class LakeFolder implements LakeStorage {
  constructor(private readonly root: string) {}

  async manifest(): Promise<Manifest | null> {
    const text = await orNull(readFile(join(this.root, MANIFEST), "utf8"));
    return text === null ? null : parseManifest(text);
  }

  async manifestBytes() {
    const bytes = await orNull(readFile(join(this.root, MANIFEST)));
    const found = await orNull(stat(join(this.root, MANIFEST)));
    return bytes === null || found === null ? null : { bytes: new Uint8Array(bytes), modified: found.mtimeMs };
  }

  /** Waits until the disk has the pieces. */
  async stage(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<StagedFile> {
    const folder = join(this.root, INCOMING);
    await mkdir(folder, { recursive: true });
    const path = join(folder, crypto.randomUUID());
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
    return {
      bytes,
      sha256: hash.digest("hex"),
      publish: (place) => this.#publish(path, place),
      discard: () => rm(path, { force: true }),
    };
  }

  /** Waits until the disk has the name. */
  async #publish(staged: string, place: string): Promise<void> {
    const target = join(this.root, place);
    const created = await mkdir(dirname(target), { recursive: true });
    await rename(staged, target);
    // The names of new folders are in the folders above them.
    const top = created === undefined ? dirname(target) : dirname(created);
    for (let folder = dirname(target); folder.length >= top.length; folder = dirname(folder)) await syncFolder(folder);
  }

  async replaceManifest(manifest: Manifest): Promise<void> {
    await (await this.stage([new TextEncoder().encode(writeManifest(manifest))])).publish(MANIFEST);
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

  async sweep(isNamed: (place: string) => boolean): Promise<number> {
    await rm(join(this.root, INCOMING), { recursive: true, force: true });
    const lists = await Promise.all(
      TOPS.map(async (top) => {
        const names = (await orNull(readdir(join(this.root, top), { recursive: true }))) ?? [];
        return names.map((name) => `${top}/${name.split(sep).join("/")}`);
      }),
    );
    const orphans = lists.flat().filter((place) => PART.test(place) && !isNamed(place));
    for (const place of orphans) await this.remove(place);
    return orphans.length;
  }

  async digest(place: string): Promise<Pick<StagedFile, "bytes" | "sha256"> | null> {
    const hash = new Bun.CryptoHasher("sha256");
    let bytes = 0;
    const read = async () => {
      for await (const piece of createReadStream(join(this.root, place)) as AsyncIterable<Uint8Array>) {
        hash.update(piece);
        bytes += piece.length;
      }
      return { bytes, sha256: hash.digest("hex") };
    };
    return orNull(read());
  }

  async open(place: string): Promise<LakeObject | null> {
    const path = join(this.root, place);
    const found = await orNull(stat(path));
    if (!found?.isFile()) return null;
    return {
      size: found.size,
      modified: found.mtimeMs,
      read: (start, end) => Bun.file(path).slice(start, end),
    };
  }

  /** Staged files hold nothing: those of a process that ended are swept. */
  close(): void {}
}

const MISSING = ["ENOENT", "ENOTDIR", "ENAMETOOLONG"];

/** `null` if there is no such file or folder. */
async function orNull<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Error && "code" in error && MISSING.includes(String(error.code))) return null;
    throw error;
  }
}

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
