// The upper canvas of a chart: the crosshair with its labels, and the values of each pane at its bar.

import { writeTime } from "../../profiles/readout.js";
import { TIME_AXIS, xOf } from "../layout.js";
import { paintLabel, paintLevel, paintVertical } from "./paint.js";

/**
 * @import { Sheet } from "./paint.js"
 * @import { Cursor, Frame, Scene } from "./scene.js"
 */

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Frame} frame
 * @param {Scene} scene
 * @param {Cursor | null} cursor
 */
export function drawCursor(context, frame, scene, cursor) {
  const { bars, colours } = scene;
  context.clearRect(0, 0, frame.width, frame.height);
  const sheet = frame.sheet(context, scene);
  const at = cursor?.at ?? bars.time.length - 1;
  paintLegends(sheet, frame, scene, at);
  const time = bars.time[at];
  if (cursor === null || time === undefined) return;
  const x = xOf(at, sheet.places, sheet.width);
  if (x < 0 || x > sheet.width) return;
  paintVertical(sheet, x, frame.plotBox, colours.crosshair, [4, 4]);
  paintTime(sheet, frame, writeTime(time, scene.isDated), x);
  const y = cursor.y ?? frame.panes[0]?.scale.y(Number(bars.close[at])) ?? Number.NaN;
  const hovered = frame.panes.find(({ whole }) => y >= whole.top && y < whole.top + whole.height);
  if (hovered === undefined) return;
  paintLevel(sheet, y, colours.crosshair, [4, 4]);
  const label = hovered.scale.text(hovered.scale.valueAt(y), hovered.decimals);
  paintLabel(context, label, frame.axisBox(y), colours.label, colours.onLabel);
}

/**
 * @param {Sheet} sheet
 * @param {Frame} frame
 * @param {string} text
 * @param {number} x
 */
function paintTime({ context, width, colours }, { height }, text, x) {
  const half = context.measureText(text).width / 2 + 8;
  const left = Math.min(Math.max(0, x - half), width - 2 * half);
  const box = { x: left, y: height - TIME_AXIS + 3, width: 2 * half, height: 18 };
  paintLabel(context, text, box, colours.label, colours.onLabel);
}

/**
 * Title and values of each pane but that of the prices.
 * @param {Sheet} sheet
 * @param {Frame} frame
 * @param {Scene} scene
 * @param {number} at
 */
function paintLegends({ context, colours }, frame, { bars, panes }, at) {
  context.textAlign = "left";
  context.textBaseline = "middle";
  panes.forEach(({ kind, lines }, index) => {
    const own = frame.panes[index + 1];
    if (own === undefined) return;
    let x = 10;
    const y = own.whole.top + 11;
    /** @param {string} text @param {string} colour */
    const write = (text, colour) => {
      context.fillStyle = colour;
      context.fillText(text, x, y);
      x += context.measureText(text).width + 8;
    };
    write(kind.title, colours.muted);
    if (kind.lines.length === 0) write(own.scale.text(Number(bars.volume[at]), 0).replace("NaN", "–"), colours.text);
    lines.forEach(({ values }, line) => {
      const value = Number(values[at] ?? Number.NaN);
      const colour = String(colours.series[kind.lines[line]?.colour ?? 0]);
      write(Number.isFinite(value) ? own.scale.text(value, own.decimals) : "–", colour);
    });
  });
}
