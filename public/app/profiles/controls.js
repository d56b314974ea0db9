// The controls below the buttons of a chart: compared symbols, panes, and which marks are shown.

import { find, findAll } from "../ui/dom.js";
import { writeQuery } from "./address.js";
import { ComparedSymbols } from "./compared-symbols.js";
import { PaneList } from "./pane-list.js";

/**
 * @param {HTMLElement} root
 * @param {string} symbol that of the page
 * @param {() => void} changed
 */
export function setUpControls(root, symbol, changed) {
  const said = /** @type {HTMLElement} */ (find("[data-said]", root));
  /** @param {string} text */
  const say = (text) => {
    said.textContent = text;
  };
  return {
    paneList: new PaneList(root, changed, say),
    compared: new ComparedSymbols(root, symbol, changed, say),
    /** Whether marks of a kind are shown. */
    showsMark: setUpMarks(root, changed),
  };
}

/**
 * @param {HTMLElement} root
 * @param {() => void} changed
 * @returns {(kind: string) => boolean}
 */
function setUpMarks(root, changed) {
  /** @type {NodeListOf<HTMLInputElement>} */
  const boxes = findAll("[name=mark]", root);
  const chosen = new URLSearchParams(location.search).get("marks")?.split(",");
  for (const box of boxes) {
    if (chosen !== undefined) box.checked = chosen.includes(box.value);
    box.addEventListener("change", () => {
      const on = [...boxes].filter(({ checked }) => checked).map(({ value }) => value);
      writeQuery((address) => {
        if (on.length === boxes.length) address.delete("marks");
        else address.set("marks", on.join(",") || "none");
      });
      changed();
    });
  }
  return (kind) => [...boxes].some(({ value, checked }) => checked && value === kind);
}
