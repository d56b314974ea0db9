// The values under the crosshair of a profile's chart as text; without a crosshair those of the last bar.

/**
 * @import { Bar } from "./chart-data.js"
 */

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
 * @param {Bar} bar
 * @param {boolean} isDated whether bars are named by their dates
 * @param {(value: number | undefined) => string} price
 * @returns {Value[]}
 */
export function valuesOf(bar, isDated, price) {
  const iso = new Date(bar.time * 1000).toISOString();
  const began = isDated ? iso.slice(0, 10) : `${iso.slice(0, 16).replace("T", " ")} UTC`;
  const traded = bar.volume?.toLocaleString("en-US", { maximumFractionDigits: 2 });
  return [
    { title: "", text: began },
    { title: "O", text: price(bar.open) },
    { title: "H", text: price(bar.high) },
    { title: "L", text: price(bar.low) },
    { title: "C", text: price(bar.close) },
    { title: "V", text: traded ?? "unknown" },
  ];
}

/**
 * @param {HTMLElement} readout
 * @param {readonly Value[]} values
 */
export const showValues = (readout, values) => readout.replaceChildren(...values.map(entry));
