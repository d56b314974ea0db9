// Bars and values of a chart as columns, one value for each bar; NaN where there is none.

/** @import { Row } from "./rows.js" */

/**
 * @typedef {object} Bars
 * @property {Float64Array} time start of each bar, epoch seconds, ascending
 * @property {Float64Array} open
 * @property {Float64Array} high
 * @property {Float64Array} low
 * @property {Float64Array} close
 * @property {Float64Array} volume NaN where it is unknown
 */

/** @typedef {{ open: number, high: number, low: number, close: number, volume: number, time: number }} Bar */

/**
 * @param {readonly Row[]} rows
 * @returns {Bars}
 */
export function barsOf(rows) {
  /** @param {string} name */
  const column = (name) => Float64Array.from(rows, (row) => row[name] ?? Number.NaN);
  return {
    time: column("ts"),
    open: column("open"),
    high: column("high"),
    low: column("low"),
    close: column("close"),
    volume: column("volume"),
  };
}

/**
 * One bar, or null outside of the bars.
 * @param {Bars} bars
 * @param {number} at
 * @returns {Bar | null}
 */
export function barAt({ time, open, high, low, close, volume }, at) {
  if (!(at >= 0 && at < time.length)) return null;
  /** @param {Float64Array} column */
  const of = (column) => Number(column[at]);
  return { time: of(time), open: of(open), high: of(high), low: of(low), close: of(close), volume: of(volume) };
}

/**
 * The values of a feature at the times of bars.
 * @param {Float64Array} times
 * @param {readonly Row[]} rows ascending
 * @param {string} name
 */
export function valuesAt(times, rows, name) {
  const values = new Float64Array(times.length).fill(Number.NaN);
  let row = 0;
  for (let at = 0; at < times.length; at++) {
    while (row < rows.length && Number(rows[row]?.ts) < Number(times[at])) row++;
    const found = rows[row];
    if (found?.ts === times[at]) values[at] = found?.[name] ?? Number.NaN;
  }
  return values;
}

/**
 * The closes of other bars as of the times of these: that of the last bar that began by then, but none that is older
 * than `oldest` seconds.
 * @param {Float64Array} times
 * @param {readonly Row[]} rows ascending
 * @param {number} oldest
 */
export function closesAsOf(times, rows, oldest) {
  const values = new Float64Array(times.length).fill(Number.NaN);
  let next = 0;
  for (let at = 0; at < times.length; at++) {
    const time = Number(times[at]);
    while (next < rows.length && Number(rows[next]?.ts) <= time) next++;
    const last = rows[next - 1];
    if (last !== undefined && time - Number(last.ts) <= oldest) values[at] = last.close ?? Number.NaN;
  }
  return values;
}

/**
 * The first index whose value is at or after `time`.
 * @param {ArrayLike<number>} times ascending
 * @param {number} time
 */
export function lowerBound(times, time) {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (Number(times[middle]) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Values of another price as prices of this one: both are equal at the first bar in view that has both.
 * @param {Float64Array} own
 * @param {Float64Array} other
 * @param {number} from first bar in view
 * @returns {{ values: Float64Array, base: number }} base: that of the other's change in percent; NaN if there is none
 */
export function rebased(own, other, from) {
  let at = Math.max(0, from);
  while (at < own.length && !(Number(other[at]) > 0 && Number(own[at]) > 0)) at++;
  const base = Number(other[at] ?? Number.NaN);
  const factor = Number(own[at] ?? Number.NaN) / base;
  return { values: other.map((value) => value * factor), base };
}
