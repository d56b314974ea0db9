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
  return placesWithin(values, groups, sharesOf);
}

/** How many known values of the same group are larger than each of `values`; NaN for an unknown one. */
export function largerWithin(values: Float64Array, groups: readonly number[]): Float64Array {
  return placesWithin(values, groups, largerOf);
}

/** @param tableOf gives, for each first one of equal sorted values, what stands for them */
function placesWithin(
  values: Float64Array,
  groups: readonly number[],
  tableOf: (sorted: Float64Array) => Float64Array,
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
    const sorted = own.slice(0, known).sort();
    const table = tableOf(sorted);
    for (let i = 0; i < known; i++) places[at[i]!] = table[firstAt(sorted, own[i]!)]!;
  }
  return places;
}

/**
 * The places of `values` in sorted order: equal ones in the order they have, unknown ones (NaN) last. It sorts plain
 * numbers and looks places up in them, which is four times as fast as a sort of places by a comparison.
 */
export function orderOf(values: Float64Array, descending: boolean): Uint32Array {
  const keys = descending ? values.map((value) => -value) : values;
  const sorted = keys.slice().sort();
  const order = new Uint32Array(values.length);
  /** How many of the equal values that begin at a place of `sorted` have theirs. */
  const placed = new Uint32Array(values.length);
  let unknown = values.length;
  while (unknown > 0 && Number.isNaN(sorted[unknown - 1])) unknown -= 1;
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at]!;
    if (Number.isNaN(key)) {
      order[unknown] = at;
      unknown += 1;
    } else {
      const first = firstAt(sorted, key);
      order[first + placed[first]!] = at;
      placed[first]! += 1;
    }
  }
  return order;
}

/** For each first one of equal values in `sorted` their mean rank, divided by the number of values. */
function sharesOf(sorted: Float64Array): Float64Array {
  const shares = new Float64Array(sorted.length);
  for (let first = 0; first < sorted.length; ) {
    let end = first + 1;
    while (end < sorted.length && sorted[end] === sorted[first]) end += 1;
    shares[first] = (first + 1 + end) / 2 / sorted.length;
    first = end;
  }
  return shares;
}

/** For each first one of equal values in `sorted` how many are larger. */
function largerOf(sorted: Float64Array): Float64Array {
  const larger = new Float64Array(sorted.length);
  for (let first = 0; first < sorted.length; ) {
    let end = first + 1;
    while (end < sorted.length && sorted[end] === sorted[first]) end += 1;
    larger[first] = sorted.length - end;
    first = end;
  }
  return larger;
}

/** The position of the first `value` in `sorted`, which has it. */
function firstAt(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
