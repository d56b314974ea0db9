// What a chart shows, and where: the scene, the size and view of the drawing, and the scale of each pane.

import { barsInView, TIME_AXIS } from "../layout.js";
import { createScale, extentOf } from "../scale.js";

/**
 * @import { Bars } from "../bars.js"
 * @import { Colours } from "../colours.js"
 * @import { Box, Places } from "../layout.js"
 * @import { PlacedMark } from "../marks.js"
 * @import { PaneKind } from "../panes.js"
 * @import { Mode, Scale } from "../scale.js"
 * @import { Band, Line, Sheet } from "./paint.js"
 */

/** @typedef {{ kind: PaneKind, lines: readonly Line[] }} DrawnPane */
/**
 * What a chart shows.
 * @typedef {object} Scene
 * @property {Bars} bars
 * @property {readonly Line[]} overlays on the scale of the prices
 * @property {readonly Line[]} compared other symbols, as prices of this one; they widen the scale as overlays do
 * @property {readonly DrawnPane[]} panes
 * @property {readonly PlacedMark[]} marks
 * @property {readonly Band[]} bands
 * @property {Mode} mode
 * @property {number} precision decimals of a price
 * @property {boolean} isDated whether bars are named by dates
 * @property {Colours} colours
 */
/** @typedef {{ at: number, y: number | null }} Cursor a bar, and a position if a pointer is there */
/** @typedef {{ box: Box, whole: Box, scale: Scale, decimals: number }} ScaledPane a pane as it was drawn last */

/** The least width of the price axis, CSS pixels. */
export const LEAST_AXIS = 52;

/** Size and view of a chart: both canvases are drawn by it. */
export class Frame {
  width = 0;
  height = 0;
  /** The width of the price axis. */
  axis = LEAST_AXIS;
  /** @type {Places} */
  places = { from: 0, to: 1 };
  /** That of the prices first; empty before the first drawing. @type {readonly ScaledPane[]} */
  panes = [];

  /** The width of the panes. */
  get plotWidth() {
    return Math.max(1, this.width - this.axis);
  }

  /** The box of all panes. @returns {Box} */
  get plotBox() {
    return { top: 0, height: this.height - TIME_AXIS };
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Scene} scene
   * @returns {Sheet}
   */
  sheet(context, { bars, colours }) {
    const { places } = this;
    return { context, width: this.plotWidth, places, ...barsInView(places, bars.time.length), colours };
  }

  /** The box of a label on the price axis. @param {number} y */
  axisBox(y) {
    return { x: this.plotWidth + 2, y: y - 9, width: this.axis - 4, height: 18 };
  }
}

/**
 * @param {Scene} scene
 * @param {Sheet} sheet
 * @param {Box} box
 * @returns {Scale}
 */
export function priceScale({ bars, overlays, compared, mode }, { first, last }, box) {
  /** @param {Float64Array} column */
  const view = (column) => column.subarray(first, last + 1);
  const columns = [bars.low, bars.high, ...overlays.map(({ values }) => values)];
  columns.push(...compared.map(({ values }) => values));
  const extents = columns.flatMap((column) => extentOf(view(column)) ?? []);
  const extent = extentOf(extents.flatMap(({ low, high }) => [low, high])) ?? { low: 0, high: 1 };
  return createScale(extent, box, mode, { base: Number(bars.close[first] ?? Number.NaN) });
}

/**
 * @param {Scene} scene
 * @param {DrawnPane} pane
 * @param {Sheet} sheet
 * @param {Box} box
 * @returns {Scale}
 */
export function paneScale({ bars }, { kind, lines }, { first, last }, box) {
  const columns = kind.lines.length === 0 ? [bars.volume] : lines.map(({ values }) => values);
  const hasColumns = kind.lines.length === 0 || kind.lines.some(({ style }) => style === "columns");
  const values = columns.flatMap((column) => {
    const extent = extentOf(column.subarray(first, last + 1));
    return extent === null ? [] : [extent.low, extent.high];
  });
  const extent = extentOf([...values, ...(kind.range ?? []), ...(hasColumns ? [0] : [])]) ?? { low: 0, high: 1 };
  return createScale(extent, box, "linear", { isCompact: kind.lines.length === 0 });
}
