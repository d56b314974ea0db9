// One menu for all rows: it is set up for the row whose button opens it, and updated with that row's state.

import { closest, find, findAll } from "../ui/dom.js";
import { jobAddress } from "./row-ids.js";

/** Opens the menu beside a row's button, and closes it with the same one. */
export function setUpRowMenu() {
  const menu = find("#job-menu");
  if (!menu) return;
  /** @type {HTMLTableRowElement | null} */
  let row = null;
  const isOpen = () => menu.matches(":popover-open");

  const follow = () => {
    if (!row || !isOpen()) return;
    if (!row.isConnected) return menu.hidePopover();
    menu.dataset.state = row.dataset.state;
    menu.toggleAttribute("data-held", row.hasAttribute("data-held"));
    /** @type {HTMLAnchorElement | null} */
    const symbol = find("th a", row);
    /** @type {HTMLAnchorElement | null} */
    const profile = find("[data-profile]", menu);
    // The symbol of a complete row leads to its profile; the menu offers it for such a row alone.
    if (symbol && profile) profile.href = symbol.href;
  };
  /** @param {HTMLTableRowElement} of */
  const fill = (of) => {
    row = of;
    menu.dataset.row = row.id;
    const base = jobAddress(row.id);
    for (const entry of findAll("[data-path]", menu)) {
      entry.setAttribute(entry.matches("button") ? "formaction" : "href", base + entry.dataset.path);
    }
  };

  // Pressing outside an open menu closes it before the click event, also on its own button.
  /** @type {HTMLTableRowElement | null} */
  let pressed = null;
  document.addEventListener("pointerdown", () => (pressed = isOpen() ? row : null), true);
  document.addEventListener("click", (event) => {
    const opener = closest(event, "[data-menu]");
    const own = opener?.closest("tr");
    if (!opener || !own || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const same = own === (event.detail > 0 ? pressed : isOpen() && row);
    if (isOpen()) menu.hidePopover();
    if (same) return;
    fill(own);
    menu.showPopover({ source: opener });
    follow();
  });
  find("#stream")?.addEventListener("htmx:sse:after:message", follow);
}
