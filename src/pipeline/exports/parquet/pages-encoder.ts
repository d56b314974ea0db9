/** Encodes columns of values as pages, each independent of all others. */

import { joinBytes } from "../bytes.ts";
import type { Encoded, Part, PartEncoder, PartFormat } from "../encoding/part.ts";
import {
  BYTE_STREAM_SPLIT,
  DATA_PAGE,
  DICTIONARY_PAGE,
  type EncodedPage,
  PageBuffers,
  PLAIN,
  RLE_DICTIONARY,
} from "./chunk.ts";
import { DictionaryBuilder, writeLevels, writePlaces, writePlain, writeSplit } from "./values.ts";

/** Values that are null where they are NaN. Only a column of a single page may have a dictionary. */
export class PagesEncoder implements PartEncoder {
  readonly #width: 4 | 8;
  readonly #buffers: PageBuffers;
  readonly #dictionaries: DictionaryBuilder | null;

  constructor({ dtype, pageRows, mayHaveDictionary }: Extract<PartFormat, { kind: "pages" }>) {
    this.#width = dtype === "float32" ? 4 : 8;
    this.#buffers = new PageBuffers(pageRows, 0);
    this.#dictionaries = mayHaveDictionary ? new DictionaryBuilder(pageRows) : null;
  }

  *encode({ columns }: Part, throwIfStopped: () => void): Generator<Encoded> {
    for (const column of columns) {
      throwIfStopped();
      yield this.#encode(column);
    }
  }

  #encode(column: Float64Array): Encoded {
    const { values } = this.#buffers;
    const rows = column.length;
    let known = 0;
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < rows; i++) {
      const value = column[i]!;
      values[known] = value;
      if (!Number.isNaN(value)) known++;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    const pages = this.#pages(column, values.subarray(0, known));
    return {
      bytes: joinBytes(pages.flatMap(({ parts }) => parts)),
      column: { pages: pages.map(({ parts, ...page }) => page), least, most, known, nulls: rows - known },
    };
  }

  #pages(column: Float64Array, values: Float64Array): EncodedPage[] {
    const buffers = this.#buffers;
    const width = this.#width;
    const rows = column.length;
    const levels = (page: Uint8Array) => writeLevels(page, 0, column, values.length === rows);
    const dictionary = this.#dictionaries?.build(values) ?? null;
    if (dictionary === null) {
      const write = (page: Uint8Array) => writeSplit(page, levels(page), values, width);
      return [buffers.page(DATA_PAGE, rows, BYTE_STREAM_SPLIT, write)];
    }
    const { entries, places } = dictionary;
    return [
      buffers.page(DICTIONARY_PAGE, entries.length, PLAIN, (page) => writePlain(page, 0, entries, width)),
      buffers.page(DATA_PAGE, rows, RLE_DICTIONARY, (page) => writePlaces(page, levels(page), places)),
    ];
  }
}
