// Cards with details of a row, opened by a button of the row or a link of its menu with `data-card`. Over a coverage
// strip the title shows the dates and counts of the cell under the pointer.

import { closest, find, findAll } from "../ui/dom.js";
import { jobAddress } from "./row-ids.js";

// Delay before the titles of a strip under the pointer are fetched, milliseconds.
const REST = 150;

/**
 * The number of the strip's cell under the pointer.
 * @param {HTMLElement} strip
 * @param {MouseEvent} event
 */
const cellAt = (strip, event) => {
  const drawing = /** @type {SVGSVGElement} */ (strip.querySelector("svg"));
  const cells = drawing.viewBox.baseVal.width / 4;
  const { left, width } = strip.getBoundingClientRect();
  return Math.min(cells - 1, Math.max(0, Math.floor(((event.clientX - left) / width) * cells)));
};

/**
 * The address of a card: that of the job of its row, or of the row that its menu is for, with the value of `data-card`.
 * @param {HTMLElement} opener
 */
const cardOf = (opener) => {
  /** @type {HTMLElement | null} */
  const menu = opener.closest("[data-row]");
  return `${jobAddress(menu?.dataset.row ?? opener.closest("tr")?.id ?? "")}/${opener.dataset.card}`;
};

/** Opens cards, and sets the titles of a strip's cells. */
export function setUpHoverCards() {
  const card = document.createElement("div");
  card.className = "card";
  card.popover = "auto";
  find("#main")?.append(card);

  document.addEventListener("click", async (event) => {
    const opener = closest(event, "[data-card]");
    if (!opener || event.ctrlKey || event.metaKey || event.shiftKey || !window.htmx) return;
    event.preventDefault();
    // The keyboard has no position on the strip.
    const cell = opener.matches(".strip") && event.detail > 0 ? cellAt(opener, event) : null;
    /** @type {HTMLElement | null} */
    const menu = opener.closest("[data-row]");
    menu?.hidePopover();
    const row = menu ? document.getElementById(menu.dataset.row ?? "") : null;
    const anchor = menu ? row && find("[data-menu]", row) : opener;
    await window.htmx.ajax("GET", cardOf(opener), { target: card, swap: "innerHTML" });
    card.showPopover({ source: anchor ?? undefined });
    const item = cell === null ? null : find(`[data-cell="${cell}"]`, card);
    item?.classList.add("here");
    item?.scrollIntoView({ block: "center" });
    find("button", item ?? card)?.focus();
  });

  // The titles of a strip's cells: fetched when the pointer rests on it, and again when its drawing has changed.
  /** @type {WeakMap<Element, { drawing: string, cells: readonly string[] }>} */
  const titles = new WeakMap();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let resting;
  /**
   * Shows the title of the cell under the pointer; `false` if it is not known.
   * @param {HTMLElement} strip
   * @param {MouseEvent} event
   */
  const showTitle = (strip, event) => {
    const known = titles.get(strip);
    if (known?.drawing !== strip.innerHTML) return false;
    const title = known.cells[cellAt(strip, event)] ?? "";
    if (strip.title !== title) strip.title = title;
    return true;
  };
  document.addEventListener("pointermove", (event) => {
    const strip = closest(event, ".strip");
    clearTimeout(resting);
    if (!strip || showTitle(strip, event)) return;
    resting = setTimeout(async () => {
      const drawing = strip.innerHTML;
      const response = await fetch(cardOf(strip), { headers: { "HX-Request": "true" } }).catch(() => null);
      if (!response?.ok) return;
      const list = new DOMParser().parseFromString(await response.text(), "text/html");
      const cells = [...findAll("[data-cell] span", list)].map((span) => span.textContent);
      titles.set(strip, { drawing, cells });
      showTitle(strip, event);
    }, REST);
  });
}
