/** Evaluates screener conditions over columns: one value per profile, NaN where it is not known. */

import type { ColumnOperand, Comparison, Condition, Operand, ScreenFact } from "./screener.ts";

/** What a condition is for a profile. A comparison with an unknown value is unknown, and so is its negation. */
const FALSE = 0;
const UNKNOWN = 1;
export const TRUE = 2;

/** The column of a feature or of the ranks of a feature. */
export type ColumnOf = (operand: ColumnOperand) => Float64Array;

/**
 * A fact of each profile's company: 0 where it is not known, else one more than the place of its value. Values are in small
 * letters.
 */
export interface FactColumn {
  readonly codes: Uint32Array;
  readonly values: readonly string[];
}

/** What conditions on facts and rankings need besides columns. */
export interface Screened {
  factOf(fact: ScreenFact): FactColumn;
  /** For each profile how many of its interval have a larger value of the feature; NaN where it has none. */
  largerOf(feature: string): Float64Array;
}

const NONE: Screened = {
  factOf: () => ({ codes: new Uint32Array(0), values: [] }),
  largerOf: () => new Float64Array(0),
};

/** For each of the first `length` profiles whether `condition` is `TRUE`; any other number means that it is not. */
export function evaluate(
  condition: Condition,
  columnOf: ColumnOf,
  length: number,
  screened: Screened = NONE,
): Uint8Array {
  switch (condition.kind) {
    case "not": {
      const inner = evaluate(condition.inner, columnOf, length, screened);
      for (let i = 0; i < length; i++) inner[i] = TRUE - inner[i]!;
      return inner;
    }
    case "and":
    case "or": {
      const left = evaluate(condition.left, columnOf, length, screened);
      const right = evaluate(condition.right, columnOf, length, screened);
      const isAnd = condition.kind === "and";
      for (let i = 0; i < length; i++) if (isAnd ? right[i]! < left[i]! : right[i]! > left[i]!) left[i] = right[i]!;
      return left;
    }
    case "compare":
      return compare(condition.left, condition.sign, condition.right, columnOf, length);
    case "fact":
      return compareFact(screened.factOf(condition.fact), condition.sign, condition.text, length);
    case "top":
      return amongTop(screened.largerOf(condition.feature), condition.count, length);
  }
}

const HOLDS: Readonly<Record<Comparison, <Value extends number | string>(a: Value, b: Value) => boolean>> = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};

function compare(left: Operand, sign: Comparison, right: Operand, columnOf: ColumnOf, length: number): Uint8Array {
  const truth = new Uint8Array(length);
  const holds = HOLDS[sign];
  const a = "number" in left ? null : columnOf(left);
  const b = "number" in right ? null : columnOf(right);
  const [constantA, constantB] = ["number" in left ? left.number : 0, "number" in right ? right.number : 0];
  for (let i = 0; i < length; i++) {
    const x = a === null ? constantA : a[i]!;
    const y = b === null ? constantB : b[i]!;
    truth[i] = Number.isNaN(x) || Number.isNaN(y) ? UNKNOWN : holds(x, y) ? TRUE : FALSE;
  }
  return truth;
}

/** The comparison is made once for each value. */
function compareFact({ codes, values }: FactColumn, sign: Comparison, text: string, length: number): Uint8Array {
  const holds = HOLDS[sign];
  const truthOf = new Uint8Array(values.length + 1).fill(UNKNOWN);
  for (let at = 0; at < values.length; at++) truthOf[at + 1] = holds(values[at]!, text) ? TRUE : FALSE;
  const truth = new Uint8Array(length);
  for (let i = 0; i < length; i++) truth[i] = truthOf[codes[i]!]!;
  return truth;
}

/** Whether each value is among the `count` largest known ones of its group, or equal to the last of them. */
function amongTop(larger: Float64Array, count: number, length: number): Uint8Array {
  const truth = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const before = larger[i]!;
    truth[i] = Number.isNaN(before) ? UNKNOWN : before < count ? TRUE : FALSE;
  }
  return truth;
}

/**
 * The ranks of `values` among those of the same group: the share of the group's known values that are not greater, from
 * just above 0 to 1. Equal values share the mean of their ranks; an unknown value has none (NaN).
 */
export function rankWithin(values: Float64Array, groups: readonly number[]): Float64Array {
  return placesWithin(values, groups, shareAt);
}

/** How many known values of the same group are larger than each of `values`; NaN for an unknown one. */
export function largerWithin(values: Float64Array, groups: readonly number[]): Float64Array {
  return placesWithin(values, groups, largerAt);
}

/** @param placeOf what stands for equal values at `first` to `end` (half open) of so many ascending ones */
function placesWithin(
  values: Float64Array,
  groups: readonly number[],
  placeOf: (first: number, end: number, known: number) => number,
): Float64Array {
  const { length } = groups;
  const places = new Float64Array(length).fill(Number.NaN);
  const own = new Float64Array(length);
  const at = new Uint32Array(length);
  for (const group of new Set(groups)) {
    let known = 0;
    for (let i = 0; i < length; i++) {
      const value = values[i]!;
      if (groups[i] !== group || Number.isNaN(value)) continue;
      own[known] = value;
      at[known] = i;
      known += 1;
    }
    const order = orderOf(own.subarray(0, known), false);
    for (let first = 0; first < known; ) {
      const value = own[order[first]!]!;
      let end = first + 1;
      while (end < known && own[order[end]!] === value) end += 1;
      const place = placeOf(first, end, known);
      for (; first < end; first++) places[at[order[first]!]!] = place;
    }
  }
  return places;
}

/**
 * The places of `values` in sorted order: equal ones in the order they have, unknown ones (NaN) last. It sorts by one byte
 * of the numbers after the other, which is several times as fast as a sort of places by a comparison.
 */
export function orderOf(values: Float64Array, descending: boolean): Uint32Array {
  const { length } = values;
  const bytes = sortableBytes(values, descending);
  let [order, next] = [new Uint32Array(length), new Uint32Array(length)];
  for (let i = 0; i < length; i++) order[i] = i;
  const starts = new Uint32Array(256);
  for (let byte = 0; byte < 8; byte++) {
    starts.fill(0);
    for (let i = byte; i < bytes.length; i += 8) starts[bytes[i]!]! += 1;
    // Numbers that agree in this byte stay as they are.
    if (length === 0 || starts[bytes[byte]!] === length) continue;
    for (let value = 0, start = 0; value < 256; value++) {
      const count = starts[value]!;
      starts[value] = start;
      start += count;
    }
    for (let i = 0; i < length; i++) {
      const at = order[i]!;
      const value = bytes[8 * at + byte]!;
      next[starts[value]!] = at;
      starts[value]! += 1;
    }
    [order, next] = [next, order];
  }
  return order;
}

/** Each number as eight bytes, the least first, that compare as whole numbers do: zeros of both signs alike, NaN highest. */
function sortableBytes(values: Float64Array, descending: boolean): Uint8Array {
  const keys = new Float64Array(values.length);
  for (let i = 0; i < keys.length; i++) keys[i] = descending ? 0 - values[i]! : values[i]! + 0;
  const words = new Uint32Array(keys.buffer);
  for (let i = 0; i < keys.length; i++) {
    const high = words[2 * i + 1]!;
    if (Number.isNaN(keys[i])) {
      words[2 * i] = words[2 * i + 1] = 0xffff_ffff;
    } else if (high >>> 31 === 1) {
      words[2 * i] = ~words[2 * i]!;
      words[2 * i + 1] = ~high;
    } else words[2 * i + 1] = high ^ 0x8000_0000;
  }
  return new Uint8Array(keys.buffer);
}

/** The mean rank of equal values, divided by the number of values. */
const shareAt = (first: number, end: number, known: number) => (first + 1 + end) / 2 / known;
/** How many values are larger. */
const largerAt = (_: number, end: number, known: number) => known - end;
