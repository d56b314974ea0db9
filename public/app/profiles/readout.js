// The values at the crosshair of a profile's chart as text; without a crosshair those of the last bar.

/** @import { Bar } from "../chart/bars.js" */

/**
 * @typedef {object} Value
 * @property {string} title
 * @property {string} text
 * @property {readonly HTMLElement[]} [swatches]
 */

/** @param {Value} value */
function entry({ title, text, swatches = [] }) {
  const span = document.createElement("span");
  const name = document.createElement("em");
  name.textContent = title;
  span.append(...swatches.map((swatch) => swatch.cloneNode()), name, ` ${text}`);
  return span;
}

/**
 * @param {number} time epoch seconds
 * @param {boolean} isDated whether bars are named by their dates
 */
export function writeTime(time, isDated) {
  const iso = new Date(time * 1_000).toISOString();
  return isDated ? iso.slice(0, 10) : `${iso.slice(0, 16).replace("T", " ")} UTC`;
}

/** @param {number} volume NaN if it is unknown */
const writeVolume = (volume) =>
  Number.isNaN(volume) ? "unknown" : volume.toLocaleString("en-US", { maximumFractionDigits: 2 });

/**
 * @param {Bar} bar
 * @param {boolean} isDated whether bars are named by their dates
 * @param {(value: number) => string} price
 * @returns {Value[]}
 */
export const valuesOf = (bar, isDated, price) => [
  { title: "", text: writeTime(bar.time, isDated) },
  { title: "O", text: price(bar.open) },
  { title: "H", text: price(bar.high) },
  { title: "L", text: price(bar.low) },
  { title: "C", text: price(bar.close) },
  { title: "V", text: writeVolume(bar.volume) },
];

/**
 * @param {HTMLElement} readout
 * @param {readonly Value[]} values
 */
export const showValues = (readout, values) => readout.replaceChildren(...values.map(entry));
