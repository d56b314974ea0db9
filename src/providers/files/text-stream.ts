/** The bytes of a text file as UTF-8 with line feeds, whatever its compression, encoding and line ends. */

import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { messageOf, ProviderError } from "../../domain/errors.ts";

const CARRIAGE_RETURN = 13;
const LINE_FEED = 10;
/** Signatures of formats that are no text, with what to do. */
const BINARY: readonly (readonly [string, string])[] = [
  ["504b0304", "is a ZIP archive or an Excel workbook: unpack it, or save the sheet as CSV"],
  ["d0cf11e0", "is an Excel workbook: save the sheet as CSV"],
  ["28b52ffd", "is compressed with zstd: unpack it, or compress it with gzip"],
  ["425a68", "is compressed with bzip2: unpack it, or compress it with gzip"],
  ["fd377a585a", "is compressed with xz: unpack it, or compress it with gzip"],
  ["377abcaf271c", "is a 7z archive: unpack it"],
  ["25504446", "is a PDF document: bars are read from CSV, gzipped CSV and Parquet"],
];

/** How the text of a file is stored, for people. */
export interface Encoding {
  text: string;
}

const isGzip = (start: Uint8Array) => start[0] === 0x1f && start[1] === 0x8b;

/** UTF-16 by its mark, or by the zero bytes that every second byte of plain text is. */
export function utf16Of(start: Uint8Array): "utf-16le" | "utf-16be" | null {
  if (start[0] === 0xff && start[1] === 0xfe) return "utf-16le";
  if (start[0] === 0xfe && start[1] === 0xff) return "utf-16be";
  const sample = start.subarray(0, 64);
  const zeros = (from: number) => sample.filter((byte, at) => at % 2 === from && byte === 0).length;
  if (sample.length < 8) return null;
  if (zeros(1) > sample.length / 4 && zeros(0) === 0) return "utf-16le";
  return zeros(0) > sample.length / 4 && zeros(1) === 0 ? "utf-16be" : null;
}

/** Chunks as they come, the first one with at least `size` bytes unless there are fewer. */
async function* withStart(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let start: Uint8Array | null = new Uint8Array();
  for await (const chunk of source) {
    if (start === null) yield chunk;
    else {
      start = start.length === 0 ? chunk : Buffer.concat([start, chunk]);
      if (start.length >= size) {
        yield start;
        start = null;
      }
    }
  }
  if (start !== null) yield start;
}

/** Adds the unpacking of gzip. @throws ProviderError `bad_request` if the archive is damaged, or unpacks to more than `most` bytes */
async function* unpacked(path: string, name: string, most: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  const unpack = createGunzip();
  const file = createReadStream(path).on("error", (error) => unpack.destroy(error));
  try {
    for await (const chunk of file.pipe(unpack) as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > most) throw unpacksTo(name, most);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof ProviderError) throw error;
    throw new ProviderError("bad_request", `${name} is a damaged gzip file: ${messageOf(error)}`);
  }
}

/** The refusal of a file that unpacks to more than `most` bytes. */
export const unpacksTo = (name: string, most: number): ProviderError =>
  new ProviderError(
    "bad_request",
    `${name} unpacks to more than ${Math.floor(most / 2 ** 20)} MB: divide it, or put it into the folder of BARKEEP_CSV_DIR`,
  );

/** Line ends of a lone carriage return become line feeds. */
function withLineFeeds(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  for (let at = copy.indexOf(CARRIAGE_RETURN); at >= 0; at = copy.indexOf(CARRIAGE_RETURN, at + 1))
    copy[at] = LINE_FEED;
  return copy;
}

/**
 * The file at `path` (`name` in messages) in chunks. Before the first one, `encoding.text` is set: `gzip, UTF-8`.
 * @param maxUnpacked most bytes that an archive may unpack to
 * @throws ProviderError `bad_request` for a damaged archive and for formats that are no text, saying what to do
 */
export async function* readText(
  path: string,
  name: string,
  encoding: Encoding,
  maxUnpacked: number,
): AsyncGenerator<Uint8Array> {
  const head = new Uint8Array(await Bun.file(path).slice(0, 64).arrayBuffer());
  const packed = isGzip(head);
  const source = packed
    ? unpacked(path, name, maxUnpacked)
    : (Bun.file(path).stream() as unknown as AsyncIterable<Uint8Array>);
  let decoder: TextDecoder | null = null;
  let onlyReturns = false;
  let first = true;
  const encoder = new TextEncoder();
  for await (const chunk of withStart(source, 4_096)) {
    let bytes = chunk;
    if (first) {
      first = false;
      const hex = Buffer.from(bytes.subarray(0, 8)).toString("hex");
      const binary = BINARY.find(([signature]) => hex.startsWith(signature));
      if (binary) throw new ProviderError("bad_request", `${name} ${binary[1]}`);
      const wide = utf16Of(bytes);
      decoder = wide && new TextDecoder(wide);
      encoding.text = `${packed ? "gzip, " : ""}${wide?.toUpperCase() ?? "UTF-8"}`;
      if (wide === null && bytes.subarray(0, 1_000).includes(0))
        throw new ProviderError("bad_request", `${name} is no text: bars are read from CSV, gzipped CSV and Parquet`);
      const start = decoder ? encoder.encode(new TextDecoder(wide!).decode(bytes)) : bytes;
      onlyReturns = start.includes(CARRIAGE_RETURN) && !start.includes(LINE_FEED);
    }
    if (decoder) bytes = encoder.encode(decoder.decode(bytes, { stream: true }));
    yield onlyReturns ? withLineFeeds(bytes) : bytes;
  }
}
