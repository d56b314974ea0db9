// Keeps the location in step with the page. A fragment that shows something with an address of its own names it in
// `data-address`, so that a reload, a link and the way back from another page show the same.

import { find, findAll } from "./dom.js";

/** Follows the address of what is shown; no entry is added to the history. */
export function setUpUrlState() {
  document.addEventListener("htmx:after:swap", ({ target }) => {
    // The stream brings no such fragment, but ten messages a second, and to look through 500 rows takes its time.
    if (target instanceof Element && target.id === "stream") return;
    const address = find("main [data-address]")?.dataset.address;
    if (!address || address === location.pathname + location.search) return;
    history.replaceState(history.state, "", address);
    // What leads back here, as after a change of theme, leads to the same.
    /** @type {NodeListOf<HTMLInputElement>} */
    const fields = findAll('.top [name="back"]');
    for (const back of fields) back.value = address;
  });
}
