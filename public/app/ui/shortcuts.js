// Keyboard shortcuts, except while typing: j and k move along the rows, any other key activates the element that names
// it in `data-shortcut`.

import { closest, find, findAll } from "./dom.js";

/**
 * Moves the focus among the rows.
 * @param {1 | -1} by
 */
const step = (by) => {
  const rows = [...findAll(":is(.queue, .list) tbody:not([hidden]) tr")];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const row = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
  if (row) (find(".icon-button", row) ?? find("a, button", row))?.focus();
};

/** Handles single keys. */
export function setUpShortcuts() {
  document.addEventListener("keydown", (event) => {
    const { key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || key.length > 1) return;
    if (closest(event, "input, textarea, select, dialog")) return;
    const goal = ["shortcut", "shortcut-else"]
      .map((name) => find(`[data-${name}="${CSS.escape(key)}"]`))
      .find((each) => each && (each.matches("a, button") || each.checkVisibility()));
    if (!goal && key !== "j" && key !== "k") return;
    event.preventDefault();
    if (!goal) step(key === "j" ? 1 : -1);
    else if (goal.matches("a, button")) goal.click();
    else {
      goal.focus();
      if (goal instanceof HTMLInputElement || goal instanceof HTMLTextAreaElement) goal.select();
    }
  });
}
