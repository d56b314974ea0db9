// The overlays of a profile's chart: the check boxes above it, and their value in the page's address.

import { findAll } from "../ui/dom.js";

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
 * Writes the choice into the page's address, the links to the other intervals, and the form of the theme.
 * @param {HTMLFormElement} form
 */
export function writeOverlays(form) {
  /** @param {string} address */
  const withOverlays = (address) => {
    const url = new URL(address, location.href);
    url.searchParams.delete("overlay");
    for (const { value } of chosenBoxes(form)) url.searchParams.append("overlay", value);
    return url.pathname + url.search;
  };
  const here = withOverlays(location.href);
  history.replaceState(history.state, "", here + location.hash);
  /** @type {NodeListOf<HTMLAnchorElement>} */
  const links = findAll(".page-head .tabs a");
  for (const link of links) link.href = withOverlays(link.href);
  /** @type {NodeListOf<HTMLInputElement>} */
  const fields = findAll('.themes [name="back"]');
  for (const back of fields) back.value = here;
}
