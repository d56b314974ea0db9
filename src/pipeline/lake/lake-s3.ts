/** A lake in a bucket of S3, or of a server that speaks its protocol. An object appears as a whole or not at all. */

import { S3Client, type S3File } from "bun";
import { lakeName, type S3Place } from "../../config/places.ts";
import { messageOf } from "../../domain/errors.ts";
import { SpillFile } from "../exports/spill-file.ts";
import { MANIFEST, type Manifest, PART, parseManifest, TOPS, writeManifest } from "./manifest.ts";
import type { LakeObject, LakeStorage, StagedFile } from "./storage.ts";

export interface S3Options {
  /** Ends what is under way. */
  readonly signal?: AbortSignal;
  /** Milliseconds before each further attempt. */
  readonly waits?: readonly number[];
  /** Milliseconds for the answer to one request. */
  readonly deadline?: number;
}

/** The most bytes of one request; what is larger is uploaded in parts, and read in pieces. */
const REQUEST_BYTES = 8 * 2 ** 20;
const WAITS = [250, 1_000, 4_000];
const DEADLINE_MS = 60_000;
/** The most characters of what a server says. */
const MAX_WORDS = 200;

/** Answers that another attempt does not change, and the setting to look at. */
const DEFINITE: ReadonlyMap<string, string> = new Map([
  ["NoSuchKey", ""],
  ["NoSuchBucket", "BARKEEP_LAKE"],
  ["InvalidBucketName", "BARKEEP_LAKE"],
  ["AccessDenied", "S3_ACCESS_KEY_ID and what its key may do"],
  ["InvalidAccessKeyId", "S3_ACCESS_KEY_ID"],
  ["SignatureDoesNotMatch", "S3_SECRET_ACCESS_KEY"],
  ["PermanentRedirect", "S3_REGION and S3_ENDPOINT"],
  ["AuthorizationHeaderMalformed", "S3_REGION"],
]);

export class LakeS3 implements LakeStorage {
  readonly #client: S3Client;
  readonly #spills = new Set<SpillFile>();
  readonly #prefix: string;

  constructor(
    private readonly place: S3Place,
    private readonly options: S3Options = {},
  ) {
    const { bucket, prefix, endpoint, region, accessKeyId, secretAccessKey } = place;
    // The client would take a token and its attempts from the environment.
    const own = { sessionToken: "", retry: 0 };
    this.#client = new S3Client({ bucket, endpoint, region, accessKeyId, secretAccessKey, ...own });
    this.#prefix = prefix === "" ? "" : `${prefix}/`;
  }

  async manifest(): Promise<Manifest | null> {
    const bytes = await this.#whole(MANIFEST);
    return bytes === null ? null : parseManifest(new TextDecoder().decode(bytes));
  }

  async manifestBytes() {
    const found = await this.#stat(MANIFEST);
    const bytes = found === null ? null : await this.#whole(MANIFEST);
    return bytes === null || found === null ? null : { bytes, modified: found.lastModified.getTime() };
  }

  async replaceManifest(manifest: Manifest): Promise<void> {
    const bytes = new TextEncoder().encode(writeManifest(manifest));
    await this.#attempts(() => this.#file(MANIFEST).write(bytes, { type: "application/json" }));
  }

  async stage(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<StagedFile> {
    const spill = new SpillFile();
    this.#spills.add(spill);
    const discard = async () => {
      this.#spills.delete(spill);
      spill[Symbol.dispose]();
    };
    const hash = new Bun.CryptoHasher("sha256");
    let bytes = 0;
    for await (const piece of pieces) {
      hash.update(piece);
      bytes += piece.length;
      spill.append(piece);
    }
    const publish = async (place: string) => {
      await this.#attempts(() => this.#upload(place, spill, bytes));
      await discard();
    };
    return { bytes, sha256: hash.digest("hex"), publish, discard };
  }

  /** A short file in one request, another one in parts, which become an object with the last request. */
  async #upload(place: string, spill: SpillFile, size: number): Promise<void> {
    const type = "application/vnd.apache.parquet";
    const partAt = (start: number) => {
      const part = new Uint8Array(Math.min(REQUEST_BYTES, size - start));
      spill.read(part, start);
      return part;
    };
    if (size <= REQUEST_BYTES) {
      await this.#file(place).write(partAt(0), { type });
      return;
    }
    const writer = this.#file(place).writer({ type, partSize: REQUEST_BYTES, queueSize: 1, retry: 3 });
    try {
      for (let start = 0; start < size; start += REQUEST_BYTES) {
        writer.write(partAt(start));
        await this.#inTime(async () => writer.flush());
      }
      await this.#inTime(async () => writer.end());
    } catch (error) {
      // Deletes the parts that have arrived, as far as the server still answers.
      void Promise.resolve(writer.end(error instanceof Error ? error : new Error(messageOf(error)))).catch(() => {});
      throw error;
    }
  }

  async remove(place: string): Promise<void> {
    await this.#attempts(() => this.#file(place).delete());
  }

  async sweep(isNamed: (place: string) => boolean): Promise<number> {
    const orphans: string[] = [];
    for (const top of TOPS) {
      let continuationToken: string | undefined;
      do {
        const prefix = `${this.#prefix}${top}/`;
        const page = await this.#attempts(() =>
          this.#client.list({ prefix, ...(continuationToken && { continuationToken }) }),
        );
        const names = (page.contents ?? []).map(({ key }) => key.slice(this.#prefix.length));
        orphans.push(...names.filter((name) => PART.test(name) && !isNamed(name)));
        continuationToken = page.isTruncated === true ? page.nextContinuationToken : undefined;
      } while (continuationToken);
    }
    for (const place of orphans) await this.remove(place);
    return orphans.length;
  }

  async digest(place: string): Promise<Pick<StagedFile, "bytes" | "sha256"> | null> {
    const found = await this.#stat(place);
    if (found === null) return null;
    const hash = new Bun.CryptoHasher("sha256");
    let bytes = 0;
    for await (const piece of this.#pieces(place, 0, found.size)) {
      hash.update(piece);
      bytes += piece.length;
    }
    return { bytes, sha256: hash.digest("hex") };
  }

  async open(place: string): Promise<LakeObject | null> {
    const found = await this.#stat(place);
    if (found === null) return null;
    const read = async (start: number, end: number) => {
      const pieces = this.#pieces(place, start, end);
      // What fails before the first byte can still be answered with a status.
      const { value: first = new Uint8Array() } = await pieces.next();
      return end - start <= REQUEST_BYTES ? first : streamOf(first, pieces);
    };
    return { size: found.size, modified: found.lastModified.getTime(), read };
  }

  close(): void {
    for (const spill of this.#spills) spill[Symbol.dispose]();
    this.#spills.clear();
  }

  async *#pieces(place: string, start: number, end: number): AsyncGenerator<Uint8Array<ArrayBuffer>, undefined> {
    for (let at = start; at < end; at += REQUEST_BYTES) {
      const wanted = Math.min(end, at + REQUEST_BYTES);
      const piece = await this.#attempts(() => this.#file(place).slice(at, wanted).bytes());
      if (piece.length !== wanted - at) throw new Error(`${place} is shorter than it was`);
      yield piece;
    }
  }

  /** All bytes; `null` if there is no such object. A missing bucket is an error. */
  #whole(place: string): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#orNull(() => this.#attempts(() => this.#file(place).bytes()));
  }

  #stat(place: string) {
    return this.#orNull(() => this.#attempts(() => this.#file(place).stat()));
  }

  async #orNull<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      if (codeOf(error) === "NoSuchKey") return null;
      throw error;
    }
  }

  #file(place: string): S3File {
    return this.#client.file(this.#prefix + place);
  }

  /** @throws Error that says what the server answered, and which setting to look at */
  async #attempts<T>(work: () => Promise<T>): Promise<T> {
    const { waits = WAITS, signal } = this.options;
    for (const wait of [...waits, null]) {
      try {
        return await this.#inTime(work);
      } catch (error) {
        if (signal?.aborted) throw error;
        if (wait === null || DEFINITE.has(codeOf(error))) throw this.#described(error);
        await Bun.sleep(wait);
      }
    }
    throw new Error("unreachable");
  }

  /** The client has no time limit of its own, and cannot be stopped: the answer is no longer waited for. */
  async #inTime<T>(work: () => Promise<T>): Promise<T> {
    const { deadline = DEADLINE_MS, signal } = this.options;
    const end = Promise.withResolvers<never>();
    const stop = () => end.reject(new Error("it was stopped"));
    const timer = setTimeout(() => end.reject(new Error(`no answer within ${deadline / 1_000} s`)), deadline);
    signal?.addEventListener("abort", stop);
    try {
      if (signal?.aborted) stop();
      return await Promise.race([end.promise, work()]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
  }

  #described(error: unknown): Error {
    const { accessKeyId, secretAccessKey } = this.place;
    const code = codeOf(error);
    const said = messageOf(error).replaceAll(secretAccessKey, "***").replaceAll(accessKeyId, "***");
    const words = said.replace(/\s+/g, " ").slice(0, MAX_WORDS);
    const known = code === "" || code === "UnknownError" ? words : `${code}: ${words}`;
    const check = DEFINITE.get(code) ?? (/^(Connection|DNS|FailedToOpen)/.test(code) ? "S3_ENDPOINT" : "");
    const text = `${lakeName(this.place)}: ${known}${check === "" ? "" : ` (look at ${check})`}`;
    return Object.assign(new Error(text), { code });
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";

/** Asks for the next piece when the reader has taken the one before. */
function streamOf(
  first: Uint8Array<ArrayBuffer>,
  rest: AsyncGenerator<Uint8Array<ArrayBuffer>, undefined>,
): ReadableStream<Uint8Array> {
  let next: Uint8Array<ArrayBuffer> | undefined = first;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = next ?? (await rest.next()).value;
        next = undefined;
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
      async cancel() {
        await rest.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
