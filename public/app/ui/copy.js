// Copies the text beside a button with `data-copy`. Without scripts the buttons are hidden, and the text can be
// selected.

import { closest, find, findAll } from "./dom.js";

// Milliseconds for which a button shows its result.
const SHOWN = 2_000;

/** @param {Node} node */
function select(node) {
  const selection = getSelection();
  selection?.removeAllRanges();
  const range = document.createRange();
  range.selectNodeContents(node);
  selection?.addRange(range);
}

/**
 * Puts the text of an element on the clipboard. Browsers have no clipboard for pages that came over plain HTTP from
 * another machine: there the selected text is copied with execCommand.
 * @param {HTMLElement} element
 * @returns {Promise<boolean>} whether it was copied; if not, it is selected
 */
async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent ?? "");
    return true;
  } catch {
    select(element);
    return document.execCommand("copy");
  }
}

/** Shows the buttons and makes them copy. */
export function setUpCopy() {
  for (const button of findAll("[data-copy]")) button.hidden = false;
  document.addEventListener("click", async (event) => {
    const button = closest(event, "[data-copy]");
    const source = button?.parentElement && find("pre", button.parentElement);
    if (!button || !source) return;
    const result = (await copy(source)) ? "Copied" : "Selected: press Ctrl+C";
    button.textContent = result;
    const announcer = find("#announcer");
    if (announcer) announcer.textContent = result;
    setTimeout(() => {
      button.textContent = "Copy";
    }, SHOWN);
  });
}
