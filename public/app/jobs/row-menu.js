// One menu for all rows: it is set up for the row whose link opens it, and updated with that row's state.

import { closest, find, findAll } from "../ui/dom.js";

/** Opens the menu beside a row's link, and closes it with the same link. */
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
  };
  /**
   * @param {HTMLTableRowElement} of
   * @param {string} base the address of the row's job
   */
  const fill = (of, base) => {
    row = of;
    menu.dataset.row = row.id;
    for (const entry of findAll("[data-path]", menu)) {
      entry.setAttribute(entry.matches("button") ? "formaction" : "href", base + entry.dataset.path);
    }
    /** @type {HTMLAnchorElement | null} */
    const profile = find("th a", row);
    /** @type {HTMLAnchorElement | null} */
    const link = find("[data-profile]", menu);
    if (profile && link) link.href = profile.href;
  };

  // Pressing outside an open menu closes it before the click event, also on its own link.
  /** @type {HTMLTableRowElement | null} */
  let pressed = null;
  document.addEventListener("pointerdown", () => (pressed = isOpen() ? row : null), true);
  document.addEventListener("click", (event) => {
    const link = closest(event, "[data-menu]");
    const own = link?.closest("tr");
    if (!link || !own || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const same = own === (event.detail > 0 ? pressed : isOpen() && row);
    if (isOpen()) menu.hidePopover();
    if (same) return;
    fill(own, link.getAttribute("href") ?? "");
    menu.showPopover({ source: link });
    follow();
  });
  find("#stream")?.addEventListener("htmx:sse:after:message", follow);
}
