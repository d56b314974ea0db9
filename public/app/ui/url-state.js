// Updates the location with the page. A fragment with an address of its own names it in `data-address`, so that a
// reload, a link and going back from another page show the same.

import { find, findAll } from "./dom.js";

/** Sets the location to the address of what is shown, without a new entry in the history. */
export function setUpUrlState() {
  document.addEventListener("htmx:after:swap", ({ target }) => {
    // The stream sends no such fragments, but ten messages a second, and searching 500 rows takes time.
    if (target instanceof Element && target.closest("#stream")) return;
    const address = find("main [data-address]")?.dataset.address;
    if (!address || address === location.pathname + location.search) return;
    history.replaceState(history.state, "", address);
    // Forms that lead back here, as after a change of theme, must lead to the same address.
    /** @type {NodeListOf<HTMLInputElement>} */
    const fields = findAll('.top [name="back"]');
    for (const back of fields) back.value = address;
  });
}
