// Keeps the focus of a reader who uses the keyboard: live updates and actions replace, disable and hide the element that
// has it, and browsers then begin again at the top of the page.

import { find, findAll } from "./dom.js";

const FOCUSABLE = "a[href], button, input, select, textarea, summary";

// The element that the keyboard focused and those around it, nearest first, and the same from before a dialog opened.
/** @type {Element[]} */
let path = [];
/** @type {Element[]} */
let before = [];
// The element that the focus has just left; whether by choice is known a moment later.
/** @type {HTMLElement | null} */
let left = null;

/** @param {Element | null} element */
function pathOf(element) {
  /** @type {Element[]} */
  const found = [];
  for (let each = element; each && each !== document.body; each = each.parentElement) found.push(each);
  return found;
}

/** The element of a path as the page has it now. @param {Element} element @returns {HTMLElement | null} */
function presentOf(element) {
  if (element.isConnected) return /** @type {HTMLElement} */ (element);
  return element.id === "" ? null : document.getElementById(element.id);
}

/** @param {HTMLElement} element */
const takesFocus = (element) => element.tabIndex >= 0 && !element.matches(":disabled") && element.checkVisibility();

/**
 * The element itself, or the first that takes the focus in the nearest element around it; `null` if there is none.
 * @param {Element[]} places
 */
function goalOf(places) {
  for (const [at, place] of places.entries()) {
    const present = presentOf(place);
    if (!present) continue;
    // A button is disabled while its form is sent.
    if (at === 0 && present.matches(":disabled")) return present;
    if (at === 0 && takesFocus(present)) return present;
    const inside = [...findAll(FOCUSABLE, present)].find(takesFocus);
    if (inside) return inside;
  }
  return null;
}

/** Whether the focus was taken from an element that could have kept it, such as by a click beside it. */
const isLeft = () => left?.isConnected && takesFocus(left);

/** Moves a lost focus to where the reader was. */
function restore() {
  if (path.length === 0 || document.activeElement !== document.body || isLeft()) return;
  const goal = goalOf(path) ?? goalOf(before) ?? find("#main");
  goal?.focus({ preventScroll: true });
}

/** Follows the focus, and restores it after each change of the page. */
export function setUpFocus() {
  document.addEventListener("focusin", ({ target }) => {
    if (!(target instanceof Element)) return;
    const dialog = target.closest("dialog");
    if (dialog && !path.includes(dialog)) before = path;
    // Whoever points has no place among the controls to lose.
    path = target.matches(":focus-visible") ? pathOf(target) : [];
  });
  document.addEventListener("focusout", ({ target }) => {
    if (!(target instanceof HTMLElement)) return;
    left = target;
    setTimeout(() => {
      if (left !== target) return;
      const byChoice = isLeft();
      left = null;
      if (document.activeElement !== document.body) return;
      if (byChoice) path = [];
      else restore();
    });
  });
  document.addEventListener("htmx:after:swap", restore);
  document.addEventListener("htmx:finally:request", restore);
}
