// A list of entries, each with a button that removes it.

import { find, findAll } from "../ui/dom.js";

/**
 * @typedef {object} Chip
 * @property {string} name
 * @property {() => void} remove
 * @property {string} [swatch] the class of its colour
 * @property {string} [note]
 * @property {boolean} [isRefused]
 */

/**
 * Shows entries. Of the same entries only the notes are written, so that a focused button stays.
 * @param {HTMLElement} list
 * @param {readonly Chip[]} chips
 */
export function showChips(list, chips) {
  /** @type {HTMLElement[]} */
  const present = [...findAll("li", list)];
  const isSame =
    present.length === chips.length &&
    present.every(
      (item, at) => item.dataset.name === chips[at]?.name && "refused" in item.dataset === !!chips[at]?.isRefused,
    );
  if (!isSame) list.replaceChildren(...chips.map(itemOf));
  chips.forEach(({ note = "" }, at) => {
    const extra = /** @type {HTMLElement} */ (find("span", /** @type {HTMLElement} */ (list.children[at])));
    if (extra.textContent !== note) extra.textContent = note;
  });
  list.hidden = chips.length === 0;
}

/** @param {Chip} chip */
function itemOf({ name, swatch, remove, isRefused }) {
  const item = document.createElement("li");
  item.dataset.name = name;
  if (isRefused) item.dataset.refused = "";
  if (swatch !== undefined) item.append(Object.assign(document.createElement("i"), { className: `swatch ${swatch}` }));
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
  button.setAttribute("aria-label", `Remove ${name}`);
  button.addEventListener("click", remove);
  item.append(name, Object.assign(document.createElement("span"), { className: "num muted" }), button);
  return item;
}
