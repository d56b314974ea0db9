// The lower canvas of a chart: panes below each other on one time axis, with their scales, and the marks.

import { boxesOf, TIME_AXIS, xOf } from "../layout.js";
import { timeTicks } from "../ticks.js";
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
import { LEAST_AXIS, paneScale, priceScale } from "./scene.js";

/**
 * @import { Box } from "../layout.js"
 * @import { Scale } from "../scale.js"
 * @import { Sheet } from "./paint.js"
 * @import { DrawnPane, Frame, Scene } from "./scene.js"
 */

/** @typedef {readonly { value: number, text: string }[]} Labels of a price axis */
/** @typedef {readonly { at: number, text: string, isMajor: boolean }[]} TimeTicks */

/** Between the labels of an axis, CSS pixels. */
const LABEL_DISTANCE = 72;
const TICK_DISTANCE = 44;
/** Bands and marks that are narrower or closer than this are left out. */
const LEAST_BAND = 4;
const MARK_DISTANCE = 14;

/**
 * Draws a scene, and leaves in `frame` the scales it was drawn with.
 * @param {CanvasRenderingContext2D} context
 * @param {Frame} frame
 * @param {Scene} scene
 */
export function drawBars(context, frame, scene) {
  const { bars, colours, panes } = scene;
  context.clearRect(0, 0, frame.width, frame.height);
  const boxes = boxesOf(frame.height, panes.length);
  const { scales, labels } = scalesOf(context, frame, scene, boxes);
  const sheet = frame.sheet(context, scene);
  const step = sheet.width / (sheet.places.to - sheet.places.from);
  const wideBands = scene.bands.filter(({ from, to }) => (to - from) * step >= LEAST_BAND);
  paintBands(sheet, wideBands, frame.plotBox);
  const ticks = timeTicks(bars.time, sheet.places.from, sheet.places.to, LABEL_DISTANCE / step);
  for (const { at } of ticks) {
    paintVertical(sheet, xOf(at, sheet.places, sheet.width), frame.plotBox, colours.grid);
  }
  frame.panes = scales.map((scale, index) => {
    const { whole, inner: box } = /** @type {{ whole: Box, inner: Box }} */ (boxes[index]);
    const own = labels[index] ?? [];
    const pane = panes[index - 1];
    context.save();
    context.beginPath();
    context.rect(0, whole.top, sheet.width, whole.height);
    context.clip();
    for (const { value } of own) paintLevel(sheet, scale.y(value), colours.grid);
    if (pane === undefined) paintPrices(scene, sheet, scale);
    else paintPane(scene, pane, sheet, scale);
    context.restore();
    paintPriceAxis(sheet, scale, own);
    if (index > 0) paintLevel({ ...sheet, width: frame.width }, whole.top, colours.line);
    return { box, whole, scale, decimals: pane === undefined ? scene.precision : scale.decimals(own) };
  });
  paintMarks(frame, scene, sheet);
  paintTimeAxis(frame, sheet, ticks);
  paintLastPrice(frame, scene, sheet);
  paintNames(frame, scene, sheet);
}

/**
 * The scales of all panes and their labels; the price axis becomes as wide as the widest of them.
 * @param {CanvasRenderingContext2D} context
 * @param {Frame} frame
 * @param {Scene} scene
 * @param {readonly { inner: Box }[]} boxes
 */
function scalesOf(context, frame, scene, boxes) {
  const read = () => {
    const sheet = frame.sheet(context, scene);
    return boxes.map(({ inner }, index) => {
      const pane = scene.panes[index - 1];
      return pane === undefined ? priceScale(scene, sheet, inner) : paneScale(scene, pane, sheet, inner);
    });
  };
  const scales = read();
  /** @type {Labels[]} */
  const labels = scales.map((scale, index) =>
    scale.ticks(Math.max(2, Math.floor(Number(boxes[index]?.inner.height) / TICK_DISTANCE))),
  );
  const last = scales[0]?.text(scene.bars.close.at(-1) ?? 0, scene.precision) ?? "";
  const texts = [...labels.flat().map(({ text }) => text), last];
  const widest = Math.max(...texts.map((text) => context.measureText(text).width));
  const axis = Math.max(LEAST_AXIS, Math.ceil(widest) + 14);
  if (axis === frame.axis) return { scales, labels };
  // With another width other bars may be in view.
  frame.axis = axis;
  return { scales: read(), labels };
}

/**
 * @param {Scene} scene
 * @param {Sheet} sheet
 * @param {Scale} scale
 */
function paintPrices({ bars, overlays, compared }, sheet, scale) {
  paintCandles(sheet, bars, scale);
  for (const line of [...overlays, ...compared]) paintLine(sheet, line, scale, bars.close);
}

/**
 * @param {Scene} scene
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
 * @param {Sheet} sheet
 * @param {Scale} scale
 * @param {Labels} labels
 */
function paintPriceAxis({ context, width, colours }, scale, labels) {
  context.fillStyle = colours.muted;
  context.textAlign = "left";
  context.textBaseline = "middle";
  for (const { value, text } of labels) context.fillText(text, width + 7, scale.y(value) + 0.5);
}

/**
 * @param {Frame} frame
 * @param {Scene} scene
 * @param {Sheet} sheet
 */
function paintMarks({ panes: [prices], height }, { marks, colours }, { context, width, places }) {
  if (prices === undefined) return;
  const y = prices.whole.top + prices.whole.height - 9;
  context.save();
  context.beginPath();
  context.rect(0, 0, width, height);
  context.clip();
  context.font = `600 10px ${context.font.slice(context.font.indexOf(" ") + 1)}`;
  let previous = Number.NEGATIVE_INFINITY;
  for (const { style, from, to } of marks) {
    if (to < places.from || from > places.to) continue;
    if (to > from) {
      context.strokeStyle = colours[style.colour];
      context.lineWidth = 2;
      context.beginPath();
      context.moveTo(xOf(from, places, width), y + 8);
      context.lineTo(xOf(to, places, width) + 1, y + 8);
      context.stroke();
    }
    // A mark of a long range stays in view with it.
    const x = xOf(Math.max(from, Math.min(to, Math.ceil(places.from))), places, width);
    if (x - previous < MARK_DISTANCE) continue;
    paintMark(context, style, Math.max(7, x), y, colours);
    previous = x;
  }
  context.restore();
}

/**
 * @param {Frame} frame
 * @param {Sheet} sheet
 * @param {TimeTicks} ticks
 */
function paintTimeAxis({ width, height }, sheet, ticks) {
  const { context, colours, places, width: plotWidth } = sheet;
  paintLevel({ ...sheet, width }, height - TIME_AXIS, colours.line);
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
 * @param {Frame} frame
 * @param {Scene} scene
 * @param {Sheet} sheet
 */
function paintLastPrice(frame, { bars, colours, precision }, sheet) {
  const [prices, close] = [frame.panes[0], bars.close.at(-1)];
  if (prices === undefined || close === undefined) return;
  const y = prices.scale.y(close);
  if (y < prices.whole.top || y > prices.whole.top + prices.whole.height) return;
  const colour = close < Number(bars.open.at(-1)) ? colours.fall : colours.rise;
  paintLevel(sheet, y, colour, [1, 3]);
  paintLabel(sheet.context, prices.scale.text(close, precision), frame.axisBox(y), colour, colours.ground);
}

/**
 * Names the lines of other symbols at their last value in view: their colours may be those of overlays.
 * @param {Frame} frame
 * @param {Scene} scene
 * @param {Sheet} sheet
 */
function paintNames({ panes: [prices] }, { compared, colours }, { context, places, width, first, last }) {
  if (prices === undefined) return;
  for (const { title, values, colour } of compared) {
    let at = last;
    while (at >= first && !Number.isFinite(values[at])) at--;
    if (at < first) continue;
    const wide = context.measureText(title).width + 8;
    const x = Math.min(xOf(at, places, width) - wide - 4, width - wide - 4);
    const y = prices.scale.y(Number(values[at])) - 20;
    paintLabel(context, title, { x: Math.max(2, x), y, width: wide, height: 16 }, colour, colours.ground);
  }
}
