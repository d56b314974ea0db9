// Cards: what a row has to say beside it. A link with `data-card` opens one in place of its page; over a coverage strip
// the pointer is told the dates and counts of the cell below it.

(() => {
  const card = document.createElement("div");
  card.className = "card";
  card.popover = "auto";
  document.getElementById("main")?.append(card);

  const cellAt = (strip, event) => {
    const cells = strip.querySelector("svg").viewBox.baseVal.width / 4;
    const { left, width } = strip.getBoundingClientRect();
    return Math.min(cells - 1, Math.max(0, Math.floor(((event.clientX - left) / width) * cells)));
  };

  // `data-card` names what belongs to the page that the link leads to.
  const cardOf = (link) => `${link.pathname}/${link.dataset.card}`;

  document.addEventListener("click", async (event) => {
    const link = event.target.closest("[data-card]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !window.htmx) return;
    event.preventDefault();
    // From the keyboard there is no place on the strip.
    const cell = link.matches(".strip") && event.detail > 0 ? cellAt(link, event) : null;
    const menu = link.closest("[data-row]");
    menu?.hidePopover();
    const anchor = menu ? document.getElementById(menu.dataset.row)?.querySelector("[data-menu]") : link;
    await window.htmx.ajax("GET", cardOf(link), { target: card, swap: "innerHTML" });
    card.showPopover({ source: anchor });
    const item = cell === null ? null : card.querySelector(`[data-cell="${cell}"]`);
    item?.classList.add("here");
    item?.scrollIntoView({ block: "center" });
    (item ?? card).querySelector("button")?.focus();
  });

  // The titles of a strip are asked for once the pointer rests on it, and again when the strip has changed.
  const titles = new WeakMap();
  let resting = null;
  const tell = (strip, event) => {
    const known = titles.get(strip);
    if (known?.drawing !== strip.innerHTML) return false;
    const title = known.cells[cellAt(strip, event)] ?? "";
    if (strip.title !== title) strip.title = title;
    return true;
  };
  document.addEventListener("pointermove", (event) => {
    const strip = event.target.closest?.(".strip");
    clearTimeout(resting);
    if (!strip || tell(strip, event)) return;
    resting = setTimeout(async () => {
      const drawing = strip.innerHTML;
      const response = await fetch(cardOf(strip), { headers: { "HX-Request": "true" } }).catch(() => null);
      if (!response?.ok) return;
      const list = new DOMParser().parseFromString(await response.text(), "text/html");
      const cells = [...list.querySelectorAll("[data-cell] span")].map((span) => span.textContent);
      titles.set(strip, { drawing, cells });
      tell(strip, event);
    }, 150);
  });
})();
