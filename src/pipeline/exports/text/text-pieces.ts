/** Rows as text: written into byte buffers of bounded size, and the times of their bars. */

import { isoMillisecond } from "../../../domain/time.ts";
import type { Encoded, Part, PartEncoder } from "../encoding/part.ts";
import type { Dtype, TableBlock } from "../table-block.ts";
import { writeText } from "./number-text.ts";

/** Bytes of a piece, unless one row is longer or a block shorter: about 2 ms of work. */
const PIECE_BYTES = 512 * 1024;

/** How the rows of a table are written. */
export interface RowFormat {
  /** The most bytes that one row takes. */
  readonly rowBytes: number;
  /** Writes row `row` of `block` at `at`, where the bytes of a row are free, and returns where it ends. */
  writeRow(out: Uint8Array, at: number, block: TableBlock, row: number): number;
}

/** Parts whose first column has the times as pieces of text with buffers of their own. */
export class RowEncoder implements PartEncoder {
  constructor(private readonly format: RowFormat) {}

  *encode({ columns: [ts, ...columns], symbols }: Part, throwIfStopped: () => void): Generator<Encoded> {
    const { format } = this;
    const { rowBytes } = format;
    const longest = Math.max(PIECE_BYTES, rowBytes);
    const block = { ts: ts!, columns, ...(symbols && { symbols }) };
    const rows = ts!.length;
    for (let row = 0; row < rows; ) {
      throwIfStopped();
      // A short answer must not cost the memory of a long one: its reader's thread has to collect the whole buffer.
      const size = Math.min(longest, (rows - row) * rowBytes);
      const out = new Uint8Array(size);
      let at = 0;
      while (row < rows && at + rowBytes <= size) at = format.writeRow(out, at, block, row++);
      yield { bytes: out.subarray(0, at) };
    }
  }
}

/** The most bytes that one time takes: `+275760-09-13T00:00:00Z`. */
export const TIME_BYTES = 24;

const DAY = 86_400;

/** Returns a function that writes epoch seconds as `2026-03-02T14:02:11Z`; it formats each date once. */
export function timeWriter(): (out: Uint8Array, at: number, ts: number) => number {
  let date = Number.NaN;
  let dateText = "";
  return (out, at, ts) => {
    const day = Math.floor(ts / DAY);
    if (day !== date) {
      dateText = isoMillisecond(day * DAY).slice(0, -"00:00:00.000Z".length);
      date = day;
    }
    const second = Math.floor(ts - day * DAY);
    const minute = (second / 60) | 0;
    const hour = (minute / 60) | 0;
    let end = writeText(out, at, dateText);
    end = writeTwo(out, end, hour, ":");
    end = writeTwo(out, end, minute - hour * 60, ":");
    return writeTwo(out, end, second - minute * 60, "Z");
  };
}

function writeTwo(out: Uint8Array, at: number, value: number, after: string): number {
  const tens = (value / 10) | 0;
  out[at] = 48 + tens;
  out[at + 1] = 48 + value - tens * 10;
  out[at + 2] = after.charCodeAt(0);
  return at + 3;
}

/** Returns the function that gives the number to write for a value: for `float32` the shortest one that reads back as it. */
export function numberOf(dtype: Dtype): (value: number) => number {
  return dtype === "float64" ? (value) => value : shortest32;
}

/** Powers of ten that are exact doubles. */
const POWERS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** Sizes whose digits are found by arithmetic: the powers of ten that it takes are exact. */
const [MIN_SIZE, MAX_SIZE] = [1e-13, 1e21];
/** A product that lies as near to a half may have been rounded across it. */
const NEAR_HALF = 1e-6;

/** The number with the fewest digits whose nearest float32 is that of `value`; nine digits always suffice. */
function shortest32(value: number): number {
  const wanted = Math.fround(value);
  if (wanted === Math.trunc(wanted)) return wanted;
  const size = Math.abs(wanted);
  if (!(size >= MIN_SIZE && size < MAX_SIZE)) return shortestByText(wanted);
  let power = Math.floor(Math.log10(size));
  if (size >= (power >= -1 ? POWERS[power + 1]! : 1 / POWERS[-power - 1]!)) power++;
  else if (size < (power >= 0 ? POWERS[power]! : 1 / POWERS[-power]!)) power--;
  for (let digits = 6; digits < 10; digits++) {
    const scale = digits - 1 - power;
    const scaled = scale < 0 ? size / POWERS[-scale]! : size * POWERS[scale]!;
    const whole = Math.round(scaled);
    if (Math.abs(Math.abs(scaled - whole) - 0.5) < NEAR_HALF) return shortestByText(wanted);
    const candidate = scale < 0 ? whole * POWERS[-scale]! : whole / POWERS[scale]!;
    if (Math.fround(candidate) === size) return wanted < 0 ? -candidate : candidate;
  }
  return shortestByText(wanted);
}

function shortestByText(wanted: number): number {
  // The smallest numbers have a few bits only.
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(wanted.toPrecision(digits));
    if (Math.fround(candidate) === wanted) return candidate;
  }
  return Number(wanted.toPrecision(9));
}

/** Copies `bytes` to `at` and returns where they end. A loop, because `set` costs more than it saves on a dozen bytes. */
export function copyBytes(out: Uint8Array, at: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) out[at + i] = bytes[i]!;
  return at + bytes.length;
}
