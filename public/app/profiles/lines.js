// The lines over the bars of a profile's chart, each the feature of its name.

import { colourOf } from "./chart-colours.js";
import { pointsOf } from "./chart-data.js";

/**
 * @import { IChartApi, ISeriesApi, LineWidth } from "lightweight-charts"
 * @import { Bar, Point, Row } from "./chart-data.js"
 * @import { Line } from "./overlays.js"
 */

/** @typedef {typeof import("lightweight-charts")} Library */
/** @typedef {Line & { series: ISeriesApi<"Line">, points: Point[] }} DrawnLine */
/** @typedef {{ rise: string, fall: string }} Colours */

/** @type {number} The library draws any width, but its type allows only whole numbers. */
const LINE_WIDTH = 1.5;

/**
 * Colours a line by whether it lies below or above the price. A point's colour is that of the segment that begins at
 * it, so the segment before a change of sides is left out.
 * @param {readonly Point[]} points
 * @param {readonly Bar[]} bars
 * @param {Colours} colours
 * @returns {Point[]}
 */
function sided(points, bars, { rise, fall }) {
  const closes = new Map(bars.map(({ time, close }) => [time, close]));
  const sides = points.map((point) => ("value" in point && point.value < Number(closes.get(point.time)) ? rise : fall));
  return points.map((point, index) => {
    if (!("value" in point)) return point;
    const jumps = sides[index + 1] !== undefined && sides[index + 1] !== sides[index];
    return { ...point, color: jumps ? "transparent" : sides[index] };
  });
}

/**
 * @param {Library} library
 * @param {IChartApi} chart
 */
export function createLines(library, chart) {
  /** @type {Map<string, DrawnLine>} */
  const drawn = new Map();

  /**
   * @param {Line} line
   * @returns {DrawnLine}
   */
  function add(line) {
    const dots = line.style === "dots";
    const series = chart.addSeries(library.LineSeries, {
      color: colourOf(line.swatch),
      lineWidth: /** @type {LineWidth} */ (LINE_WIDTH),
      lineVisible: !dots,
      pointMarkersVisible: dots,
      pointMarkersRadius: 1.5,
      priceLineVisible: false,
      lastValueVisible: false,
      crosshairMarkerVisible: false,
    });
    const added = { ...line, series, points: [] };
    drawn.set(line.name, added);
    return added;
  }

  return {
    /** @param {string} name */
    has: (name) => drawn.has(name),
    /** @param {string} name */
    get: (name) => drawn.get(name),
    /**
     * Removes the lines that are not in `wanted`.
     * @param {readonly Line[]} wanted
     */
    keep(wanted) {
      for (const [name, { series }] of drawn) {
        if (wanted.some((line) => line.name === name)) continue;
        chart.removeSeries(series);
        drawn.delete(name);
      }
    },
    /**
     * Draws lines from rows that hold their features.
     * @param {readonly Line[]} lines
     * @param {readonly Row[]} rows
     */
    set(lines, rows) {
      for (const line of lines) {
        const target = drawn.get(line.name) ?? add(line);
        target.points = pointsOf(rows, line.name);
      }
    },
    /**
     * Shows the points in the present colours.
     * @param {readonly Bar[]} bars
     * @param {Colours} colours
     */
    show(bars, colours) {
      for (const { series, points, style, swatch } of drawn.values()) {
        series.applyOptions({ color: colourOf(swatch) });
        series.setData(style === "sides" ? sided(points, bars, colours) : points);
      }
    },
  };
}
