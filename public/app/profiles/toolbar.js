// The buttons above a profile's chart: range, date and scale.

import { find, findAll } from "../ui/dom.js";
import { writeQuery } from "./address.js";
import { viewAround, viewOfRange, writeView } from "./ranges.js";

/** @import { Extent, Range } from "./zoom.js" */

/** How long a view rests before it is written into the address: browsers limit how often that is changed. */
const REST = 300;

/**
 * @typedef {object} Target
 * @property {Extent} extent
 * @property {() => Range} view what is in view
 * @property {(view: Range, keepsLevel: boolean) => void} show
 * @property {(scale: string) => void} setScale `log`, `percent`, or empty for a linear scale
 */

/**
 * @param {HTMLElement} toolbar
 * @param {Target} target
 * @returns {() => void} to call when the reader has moved the chart
 */
export function setUpToolbar(toolbar, { extent, view, show, setScale }) {
  /** @type {NodeListOf<HTMLButtonElement>} */
  const ranges = findAll("[data-range]", toolbar);
  /** @type {NodeListOf<HTMLButtonElement>} */
  const scales = findAll("[data-scale]", toolbar);
  const date = /** @type {HTMLInputElement} */ (find("input[data-date]", toolbar));
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let resting;

  /** @param {string | null} name */
  const pressRange = (name) => {
    for (const button of ranges) button.setAttribute("aria-pressed", String(button.dataset.range === name));
  };
  /** @param {string | null} name */
  const pressScale = (name) => {
    for (const button of scales) button.setAttribute("aria-pressed", String(button.dataset.scale === name));
    setScale(name ?? "");
  };
  const moved = () => {
    pressRange(null);
    clearTimeout(resting);
    resting = setTimeout(() => writeQuery((query) => writeView(query, view())), REST);
  };

  for (const button of ranges) {
    button.addEventListener("click", () => {
      const name = button.dataset.range ?? "";
      const range = viewOfRange(name, extent);
      if (range === null) return;
      clearTimeout(resting);
      pressRange(name);
      writeQuery((query) => {
        query.delete("from");
        query.delete("to");
        query.set("range", name);
      });
      show(range, false);
    });
  }
  for (const button of scales) {
    button.addEventListener("click", () => {
      const name = button.getAttribute("aria-pressed") === "true" ? null : (button.dataset.scale ?? null);
      pressScale(name);
      writeQuery((query) => (name === null ? query.delete("scale") : query.set("scale", name)));
    });
  }
  date.addEventListener("change", () => {
    const at = /^\d{4}-\d\d-\d\d$/.test(date.value.trim()) ? Date.parse(date.value.trim()) : Number.NaN;
    date.setAttribute("aria-invalid", String(date.value !== "" && Number.isNaN(at)));
    if (Number.isNaN(at)) return;
    show(viewAround(at / 1_000, view(), extent), true);
    moved();
  });

  const query = new URLSearchParams(location.search);
  pressRange(query.get("range"));
  pressScale(query.get("scale"));
  return moved;
}
