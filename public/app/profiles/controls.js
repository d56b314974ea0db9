// The controls below the buttons of a chart: compared symbols, panes, and which marks are shown.

import { comparedOf, MOST_COMPARED, MOST_PANES, paneOf, panesOf, writeCompared, writePanes } from "../chart/panes.js";
import { ask } from "../chart/rows.js";
import { find, findAll } from "../ui/dom.js";
import { writeQuery } from "./address.js";

/** @import { Other } from "../chart/loader.js" */
/** @import { PaneKind } from "../chart/panes.js" */

/** Pause in typing after which symbols are asked for, milliseconds. */
const PAUSE = 150;

/**
 * @param {HTMLElement} root
 * @param {string} symbol that of the page
 * @param {() => void} changed
 */
export function setUpControls(root, symbol, changed) {
  /** @param {string} selector */
  const part = (selector) => /** @type {HTMLElement} */ (find(selector, root));
  const select = /** @type {HTMLSelectElement} */ (part("[data-pane]"));
  const form = /** @type {HTMLFormElement} */ (part("[data-compare]"));
  const field = /** @type {HTMLInputElement} */ (part("[data-compare] input"));
  const options = part("[data-compare] datalist");
  const said = part("[data-said]");
  /** @type {NodeListOf<HTMLInputElement>} */
  const boxes = findAll("[name=mark]", root);
  const features = new Set([...select.options].map(({ value }) => value));
  const query = new URLSearchParams(location.search);
  let panes = panesOf(query, features);
  let compared = comparedOf(query, symbol);
  /** Symbols that the server has been asked for and has. @type {Set<string>} */
  const known = new Set();
  /** Why symbols were refused, until they are removed or typed again. @type {Map<string, string>} */
  const refused = new Map();

  /**
   * Lists entries, each with a button that removes it. Of the same entries only the notes are written, so that a focused
   * button stays.
   * @param {HTMLElement} list
   * @param {readonly { name: string, swatch: string, remove: () => void, note?: string, isRefused?: boolean }[]} entries
   */
  const showChips = (list, entries) => {
    /** @type {HTMLElement[]} */
    const present = [...findAll("li", list)];
    const isSame =
      present.length === entries.length &&
      present.every(
        (item, at) => item.dataset.name === entries[at]?.name && "refused" in item.dataset === !!entries[at]?.isRefused,
      );
    if (!isSame) list.replaceChildren(...entries.map(chipOf));
    entries.forEach(({ note = "" }, at) => {
      const extra = /** @type {HTMLElement} */ (find("span", /** @type {HTMLElement} */ (list.children[at])));
      if (extra.textContent !== note) extra.textContent = note;
    });
    list.hidden = entries.length === 0;
  };
  /** @param {{ name: string, swatch: string, remove: () => void, isRefused?: boolean }} entry */
  const chipOf = ({ name, swatch, remove, isRefused }) => {
    const item = document.createElement("li");
    item.dataset.name = name;
    if (isRefused) item.dataset.refused = "";
    if (swatch !== "") item.append(Object.assign(document.createElement("i"), { className: `swatch ${swatch}` }));
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
    button.setAttribute("aria-label", `Remove ${name}`);
    button.addEventListener("click", remove);
    item.append(name, Object.assign(document.createElement("span"), { className: "num muted" }), button);
    return item;
  };
  /** @param {string} text */
  const say = (text) => {
    said.textContent = text;
  };

  /** @param {PaneKind[]} next */
  const setPanes = (next) => {
    panes = next;
    writeQuery((address) => writePanes(address, panes));
    showPanes();
    changed();
  };
  const showPanes = () =>
    showChips(
      part("[data-panes]"),
      panes.map(({ key, title }) => ({
        name: title,
        swatch: "",
        remove: () => {
          setPanes(panes.filter((pane) => pane.key !== key));
          select.focus();
        },
      })),
    );
  select.addEventListener("change", () => {
    const pane = paneOf(select.value, features);
    select.value = "";
    if (pane === null || panes.some(({ key }) => key === pane.key)) return;
    if (panes.length >= MOST_PANES) say(`At most ${MOST_PANES} panes: remove one first`);
    else {
      say("");
      setPanes([...panes, pane]);
    }
  });

  /** @param {string[]} next */
  const setCompared = (next) => {
    compared = next;
    writeQuery((address) => writeCompared(address, compared));
    showCompared(new Map());
    changed();
  };
  /** @param {ReadonlyMap<string, string>} notes what is said of each symbol */
  const showCompared = (notes) =>
    showChips(part("[data-compared]"), [
      ...compared.map((other, index) => ({
        name: other,
        swatch: `series-${index + 1}`,
        note: notes.get(other) ?? "",
        remove: () => {
          setCompared(compared.filter((each) => each !== other));
          field.focus();
        },
      })),
      ...[...refused].map(([other, note]) => ({
        name: other,
        swatch: "",
        note,
        isRefused: true,
        remove: () => {
          refused.delete(other);
          showCompared(notes);
          field.focus();
        },
      })),
    ]);
  /**
   * Takes out symbols that the server does not have, and says why at their chips. One that it had stays: another view may
   * have bars of it again.
   * @param {Map<string, Other>} others what came of the symbols
   */
  const settle = (others) => {
    for (const [other, { isRefused }] of others) if (!isRefused) known.add(other);
    const out = compared.filter((other) => others.get(other)?.isRefused && !known.has(other));
    if (out.length === 0) return;
    for (const other of out) {
      refused.set(other, others.get(other)?.fault ?? "");
      others.delete(other);
    }
    say(`${out.join(", ")} cannot be compared`);
    setCompared(compared.filter((other) => !refused.has(other)));
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const asked = new URLSearchParams({ compare: [...compared, field.value].join(",") });
    const next = comparedOf(asked, symbol);
    if (field.value.trim() === "") return;
    if (compared.length >= MOST_COMPARED) say(`At most ${MOST_COMPARED} symbols: remove one first`);
    else if (next.length === compared.length) say(`${field.value.trim().slice(0, 30)} is no other symbol`);
    else {
      say("");
      field.value = "";
      for (const other of next) refused.delete(other);
      setCompared(next);
    }
  });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typing;
  field.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(async () => {
      const text = field.value.trim();
      if (text === "") return;
      try {
        const page = new DOMParser().parseFromString(
          await (await ask(`symbols?q=${encodeURIComponent(text)}`)).text(),
          "text/html",
        );
        if (field.value.trim() !== text) return;
        options.replaceChildren(
          ...[...page.querySelectorAll("[data-symbol]")].map((option) =>
            Object.assign(document.createElement("option"), { value: option.getAttribute("data-symbol") ?? "" }),
          ),
        );
      } catch {
        // A symbol can be typed without its completion.
      }
    }, PAUSE);
  });

  const wanted = query.get("marks");
  const chosen = wanted?.split(",");
  for (const box of boxes) {
    if (chosen !== undefined) box.checked = chosen.includes(box.value);
    box.addEventListener("change", () => {
      const on = [...boxes].filter(({ checked }) => checked).map(({ value }) => value);
      writeQuery((address) => {
        if (on.length === boxes.length) address.delete("marks");
        else address.set("marks", on.join(",") || "none");
      });
      changed();
    });
  }
  showPanes();
  showCompared(new Map());
  return {
    panes: () => panes,
    compared: () => compared,
    /** @param {string} kind */
    showsMark: (kind) => [...boxes].some(({ value, checked }) => checked && value === kind),
    showCompared,
    settle,
  };
}
