// The overlays of the chart of a profile: the check boxes above it, and their place in the page's address.

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
 * The choice is part of the page's address, and goes along to the other intervals and through a change of theme.
 * @param {HTMLFormElement} form
 */
export function rememberOverlays(form) {
  /** @param {string} address */
  const keep = (address) => {
    const url = new URL(address, location.href);
    url.searchParams.delete("overlay");
    for (const { value } of chosenBoxes(form)) url.searchParams.append("overlay", value);
    return url.pathname + url.search;
  };
  const here = keep(location.href);
  history.replaceState(history.state, "", here + location.hash);
  /** @type {NodeListOf<HTMLAnchorElement>} */
  const links = findAll(".page-head .tabs a");
  for (const link of links) link.href = keep(link.href);
  /** @type {NodeListOf<HTMLInputElement>} */
  const fields = findAll('.themes [name="back"]');
  for (const back of fields) back.value = here;
}
