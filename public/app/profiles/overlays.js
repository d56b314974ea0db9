// The overlays of a profile's chart: the check boxes above it, and their value in the page's address.

import { findAll } from "../ui/dom.js";
import { writeQuery } from "./address.js";

/**
 * A line of an overlay: the feature it shows, the swatch with its colour, and how it is drawn.
 * @typedef {{ name: string, swatch: HTMLElement, style: string | undefined, title: string }} Line
 */

/**
 * @param {HTMLFormElement} form
 * @returns {NodeListOf<HTMLInputElement>}
 */
const chosenBoxes = (form) => findAll("[name=overlay]:checked", form);

/**
 * The lines of the chosen overlays, in the order of the check boxes.
 * @param {HTMLFormElement} form
 * @returns {Line[]}
 */
export const chosenLines = (form) =>
  [...chosenBoxes(form)].flatMap((box) => {
    const label = /** @type {HTMLElement} */ (box.parentElement);
    const { style } = box.dataset;
    const title = label.textContent.trim();
    const swatches = [...findAll("[data-line]", label)];
    return swatches.map((swatch) => ({ name: swatch.dataset.line ?? "", swatch, style, title }));
  });

/**
 * Writes the choice into the page's address.
 * @param {HTMLFormElement} form
 */
export function writeOverlays(form) {
  writeQuery((query) => {
    query.delete("overlay");
    for (const { value } of chosenBoxes(form)) query.append("overlay", value);
  });
}
