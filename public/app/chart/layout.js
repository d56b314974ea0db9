// Where the panes of a chart lie, and which bar lies where. Positions are CSS pixels; a place is a bar's index, its middle
// at the whole number.

/** @typedef {{ from: number, to: number }} Places what is in view, from the left edge to the right one */
/** @typedef {{ top: number, height: number }} Box */

export const TIME_AXIS = 24;
/** Above the values of a pane, for its legend, and below them. */
const PANE_TOP = 20;
const PANE_BOTTOM = 6;
/** Below the prices, for marks. */
const MARKS = 16;
/** The share of the price pane in terms of another one. */
const PRICE_WEIGHT = 3;
/** The least height that a chart with some panes asks for. */
const LEAST_PRICES = 240;
const LEAST_PANE = 92;

/** @param {number} panes besides that of the prices */
export const leastHeight = (panes) => LEAST_PRICES + panes * LEAST_PANE + TIME_AXIS;

/**
 * The boxes of the panes, that of the prices first: `whole` with its legend, `inner` with its values.
 * @param {number} height of the chart
 * @param {number} panes besides that of the prices
 * @returns {{ whole: Box, inner: Box }[]}
 */
export function boxesOf(height, panes) {
  const free = Math.max(1, height - TIME_AXIS);
  const unit = free / (PRICE_WEIGHT + panes);
  let top = 0;
  return Array.from({ length: panes + 1 }, (_, index) => {
    const bottom = Math.round((PRICE_WEIGHT + index) * unit);
    const whole = { top, height: bottom - top };
    const below = PANE_BOTTOM + (index === 0 ? MARKS : 0);
    top = bottom;
    return { whole, inner: { top: whole.top + PANE_TOP, height: Math.max(1, whole.height - PANE_TOP - below) } };
  });
}

/**
 * @param {number} place
 * @param {Places} places
 * @param {number} width
 */
export const xOf = (place, { from, to }, width) => ((place - from) / (to - from)) * width;

/**
 * @param {number} x
 * @param {Places} places
 * @param {number} width
 */
export const placeOf = (x, { from, to }, width) => from + (x / width) * (to - from);

/**
 * The bars in view, those that are cut by an edge included.
 * @param {Places} places
 * @param {number} count of all bars
 * @returns {{ first: number, last: number }} last < first if there are none
 */
export const barsInView = ({ from, to }, count) => ({
  first: Math.max(0, Math.ceil(from - 0.5)),
  last: Math.min(count - 1, Math.floor(to + 0.5)),
});
