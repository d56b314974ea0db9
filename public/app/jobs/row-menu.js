// The menu of a row. One for all rows: it is filled in for the row that asks for it, and follows that row's state.

(() => {
  const menu = document.getElementById("job-menu");
  if (!menu) return;
  let row = null;
  const isOpen = () => menu.matches(":popover-open");

  const follow = () => {
    if (!isOpen()) return;
    if (!row.isConnected) return menu.hidePopover();
    menu.dataset.state = row.dataset.state;
    menu.toggleAttribute("data-held", row.hasAttribute("data-held"));
  };
  const fill = (link) => {
    row = link.closest("tr");
    menu.dataset.row = row.id;
    const base = link.getAttribute("href");
    for (const entry of menu.querySelectorAll("[data-path]")) {
      entry.setAttribute(entry.matches("button") ? "formaction" : "href", base + entry.dataset.path);
    }
    const profile = row.querySelector("th a");
    if (profile) menu.querySelector("[data-profile]").href = profile.href;
  };

  // A press beside an open menu closes it before the click comes, also a press on its own link.
  let pressed = null;
  document.addEventListener("pointerdown", () => (pressed = isOpen() ? row : null), true);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-menu]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const same = link.closest("tr") === (event.detail > 0 ? pressed : isOpen() && row);
    if (isOpen()) menu.hidePopover();
    if (same) return;
    fill(link);
    menu.showPopover({ source: link });
    follow();
  });
  document.getElementById("stream")?.addEventListener("htmx:sse:after:message", follow);
})();
