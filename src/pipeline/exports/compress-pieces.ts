/** Compresses the pieces of an export on its own thread, as a reader accepts them. */

import { pipeline, Readable } from "node:stream";
import { constants, createBrotliCompress, createGzip } from "node:zlib";

const CODINGS = ["br", "gzip"] as const;
export type Coding = (typeof CODINGS)[number];

const CHUNK_BYTES = 256 * 1024;
/** Levels at which both take about as long as the encoding of the text. */
const [BROTLI_QUALITY, GZIP_LEVEL] = [3, 3];

export async function* compressPieces(
  pieces: AsyncIterable<Uint8Array>,
  coding: Coding,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const compressor =
    coding === "gzip"
      ? createGzip({ level: GZIP_LEVEL, chunkSize: CHUNK_BYTES })
      : createBrotliCompress({
          chunkSize: CHUNK_BYTES,
          params: {
            [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
            [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
          },
        });
  // Its errors end the iteration below.
  pipeline(Readable.from(pieces, { objectMode: true, highWaterMark: 1 }), compressor, () => {});
  for await (const chunk of compressor) yield new Uint8Array(chunk as Uint8Array);
}

/** The coding that an `Accept-Encoding` header prefers, Brotli if both are as welcome; `null` for none. */
export function acceptedCoding(header: string | undefined): Coding | null {
  const weights = new Map(
    (header ?? "").split(",").map((part) => {
      const [name = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
      const weight = parameters.find((text) => text.startsWith("q="));
      return [name, weight === undefined ? 1 : Number(weight.slice(2))] as const;
    }),
  );
  let best: Coding | null = null;
  let most = 0;
  for (const coding of CODINGS) {
    const weight = weights.get(coding) ?? weights.get("*") ?? 0;
    if (weight > most) [best, most] = [coding, weight];
  }
  return best;
}
