// The field for symbols: completes the symbol at the caret from the server's list, takes a column that is pasted from a
// spreadsheet, and starts the run with Ctrl+Enter.

import { closest, find, findAll } from "./dom.js";

// Pause in typing after which the list is fetched, milliseconds.
const PAUSE = 120;
const SEPARATORS = /[\s,;]/;
const SYMBOL = /^[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*(?:@[A-Za-z]{1,10})?$/;

/**
 * The symbol at the caret: where it begins and ends in the text.
 * @param {HTMLTextAreaElement} field
 */
const tokenAt = ({ value, selectionStart }) => {
  let from = selectionStart;
  while (from > 0 && !SEPARATORS.test(value[from - 1] ?? "")) from -= 1;
  let to = selectionStart;
  while (to < value.length && !SEPARATORS.test(value[to] ?? "")) to += 1;
  return { from, to, text: value.slice(from, to) };
};

/**
 * Replaces a part of a field, as if it had been typed: with undo, and with the events that the preview waits for.
 * @param {HTMLTextAreaElement} field
 * @param {number} from
 * @param {number} to
 * @param {string} text
 */
const type = (field, from, to, text) => {
  field.setRangeText(text, from, to, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
};

/**
 * The symbols of a pasted table, one column of which has them, or of a pasted column; `null` for any other text.
 * @param {string} text
 * @returns {readonly string[] | null}
 */
export const symbolsOfTable = (text) => {
  const rows = text.split(/\r\n|\r|\n/).filter((row) => row.trim() !== "");
  const cells = rows.map((row) => row.split("\t").map((cell) => cell.trim()));
  const width = Math.max(0, ...cells.map((row) => row.length));
  if (rows.length < 2 && width < 2) return null;
  /** @param {number} at @param {readonly (readonly string[])[]} all */
  const isColumn = (at, all) => all.length > 0 && all.every((row) => SYMBOL.test(row[at] ?? ""));
  const isUpper = (/** @type {string | undefined} */ cell) => cell !== undefined && cell === cell.toUpperCase();
  for (let at = 0; at < width; at++) {
    // A heading is no symbol, or in lower case where the others are not.
    const body = cells.slice(1);
    const hasHeading = body.every((row) => isUpper(row[at])) && !isUpper(cells[0]?.[at]);
    const column = hasHeading ? body : cells;
    if (isColumn(at, column) && column.some((row) => /[A-Za-z]/.test(row[at] ?? ""))) {
      return column.map((row) => (row[at] ?? "").toUpperCase());
    }
  }
  return null;
};

/** Sets up the list of completions below the field, by delegation: the form is replaced when a run was started. */
export function setUpSymbolField() {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let asked = 0;

  /** @param {Event} event */
  const fieldOf = (event) => /** @type {HTMLTextAreaElement | null} */ (closest(event, "textarea[data-symbols]"));
  const listOf = () => find("#symbol-options");
  const options = () => [...findAll("[role=option]", listOf() ?? document.createElement("ul"))];
  const isOpen = () => listOf()?.matches(":popover-open") ?? false;

  /** @param {HTMLTextAreaElement | null} field */
  const close = (field) => {
    asked += 1;
    if (isOpen()) listOf()?.hidePopover();
    field?.removeAttribute("aria-activedescendant");
  };
  /**
   * @param {HTMLTextAreaElement} field
   * @param {HTMLElement | undefined} option
   */
  const mark = (field, option) => {
    for (const each of options()) each.setAttribute("aria-selected", String(each === option));
    if (option) field.setAttribute("aria-activedescendant", option.id);
    else field.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  };
  /**
   * @param {HTMLTextAreaElement} field
   * @param {HTMLElement} option
   */
  const choose = (field, option) => {
    const { from, to } = tokenAt(field);
    close(field);
    const followed = /^\s*[,;]/.test(field.value.slice(to));
    type(field, from, to, (option.dataset.symbol ?? "") + (followed ? "" : ", "));
    close(field);
  };

  document.addEventListener("input", (event) => {
    const field = fieldOf(event);
    const list = listOf();
    if (!field || !list) return;
    clearTimeout(timer);
    const { text } = tokenAt(field);
    if (text === "" || !event.isTrusted) return close(field);
    const turn = ++asked;
    timer = setTimeout(async () => {
      const address = `${field.dataset.symbols}?q=${encodeURIComponent(text)}`;
      const response = await fetch(address, { headers: { "HX-Request": "true" } }).catch(() => null);
      const markup = response?.ok ? await response.text() : "";
      if (turn !== asked || document.activeElement !== field) return;
      list.innerHTML = markup;
      if (options().length === 0) return close(field);
      if (!isOpen()) list.showPopover({ source: field });
      mark(field, undefined);
    }, PAUSE);
  });

  document.addEventListener("keydown", (event) => {
    const field = fieldOf(event);
    if (!field) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      close(field);
      field.form?.requestSubmit();
    }
    if (!isOpen()) return;
    const all = options();
    const at = all.findIndex((option) => option.ariaSelected === "true");
    const chosen = all[at];
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const next = event.key === "ArrowDown" ? at + 1 : at < 0 ? all.length - 1 : at - 1;
      mark(field, all[next]);
    } else if ((event.key === "Enter" || event.key === "Tab") && chosen) {
      event.preventDefault();
      choose(field, chosen);
    } else if (event.key === "Escape") {
      event.preventDefault();
      close(field);
    }
  });

  // The press, not the click: the field keeps the focus.
  document.addEventListener("pointerdown", (event) => {
    const option = closest(event, "#symbol-options [role=option]");
    const field = /** @type {HTMLTextAreaElement | null} */ (find("textarea[data-symbols]"));
    if (!option || !field) return;
    event.preventDefault();
    choose(field, option);
  });
  document.addEventListener("focusout", (event) => {
    const field = fieldOf(event);
    if (field) close(field);
  });

  document.addEventListener("paste", (event) => {
    const field = fieldOf(event);
    const symbols = symbolsOfTable(event.clipboardData?.getData("text/plain") ?? "");
    if (!field || symbols === null) return;
    event.preventDefault();
    const { selectionStart, selectionEnd, value } = field;
    const before = value.slice(0, selectionStart);
    const glue = before.trim() === "" || /[,;]\s*$/.test(before) ? "" : ", ";
    type(field, selectionStart, selectionEnd, `${glue}${symbols.join(", ")}`);
  });
}
