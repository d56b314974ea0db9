// Jumps to the first row at work on the page; without one the link leads to a page that has it.

import { closest, find } from "../ui/dom.js";

/** Follows links with `data-jump` within the page where it shows a row at work. */
export function setUpJump() {
  document.addEventListener("click", (event) => {
    if (!closest(event, "[data-jump]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const row = find('.queue tbody:not([hidden]) tr[data-state="running"]');
    if (!row) return;
    event.preventDefault();
    row.scrollIntoView({ block: "center" });
    find("[data-menu]", row)?.focus({ preventScroll: true });
  });
}
