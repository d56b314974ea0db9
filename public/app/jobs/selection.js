// Selected rows of the tables in `form[data-select]`: Shift selects a range, the box in the head all shown rows. If the
// attribute names a run, the selection is kept while the tab is open: over updates, other pages and sorts of the queue,
// and restarts of the server. Otherwise the checked boxes are the selection.

import { closest, find, findAll } from "../ui/dom.js";

const PREFIX = "barkeep-selected-";
/** The boxes of rows. */
const BOX = "input[name=symbol], input[name=series]";
/** @type {Map<string, Set<string>>} */
const kept = new Map();
// The value of the last box that was changed: its row may have been drawn again since.
/** @type {string | null} */
let last = null;

/** @returns {NodeListOf<HTMLFormElement>} */
const forms = () => findAll("form[data-select]");

/**
 * @param {HTMLFormElement} form
 * @returns {HTMLInputElement[]} the boxes of the rows that are shown
 */
const boxesOf = (form) => {
  /** @type {NodeListOf<HTMLInputElement>} */
  const boxes = findAll(`tbody:not([hidden]) :is(${BOX})`, form);
  return [...boxes];
};

/**
 * @param {HTMLFormElement} form
 * @returns {Set<string>} the selected symbols, also those that are not shown
 */
const selectionOf = (form) => {
  const run = form.dataset.select ?? "";
  if (run === "") return new Set(boxesOf(form).flatMap((box) => (box.checked ? box.value : [])));
  let selection = kept.get(run);
  if (selection === undefined) {
    selection = new Set(JSON.parse(sessionStorage.getItem(PREFIX + run) ?? "[]"));
    kept.set(run, selection);
  }
  return selection;
};

/** @param {string} value */
const hiddenInput = (value) => {
  const input = document.createElement("input");
  input.type = "hidden";
  input.name = "symbol";
  input.value = value;
  return input;
};

/**
 * The states of the selected rows.
 * @param {readonly HTMLInputElement[]} boxes
 */
const statesOf = (boxes) =>
  new Set(boxes.flatMap((box) => (box.checked ? (box.closest("tr")?.dataset.state ?? []) : [])));

/**
 * Shows the actions that apply to one of the selected rows at least; all where their states are not on the page.
 * @param {HTMLElement} bar
 * @param {ReadonlySet<string> | null} states
 */
const offer = (bar, states) => {
  for (const button of findAll("[data-from]", bar)) {
    const from = (button.dataset.from ?? "").split(" ");
    button.hidden = states !== null && states.size > 0 && !from.some((state) => states.has(state));
  }
};

/**
 * Updates the bar above a queue or a report: it opens with a selection, and can select everything that matches.
 * @param {HTMLFormElement} form
 * @param {HTMLElement} bar
 * @param {ReadonlySet<string>} selection
 * @param {readonly HTMLInputElement[]} boxes
 * @returns {string} how many are selected, in words
 */
const showBar = (form, bar, selection, boxes) => {
  const matching = Number((find(".pager", form) ?? bar).dataset.matching);
  const takesAll = /** @type {HTMLInputElement} */ (form.elements.namedItem("all"));
  if (selection.size === 0) takesAll.checked = false;
  const all = takesAll.checked;
  const here = new Set(boxes.map(({ value }) => value));
  const elsewhere = [...selection].filter((symbol) => !here.has(symbol));
  find(".bulk-all b", bar)?.replaceChildren(matching.toLocaleString("en-US"));
  find(".bulk-all", bar)?.toggleAttribute("hidden", matching <= boxes.length && elsewhere.length === 0);
  find(".bulk-carried", bar)?.replaceChildren(...elsewhere.map(hiddenInput));
  bar.toggleAttribute("data-open", selection.size > 0);
  offer(bar, all || elsewhere.length > 0 ? null : statesOf(boxes));
  const others = !all && elsewhere.length > 0 ? `, ${elsewhere.length.toLocaleString("en-US")} not on this page` : "";
  return `${(all ? matching : selection.size).toLocaleString("en-US")} selected${others}`;
};

/**
 * Updates a form from its selection.
 * @param {HTMLFormElement} form
 */
const show = (form, selection = selectionOf(form)) => {
  const boxes = boxesOf(form);
  for (const box of boxes) {
    if (box.checked !== selection.has(box.value)) box.checked = selection.has(box.value);
  }
  const bar = find(".bulk", form);
  const some = selection.size > 0 ? `${selection.size.toLocaleString("en-US")} selected` : "";
  const count = find("[data-selected]", form);
  const text = bar ? showBar(form, bar, selection, boxes) : some;
  // Screen readers read an `output` when it is written, so only changes are written.
  if (count && count.textContent !== text) count.textContent = text;
  /** @type {HTMLInputElement | null} */
  const head = find("[data-select-all]", form);
  if (!head) return;
  const checked = boxes.filter((box) => box.checked).length;
  head.checked = checked > 0 && checked === boxes.length;
  head.indeterminate = checked > 0 && checked < boxes.length;
};

/** Updates all forms from their selections, after rows were drawn, added or removed. */
export const showSelections = () => {
  for (const form of forms()) show(form);
};

/**
 * Saves a changed selection, and shows it.
 * @param {HTMLFormElement} form
 * @param {Set<string>} selection
 */
const save = (form, selection) => {
  const run = form.dataset.select;
  if (run) sessionStorage.setItem(PREFIX + run, JSON.stringify([...selection]));
  show(form, selection);
};

/**
 * @param {HTMLFormElement} form
 * @param {readonly HTMLInputElement[]} boxes
 * @param {boolean} on
 */
const select = (form, boxes, on) => {
  const selection = selectionOf(form);
  for (const { value } of boxes) on ? selection.add(value) : selection.delete(value);
  save(form, selection);
};

/** @param {HTMLFormElement} form */
const clear = (form) => {
  const selection = selectionOf(form);
  selection.clear();
  save(form, selection);
};

/**
 * Clears the selection of a run, after an action on it.
 * @param {string} run its id
 */
export const clearSelection = (run) => {
  /** @type {HTMLFormElement | null} */
  const form = find(`form[data-select="${CSS.escape(run)}"]`);
  if (form) clear(form);
};

/**
 * Selects or deselects a row; with `range`, all rows from the last changed box to this one.
 * @param {HTMLFormElement} form
 * @param {HTMLInputElement} box
 * @param {boolean} on
 * @param {boolean} range
 */
const toggle = (form, box, on, range) => {
  const boxes = boxesOf(form);
  const from = range ? boxes.findIndex(({ value }) => value === last) : -1;
  const to = boxes.indexOf(box);
  select(form, from < 0 ? [box] : boxes.slice(Math.min(from, to), Math.max(from, to) + 1), on);
  last = box.value;
};

/** Selects rows by click and by key, and keeps the selection when rows are drawn again. */
export function setUpSelection() {
  document.addEventListener("click", (event) => {
    const { target, shiftKey } = event;
    /** @type {HTMLFormElement | null} */
    const form = closest(event, "form[data-select]");
    if (!form || !(target instanceof Element)) return;
    const box = /** @type {HTMLInputElement} */ (target);
    if (target.matches(`tbody :is(${BOX})`)) toggle(form, box, box.checked, shiftKey);
    else if (target.matches("[data-select-all]")) select(form, boxesOf(form), box.checked);
    else if (target.matches("[name=all]")) show(form);
    else if (target.matches("[data-select-none]")) clear(form);
  });

  // x selects the focused row, X the range from the last one to it, Escape clears all selections.
  document.addEventListener("keydown", (event) => {
    const { key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === "x" || key === "X") {
      const row = closest(event, "form[data-select] tbody tr");
      /** @type {HTMLInputElement | null} */
      const box = row && find(BOX, row);
      const form = box?.closest("form");
      if (!box || !form) return;
      event.preventDefault();
      toggle(form, box, !box.checked, key === "X");
    } else if (key === "Escape" && !find(":popover-open, dialog[open]")) {
      for (const form of forms()) if (selectionOf(form).size > 0) clear(form);
    }
  });

  find("#stream")?.addEventListener("htmx:sse:after:message", ({ detail }) => {
    const { event, data } = detail.message;
    if (event) return;
    if (/<hx-partial id="(?:runs"|pager-)/.test(data) || (find(".bulk[data-open]") && data.includes('id="job-'))) {
      showSelections();
    }
  });
  // The filter was changed.
  document.addEventListener("htmx:after:swap", ({ target }) => {
    if (target instanceof Element && target.id === "filter") showSelections();
  });
  // After going back the browser may have restored checked boxes.
  addEventListener("pageshow", showSelections);
}
