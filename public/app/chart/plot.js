// The drawing of a chart: panes below each other on one time axis, and above them a crosshair on a canvas of its own, so
// that a moved pointer draws no bars. It is drawn with the next frame after a change.

import { barsInView, boxesOf, placeOf, TIME_AXIS, xOf } from "./layout.js";
import {
  paintBands,
  paintCandles,
  paintColumns,
  paintLabel,
  paintLevel,
  paintLine,
  paintMark,
  paintVertical,
} from "./paint.js";
import { createScale, extentOf } from "./scale.js";
import { timeTicks } from "./ticks.js";

/**
 * @import { Bars } from "./bars.js"
 * @import { Colours } from "./colours.js"
 * @import { Box, Places } from "./layout.js"
 * @import { PlacedMark } from "./marks.js"
 * @import { Band, Line, Sheet } from "./paint.js"
 * @import { PaneKind } from "./panes.js"
 * @import { Mode, Scale } from "./scale.js"
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

const FONT_SIZE = 11;
/** Between the labels of an axis, CSS pixels. */
const LABEL_DISTANCE = 72;
const TICK_DISTANCE = 44;
const LEAST_AXIS = 52;
/** Bands and marks that are narrower or closer than this are left out. */
const LEAST_BAND = 4;
const MARK_DISTANCE = 14;

/**
 * @param {HTMLElement} holder
 * @param {() => Scene} scene
 */
export function createPlot(holder, scene) {
  const [base, above] = [document.createElement("canvas"), document.createElement("canvas")];
  holder.replaceChildren(base, above);
  const context = /** @type {CanvasRenderingContext2D} */ (base.getContext("2d"));
  const top = /** @type {CanvasRenderingContext2D} */ (above.getContext("2d"));
  const font = `${FONT_SIZE}px ${getComputedStyle(document.body).fontFamily}`;
  /** @type {Places} */
  let places = { from: 0, to: 1 };
  /** @type {Cursor | null} */
  let cursor = null;
  let [width, height, axis] = [0, 0, LEAST_AXIS];
  let frame = 0;
  let isStale = false;
  /** The scales of the panes in the last drawing. @type {{ box: Box, whole: Box, scale: Scale, decimals: number }[]} */
  let drawn = [];

  /** @param {boolean} all whether more than the crosshair has changed */
  const draw = (all) => {
    isStale ||= all;
    if (frame !== 0) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      if (width === 0) return;
      if (isStale) drawBase();
      isStale = false;
      drawCursor();
    });
  };

  const resize = () => {
    const ratio = window.devicePixelRatio || 1;
    [width, height] = [holder.clientWidth, holder.clientHeight];
    for (const canvas of [base, above]) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.getContext("2d")?.setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    draw(true);
  };

  const inner = () => Math.max(1, width - axis);

  /** @param {Scene} shown @param {Colours} colours @returns {Sheet} */
  function sheetOf({ bars }, colours) {
    return { context, width: inner(), places, ...barsInView(places, bars.time.length), colours };
  }

  /**
   * @param {Scene} shown
   * @param {Sheet} sheet
   * @param {Box} box
   */
  function priceScale({ bars, overlays, compared, mode }, { first, last }, box) {
    /** @param {Float64Array} column */
    const view = (column) => column.subarray(first, last + 1);
    const columns = [bars.low, bars.high, ...overlays.map(({ values }) => values)];
    columns.push(...compared.map(({ values }) => values));
    const extents = columns.flatMap((column) => extentOf(view(column)) ?? []);
    const extent = extentOf(extents.flatMap(({ low, high }) => [low, high])) ?? { low: 0, high: 1 };
    return createScale(extent, box, mode, { base: Number(bars.close[first] ?? Number.NaN) });
  }

  /**
   * @param {Scene} shown
   * @param {DrawnPane} pane
   * @param {Sheet} sheet
   * @param {Box} box
   */
  function paneScale({ bars }, { kind, lines }, { first, last }, box) {
    const columns = kind.lines.length === 0 ? [bars.volume] : lines.map(({ values }) => values);
    const hasColumns = kind.lines.length === 0 || kind.lines.some(({ style }) => style === "columns");
    const values = columns.flatMap((column) => {
      const extent = extentOf(column.subarray(first, last + 1));
      return extent === null ? [] : [extent.low, extent.high];
    });
    const extent = extentOf([...values, ...(kind.range ?? []), ...(hasColumns ? [0] : [])]) ?? { low: 0, high: 1 };
    return createScale(extent, box, "linear", { isCompact: kind.lines.length === 0 });
  }

  function drawBase() {
    const shown = scene();
    const { bars, colours, panes } = shown;
    context.clearRect(0, 0, width, height);
    context.font = font;
    const boxes = boxesOf(height, panes.length);
    let sheet = sheetOf(shown, colours);
    const scales = () =>
      boxes.map(({ inner: box }, index) => {
        const pane = panes[index - 1];
        return pane === undefined ? priceScale(shown, sheet, box) : paneScale(shown, pane, sheet, box);
      });
    let own = scales();
    const labels = own.map((scale, index) =>
      scale.ticks(Math.max(2, Math.floor(Number(boxes[index]?.inner.height) / TICK_DISTANCE))),
    );
    const last = own[0]?.text(bars.close.at(-1) ?? 0, shown.precision) ?? "";
    const texts = [...labels.flat().map(({ text }) => text), last];
    const widest = Math.max(...texts.map((text) => context.measureText(text).width));
    const wanted = Math.max(LEAST_AXIS, Math.ceil(widest) + 14);
    if (wanted !== axis) {
      axis = wanted;
      sheet = sheetOf(shown, colours);
      own = scales();
    }
    const plotWidth = inner();
    const step = plotWidth / (places.to - places.from);
    const box = { top: 0, height: height - TIME_AXIS };
    paintBands(
      sheet,
      shown.bands.filter(({ from, to }) => (to - from) * step >= LEAST_BAND),
      box,
    );
    const ticks = timeTicks(bars.time, places.from, places.to, LABEL_DISTANCE / step);
    for (const { at } of ticks) paintVertical(sheet, xOf(at, places, plotWidth), box, colours.grid);
    drawn = own.map((scale, index) => {
      const { whole, inner: innerBox } = /** @type {{ whole: Box, inner: Box }} */ (boxes[index]);
      context.save();
      context.beginPath();
      context.rect(0, whole.top, plotWidth, whole.height);
      context.clip();
      for (const { value } of labels[index] ?? []) paintLevel(sheet, scale.y(value), colours.grid);
      const pane = panes[index - 1];
      if (pane === undefined) paintPrices(shown, sheet, scale);
      else paintPane(shown, pane, sheet, scale);
      context.restore();
      context.fillStyle = colours.muted;
      context.textAlign = "left";
      context.textBaseline = "middle";
      for (const { value, text } of labels[index] ?? []) context.fillText(text, plotWidth + 7, scale.y(value) + 0.5);
      if (index > 0) paintLevel({ ...sheet, width }, whole.top, colours.line);
      const decimals = pane === undefined ? shown.precision : scale.decimals(labels[index] ?? []);
      return { box: innerBox, whole, scale, decimals };
    });
    paintMarks(shown, sheet);
    paintTimeAxis(ticks, colours, plotWidth);
    paintLastPrice(shown, sheet);
    paintNames(shown, sheet);
  }

  /**
   * @param {Scene} shown
   * @param {Sheet} sheet
   * @param {Scale} scale
   */
  function paintPrices({ bars, overlays, compared }, sheet, scale) {
    paintCandles(sheet, bars, scale);
    for (const line of [...overlays, ...compared]) paintLine(sheet, line, scale, bars.close);
  }

  /**
   * @param {Scene} shown
   * @param {DrawnPane} pane
   * @param {Sheet} sheet
   * @param {Scale} scale
   */
  function paintPane({ bars, colours }, { kind, lines }, sheet, scale) {
    for (const value of kind.guides) paintLevel(sheet, scale.y(value), colours.crosshair, [3, 4]);
    if (kind.lines.length === 0) {
      paintColumns(sheet, bars.volume, scale, (at) =>
        Number(bars.close[at]) < Number(bars.open[at]) ? colours.fallVolume : colours.riseVolume,
      );
    }
    for (const line of lines) paintLine(sheet, line, scale, bars.close);
  }

  /**
   * @param {Scene} shown
   * @param {Sheet} sheet
   */
  function paintMarks({ marks, colours }, sheet) {
    const prices = drawn[0];
    if (prices === undefined) return;
    const y = prices.whole.top + prices.whole.height - 9;
    context.save();
    context.beginPath();
    context.rect(0, 0, sheet.width, height);
    context.clip();
    context.font = `600 10px ${font.slice(font.indexOf(" ") + 1)}`;
    let previous = Number.NEGATIVE_INFINITY;
    for (const { style, from, to } of marks) {
      if (to < places.from || from > places.to) continue;
      if (to > from) {
        context.strokeStyle = colours[style.colour];
        context.lineWidth = 2;
        context.beginPath();
        context.moveTo(xOf(from, places, sheet.width), y + 8);
        context.lineTo(xOf(to, places, sheet.width) + 1, y + 8);
        context.stroke();
      }
      // A mark of a long range stays in view with it.
      const x = xOf(Math.max(from, Math.min(to, Math.ceil(places.from))), places, sheet.width);
      if (x - previous < MARK_DISTANCE) continue;
      paintMark(context, style, Math.max(7, x), y, colours);
      previous = x;
    }
    context.restore();
    context.font = font;
  }

  /**
   * @param {readonly { at: number, text: string, isMajor: boolean }[]} ticks
   * @param {Colours} colours
   * @param {number} plotWidth
   */
  function paintTimeAxis(ticks, colours, plotWidth) {
    paintLevel({ ...sheetOf(scene(), colours), width }, height - TIME_AXIS, colours.line);
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const { at, text, isMajor } of ticks) {
      const x = xOf(at, places, plotWidth);
      const half = context.measureText(text).width / 2;
      if (x - half < 2 || x + half > plotWidth - 2) continue;
      context.fillStyle = isMajor ? colours.text : colours.muted;
      context.fillText(text, x, height - TIME_AXIS / 2);
    }
  }

  /**
   * @param {Scene} shown
   * @param {Sheet} sheet
   */
  function paintLastPrice({ bars, colours, precision }, sheet) {
    const [prices, close] = [drawn[0], bars.close.at(-1)];
    if (prices === undefined || close === undefined) return;
    const y = prices.scale.y(close);
    if (y < prices.whole.top || y > prices.whole.top + prices.whole.height) return;
    const colour = close < Number(bars.open.at(-1)) ? colours.fall : colours.rise;
    paintLevel(sheet, y, colour, [1, 3]);
    paintLabel(context, prices.scale.text(close, precision), { ...axisBox(y) }, colour, colours.ground);
  }

  /**
   * Names the lines of other symbols at their last value in view: their colours may be those of overlays.
   * @param {Scene} shown
   * @param {Sheet} sheet
   */
  function paintNames({ compared, colours }, sheet) {
    const prices = drawn[0];
    if (prices === undefined) return;
    for (const { title, values, colour } of compared) {
      let at = sheet.last;
      while (at >= sheet.first && !Number.isFinite(values[at])) at--;
      if (at < sheet.first) continue;
      const wide = context.measureText(title).width + 8;
      const x = Math.min(xOf(at, places, sheet.width) - wide - 4, sheet.width - wide - 4);
      const y = prices.scale.y(Number(values[at])) - 20;
      paintLabel(context, title, { x: Math.max(2, x), y, width: wide, height: 16 }, colour, colours.ground);
    }
  }

  /** @param {number} y */
  const axisBox = (y) => ({ x: inner() + 2, y: y - 9, width: axis - 4, height: 18 });

  function drawCursor() {
    const { bars, colours, panes, isDated } = scene();
    top.clearRect(0, 0, width, height);
    top.font = font;
    const sheet = { ...sheetOf(scene(), colours), context: top };
    const at = cursor?.at ?? bars.time.length - 1;
    paintLegends(panes, at, colours);
    const time = bars.time[at];
    if (cursor === null || time === undefined) return;
    const x = xOf(at, places, sheet.width);
    if (x < 0 || x > sheet.width) return;
    paintVertical(sheet, x, { top: 0, height: height - TIME_AXIS }, colours.crosshair, [4, 4]);
    const iso = new Date(time * 1_000).toISOString();
    const text = isDated ? iso.slice(0, 10) : `${iso.slice(0, 16).replace("T", " ")} UTC`;
    const half = top.measureText(text).width / 2 + 8;
    const left = Math.min(Math.max(0, x - half), sheet.width - 2 * half);
    const place = { x: left, y: height - TIME_AXIS + 3, width: 2 * half, height: 18 };
    paintLabel(top, text, place, colours.label, colours.onLabel);
    const y = cursor.y ?? drawn[0]?.scale.y(Number(bars.close[at])) ?? Number.NaN;
    const hovered = drawn.find(({ whole }) => y >= whole.top && y < whole.top + whole.height);
    if (hovered === undefined) return;
    paintLevel(sheet, y, colours.crosshair, [4, 4]);
    const label = hovered.scale.text(hovered.scale.valueAt(y), hovered.decimals);
    paintLabel(top, label, axisBox(y), colours.label, colours.onLabel);
  }

  /**
   * Title and values of each pane but that of the prices.
   * @param {readonly DrawnPane[]} panes
   * @param {number} at
   * @param {Colours} colours
   */
  function paintLegends(panes, at, colours) {
    top.textAlign = "left";
    top.textBaseline = "middle";
    panes.forEach(({ kind, lines }, index) => {
      const own = drawn[index + 1];
      if (own === undefined) return;
      let x = 10;
      const y = own.whole.top + 11;
      /** @param {string} text @param {string} colour */
      const write = (text, colour) => {
        top.fillStyle = colour;
        top.fillText(text, x, y);
        x += top.measureText(text).width + 8;
      };
      write(kind.title, colours.muted);
      if (kind.lines.length === 0)
        write(own.scale.text(Number(scene().bars.volume[at]), 0).replace("NaN", "–"), colours.text);
      lines.forEach(({ values }, line) => {
        const value = Number(values[at] ?? Number.NaN);
        const colour = String(colours.series[kind.lines[line]?.colour ?? 0]);
        write(Number.isFinite(value) ? own.scale.text(value, own.decimals) : "–", colour);
      });
    });
  }

  new ResizeObserver(resize).observe(holder);
  resize();
  return {
    redraw: () => draw(true),
    places: () => places,
    /** @param {Places} next */
    show(next) {
      places = next;
      draw(true);
    },
    cursor: () => cursor,
    /** @param {Cursor | null} next */
    point(next) {
      cursor = next;
      draw(false);
    },
    width: inner,
    height: () => height,
    /**
     * The place below a position.
     * @param {number} x
     */
    placeAt: (x) => placeOf(x, places, inner()),
  };
}

/** @typedef {ReturnType<typeof createPlot>} Plot */
