// The ids of rows, by which the stream and other scripts find them: a page leaves them out, because each repeats a symbol
// that the row's check box names.

import { find, findAll } from "../ui/dom.js";

/** Gives the rows of the page their ids: `job-`, the id of the run, `-` and the symbol. */
export function setUpRowIds() {
  for (const body of findAll(".queue tbody[id^=jobs-]")) {
    const run = body.id.slice("jobs-".length);
    for (const row of findAll("tr:not([id])", body)) {
      /** @type {HTMLInputElement | null} */
      const box = find("[name=symbol]", row);
      if (box) row.id = `job-${run}-${box.value}`;
    }
  }
}

/**
 * The address of a row's job, from the row's id: `job-`, the run's id of 36 characters, `-` and the symbol.
 * @param {string} rowId
 */
export const jobAddress = (rowId) =>
  `${document.documentElement.dataset.base}runs/${rowId.slice(4, 40)}/jobs/${encodeURIComponent(rowId.slice(41))}`;
