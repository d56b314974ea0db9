/** A table on its way from storage to an encoder. */

/** How many bytes a value has in a file. */
export const DTYPES = ["float64", "float32"] as const;
export type Dtype = (typeof DTYPES)[number];

/** What an encoder knows of a table before its rows. */
export interface TableHead {
  /** The columns after `symbol` and `timestamp`. */
  readonly names: readonly string[];
  /** The values of the column `symbol`; `null` for a table of one symbol, which has no such column. */
  readonly symbols: readonly string[] | null;
  readonly dtype: Dtype;
  /** The name of the column of times; `timestamp` if not given. */
  readonly timeName?: string;
  /** Columns of texts after the times, each with its values. Parquet only. */
  readonly texts?: readonly { readonly name: string; readonly values: readonly string[] }[];
  /** Facts for the metadata of a file, by key: `barkeep.interval`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Some rows of a table: their times (epoch seconds) and one column per name, NaN where undefined. */
export interface TableBlock {
  readonly ts: Float64Array;
  readonly columns: readonly Float64Array[];
  /** Each row's place in `symbols`; only where the table has that column. */
  readonly symbols?: Uint16Array;
  /** Each row's place in the values of each column of texts. */
  readonly texts?: readonly Uint16Array[];
}

/** The bytes of one row in memory: doubles, and two for its symbol. */
export const rowBytes = ({ names, symbols }: TableHead): number => 8 * (names.length + 1) + (symbols === null ? 0 : 2);

/** Rows of a table that are collected until there are enough of them. */
export class RowBuffer {
  readonly ts: Float64Array;
  readonly columns: readonly Float64Array[];
  readonly symbols: Uint16Array;
  readonly texts: readonly Uint16Array[];
  #length = 0;

  constructor(
    { names, dtype, texts = [] }: TableHead,
    private readonly capacity: number,
  ) {
    this.ts = new Float64Array(capacity);
    this.columns = names.map(() => new Float64Array(capacity));
    this.symbols = new Uint16Array(capacity);
    this.texts = texts.map(() => new Uint16Array(capacity));
    this.#rounds = dtype === "float32";
  }

  readonly #rounds: boolean;

  get length(): number {
    return this.#length;
  }

  get isFull(): boolean {
    return this.#length === this.capacity;
  }

  /** Copies rows of the block, from `row` on, as far as there is room, and returns the next row. */
  take({ ts, columns, symbols, texts = [] }: TableBlock, row: number): number {
    const start = this.#length;
    const end = Math.min(ts.length, row + this.capacity - start);
    this.ts.set(ts.subarray(row, end), start);
    if (symbols) this.symbols.set(symbols.subarray(row, end), start);
    for (let k = 0; k < texts.length; k++) this.texts[k]!.set(texts[k]!.subarray(row, end), start);
    for (let k = 0; k < columns.length; k++) {
      const [from, to] = [columns[k]!, this.columns[k]!];
      if (!this.#rounds) to.set(from.subarray(row, end), start);
      else for (let at = row, out = start; at < end; at++, out++) to[out] = Math.fround(from[at]!);
    }
    this.#length += end - row;
    return end;
  }

  clear(): void {
    this.#length = 0;
  }
}
