// Draws the parts of a chart on a canvas.

import { xOf } from "../layout.js";

/**
 * @import { Bars } from "../bars.js"
 * @import { Colours } from "../colours.js"
 * @import { Box, Places } from "../layout.js"
 * @import { Scale } from "../scale.js"
 */

/**
 * A line of values, one for each bar. `sides`: coloured by whether it lies below or above the closes.
 * @typedef {object} Line
 * @property {string} name
 * @property {string} title
 * @property {Float64Array} values
 * @property {string} colour
 * @property {"line" | "dots" | "sides" | "columns"} style
 * @property {HTMLElement} [swatch]
 * @property {number} [weight] width, CSS pixels
 */

/**
 * What every part needs: where to draw, and what is in view.
 * @typedef {object} Sheet
 * @property {CanvasRenderingContext2D} context
 * @property {number} width of the panes, without the price axis
 * @property {Places} places
 * @property {number} first bar in view
 * @property {number} last
 * @property {Colours} colours
 */

/**
 * A position at which a line one pixel wide is sharp.
 * @param {number} position
 */
const sharp = (position) => Math.round(position) + 0.5;

/**
 * Candles, as lines from high to low where bars are narrower than two pixels.
 * @param {Sheet} sheet
 * @param {Bars} bars
 * @param {Scale} scale
 */
export function paintCandles({ context, width, places, first, last, colours }, { open, high, low, close }, scale) {
  const step = width / (places.to - places.from);
  const body = Math.max(1, Math.min(15, Math.floor(step * 0.72)));
  for (const isRise of [true, false]) {
    context.fillStyle = isRise ? colours.rise : colours.fall;
    context.beginPath();
    for (let at = first; at <= last; at++) {
      if (Number(close[at]) >= Number(open[at]) !== isRise) continue;
      const x = Math.round(xOf(at, places, width));
      const top = scale.y(Number(high[at]));
      context.rect(x, top, 1, Math.max(1, scale.y(Number(low[at])) - top));
      if (step < 2) continue;
      const [begin, end] = [scale.y(Number(open[at])), scale.y(Number(close[at]))];
      const upper = Math.min(begin, end);
      context.rect(x - Math.floor((body - 1) / 2), upper, body, Math.max(1, Math.abs(end - begin)));
    }
    context.fill();
  }
}

/**
 * Columns from 0.
 * @param {Sheet} sheet
 * @param {Float64Array} values
 * @param {Scale} scale
 * @param {(at: number) => string} colourAt
 */
export function paintColumns({ context, width, places, first, last }, values, scale, colourAt) {
  const step = width / (places.to - places.from);
  const body = Math.max(1, Math.min(15, Math.floor(step * 0.72)));
  const zero = scale.y(0);
  for (let at = first; at <= last; at++) {
    const value = Number(values[at]);
    if (!Number.isFinite(value)) continue;
    const y = scale.y(value);
    const x = Math.round(xOf(at, places, width)) - Math.floor((body - 1) / 2);
    context.fillStyle = colourAt(at);
    context.fillRect(x, Math.min(y, zero), body, Math.max(1, Math.abs(zero - y)));
  }
}

/**
 * @param {Sheet} sheet
 * @param {Line} line
 * @param {Scale} scale
 * @param {Float64Array} closes
 */
export function paintLine(sheet, line, scale, closes) {
  const { context, width, places, first, last, colours } = sheet;
  const { values, colour, style, weight = 1.5 } = line;
  if (style === "columns") {
    paintColumns(sheet, values, scale, () => colour);
    return;
  }
  if (style === "dots") {
    context.fillStyle = colour;
    for (let at = first; at <= last; at++) {
      if (!Number.isFinite(values[at])) continue;
      context.beginPath();
      context.arc(xOf(at, places, width), scale.y(Number(values[at])), 1.5, 0, 2 * Math.PI);
      context.fill();
    }
    return;
  }
  context.lineWidth = weight;
  context.lineJoin = "round";
  /** @param {number} at */
  const sideOf = (at) => (Number(values[at]) < Number(closes[at]) ? colours.rise : colours.fall);
  let isDown = false;
  context.strokeStyle = colour;
  context.beginPath();
  // One bar beyond each edge, so that the line is not cut.
  for (let at = Math.max(0, first - 1); at <= Math.min(values.length - 1, last + 1); at++) {
    const value = Number(values[at]);
    if (!Number.isFinite(value)) {
      isDown = false;
      continue;
    }
    const [x, y] = [xOf(at, places, width), scale.y(value)];
    // A change of sides is a jump: the segment across it is left out.
    if (style === "sides" && (!isDown || sideOf(at) !== sideOf(at - 1))) {
      context.stroke();
      context.beginPath();
      context.strokeStyle = sideOf(at);
      isDown = false;
    }
    if (isDown) context.lineTo(x, y);
    else context.moveTo(x, y);
    // A value between gaps is a dot.
    if (!isDown && !Number.isFinite(values[at + 1])) context.lineTo(x + 1, y);
    isDown = true;
  }
  context.stroke();
}

/** @typedef {{ from: number, to: number, isClosed: boolean }} Band places; of a time without a session, or every other one */

/**
 * @param {Sheet} sheet
 * @param {readonly Band[]} bands
 * @param {Box} box
 */
export function paintBands({ context, width, places, colours }, bands, { top, height }) {
  for (const { from, to, isClosed } of bands) {
    const [left, right] = [Math.max(0, xOf(from, places, width)), Math.min(width, xOf(to, places, width))];
    if (right <= left) continue;
    context.fillStyle = isClosed ? colours.closed : colours.band;
    context.fillRect(left, top, right - left, height);
  }
}

/**
 * A horizontal line through a pane.
 * @param {Sheet} sheet
 * @param {number} y
 * @param {string} colour
 * @param {readonly number[]} [dash]
 */
export function paintLevel({ context, width }, y, colour, dash = []) {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.setLineDash([...dash]);
  context.beginPath();
  context.moveTo(0, sharp(y));
  context.lineTo(width, sharp(y));
  context.stroke();
  context.setLineDash([]);
}

/**
 * @param {Sheet} sheet
 * @param {number} x
 * @param {Box} box
 * @param {string} colour
 * @param {readonly number[]} [dash]
 */
export function paintVertical({ context }, x, { top, height }, colour, dash = []) {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.setLineDash([...dash]);
  context.beginPath();
  context.moveTo(sharp(x), top);
  context.lineTo(sharp(x), top + height);
  context.stroke();
  context.setLineDash([]);
}

/**
 * A label on an axis, with a ground of its own.
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {{ x: number, y: number, width: number, height: number }} box
 * @param {string} ground
 * @param {string} colour
 */
export function paintLabel(context, text, { x, y, width, height }, ground, colour) {
  context.fillStyle = ground;
  context.beginPath();
  context.roundRect(x, y, width, height, 3);
  context.fill();
  context.fillStyle = colour;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, x + width / 2, y + height / 2 + 0.5);
}

/** @typedef {{ kind: string, letter: string, colour: "accent" | "good" | "warn" | "bad" }} MarkStyle */

/**
 * A letter in a rounded box: marks differ by their letters as well as by their colours.
 * @param {CanvasRenderingContext2D} context
 * @param {MarkStyle} mark
 * @param {number} x middle
 * @param {number} y middle
 * @param {Colours} colours
 */
export function paintMark(context, { letter, colour }, x, y, colours) {
  context.strokeStyle = colours[colour];
  context.fillStyle = colours.raised;
  context.lineWidth = 1;
  context.beginPath();
  context.roundRect(Math.round(x) - 6.5, Math.round(y) - 6.5, 13, 13, 3);
  context.fill();
  context.stroke();
  context.fillStyle = colours[colour];
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(letter, Math.round(x), Math.round(y) + 0.5);
}
