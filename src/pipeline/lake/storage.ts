/** What a lake needs of the folder or bucket in which its files are. */

import type { Manifest } from "./manifest.ts";

/** A file that is written and has no place yet. */
export interface StagedFile {
  readonly bytes: number;
  readonly sha256: string;
  /** Gives it its place, and resolves when it stays there. */
  publish(place: string): Promise<void>;
  discard(): Promise<void>;
}

type LakeBytes = Blob | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

/** A file that can be read from any byte on. */
export interface LakeObject {
  /** Bytes. */
  readonly size: number;
  /** Epoch milliseconds. */
  readonly modified: number;
  /** The bytes from `start` (inclusive) to `end` (exclusive). */
  read(start: number, end: number): LakeBytes | Promise<LakeBytes>;
}

/** Names are relative to the lake, with slashes. A reader never meets a part of a file. */
export interface LakeStorage {
  /** The present manifest; `null` if there is none. @throws Error if it is not one, or cannot be read */
  manifest(): Promise<Manifest | null>;
  /** Its bytes as they are, and when it was replaced (epoch milliseconds). */
  manifestBytes(): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly modified: number } | null>;
  replaceManifest(manifest: Manifest): Promise<void>;
  /** Collects pieces to a file without a place. */
  stage(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<StagedFile>;
  remove(place: string): Promise<void>;
  /** Deletes what an interrupted process left: staged files, and parts that `isNamed` denies. Returns how many parts. */
  sweep(isNamed: (place: string) => boolean): Promise<number>;
  /** Length and SHA-256 of a file; `null` if there is none. */
  digest(place: string): Promise<Pick<StagedFile, "bytes" | "sha256"> | null>;
  /** `null` if there is no such file. */
  open(place: string): Promise<LakeObject | null>;
  /** Gives back what staged files hold. */
  close(): void;
}
