// A price scale of a chart: where values lie between the top and the bottom of a pane. Positions are CSS pixels.

import { decimalsOf, linearTicks, logTicks, roundStep } from "./ticks.js";

const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

// Values from here on are written without decimals.
const LARGE = 1e5;

/** @typedef {"linear" | "log" | "percent"} Mode percent: values are labelled by their change from `base` */
/** @typedef {{ low: number, high: number }} Extent */

/**
 * The least and the greatest of some values, those that are not finite left out.
 * @param {Iterable<number>} values
 * @returns {Extent | null} null if there are none
 */
export function extentOf(values) {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low > high ? null : { low, high };
}

/**
 * @param {Extent} extent of the values to show
 * @param {{ top: number, height: number }} box
 * @param {Mode} mode a logarithmic scale of values that are not above 0 is linear
 * @param {{ base?: number, isCompact?: boolean }} [options] base: of the percentages; isCompact: labels like 12.5M
 */
export function createScale({ low, high }, { top, height }, mode, { base = 1, isCompact = false } = {}) {
  const isLog = mode === "log" && low > 0;
  // A flat line lies in the middle.
  const pad = high > low ? 0 : Math.abs(high) * 0.01 || 1;
  const [from, to] = isLog
    ? [Math.log(pad > 0 ? low * 0.99 : low), Math.log(pad > 0 ? high / 0.99 : high)]
    : [low - pad, high + pad];
  const isPercent = mode === "percent" && base !== 0 && Number.isFinite(base);
  /** @param {number} value */
  const toLabel = (value) => (isPercent ? (value / base - 1) * 100 : value);
  /** @param {number} label */
  const fromLabel = (label) => (isPercent ? base * (1 + label / 100) : label);
  /**
   * @param {number} label
   * @param {number} decimals
   */
  const write = (label, decimals) => {
    if (isPercent) return `${label > 0 ? "+" : ""}${label.toFixed(Math.min(decimals, 4))}%`.replace("-", "−");
    return (isCompact ? compact.format(label) : label.toFixed(decimals)).replace("-", "−");
  };

  return {
    isLog,
    isPercent,
    /** @param {number} value */
    y: (value) => top + height * (1 - ((isLog ? Math.log(value) : value) - from) / (to - from)),
    /** @param {number} y */
    valueAt: (y) => {
      const value = from + (1 - (y - top) / height) * (to - from);
      return isLog ? Math.exp(value) : value;
    },
    /**
     * Round labels, and the values they stand for.
     * @param {number} most
     * @returns {{ value: number, text: string }[]}
     */
    ticks(most) {
      const [least, greatest] = isLog ? [Math.exp(from), Math.exp(to)] : [from, to];
      /** @type {[number, number]} */
      const ends = [toLabel(least), toLabel(greatest)];
      const labels = (isLog ? logTicks : linearTicks)(Math.min(...ends), Math.max(...ends), most);
      const distances = labels.slice(1).map((label, at) => label - Number(labels[at]));
      // A label that stands alone must not be rounded to something else either.
      const alone = [Math.abs(ends[1] - ends[0]) / most, Math.abs(Number(labels[0]))].filter((size) => size > 0);
      const decimals = decimalsOf(Math.min(...(distances.length > 0 ? distances : alone.map(roundStep))));
      return labels.map((label) => ({ value: fromLabel(label), text: write(label, decimals) }));
    },
    /**
     * Decimals of a value beside the axis: one more than its labels have, none where it reaches to large values.
     * @param {readonly { text: string }[]} labels
     */
    decimals: (labels) =>
      Math.max(Math.abs(low), Math.abs(high)) >= LARGE
        ? 0
        : Math.max(2, ...labels.map(({ text }) => (text.split(".")[1] ?? "").length + 1)),
    /**
     * A value as the axis would label it.
     * @param {number} value
     * @param {number} decimals of a value that is no percentage
     */
    text: (value, decimals) => write(toLabel(value), isPercent ? 2 : decimals),
  };
}

/** @typedef {ReturnType<typeof createScale>} Scale */
