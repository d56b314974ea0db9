/** Compresses the pieces of an export on its own thread, as a reader accepts them. */

import { pipeline, Readable } from "node:stream";
import { constants, createBrotliCompress, createGzip } from "node:zlib";

export type Coding = "br" | "gzip";

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
