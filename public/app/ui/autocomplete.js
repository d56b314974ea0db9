// Completes the name at the caret: `data-complete` is the id of the list of all names; the browser's own list offers
// the whole text with that name inserted. `data-complete-by="space"`: a name is all between two spaces.

import { closest } from "./dom.js";

// Most names that are offered.
const SHOWN = 30;
// The function of the screener's language; its feature is offered next.
const RANK = "rank(";

/** Offers names to fields with `data-complete` while typing. */
export function setUpAutocomplete() {
  document.addEventListener("input", (event) => {
    /** @type {HTMLInputElement | null} */
    const field = closest(event, "[data-complete]");
    if (!field) return;
    const all = /** @type {HTMLDataListElement} */ (document.getElementById(field.dataset.complete ?? ""));
    const names = [...all.options].map((option) => option.value);
    if (field.dataset.completeBy !== "space") names.push(RANK);
    const caret = field.selectionStart ?? field.value.length;
    const before = field.value.slice(0, caret);
    const after = field.value.slice(caret);
    const bySpace = field.dataset.completeBy === "space";
    const word = (bySpace ? /\S*$/ : /[a-z_][\w]*$/i).exec(before)?.[0].toLowerCase() ?? "";
    const head = before.slice(0, before.length - word.length);
    const isInside = (bySpace ? /^\S/ : /^\w/).test(after);
    const fitting = word === "" || isInside ? [] : names.filter((name) => name !== word && name.includes(word));
    fitting.sort((a, b) => Number(b.startsWith(word)) - Number(a.startsWith(word)));
    field.list?.replaceChildren(
      ...fitting
        .slice(0, SHOWN)
        .map((name) => Object.assign(document.createElement("option"), { value: head + name + after })),
    );
  });
}
