// The choices of a profile's chart in the page's address.

import { findAll } from "../ui/dom.js";

/**
 * Changes the query of the page's address, of the links to other intervals and adjustments, and of the form of the
 * theme: all lead to the same choices.
 * @param {(query: URLSearchParams) => void} change
 */
export function writeQuery(change) {
  /** @param {string} address */
  const changed = (address) => {
    const url = new URL(address, location.href);
    change(url.searchParams);
    return url.pathname + url.search;
  };
  const here = changed(location.href);
  history.replaceState(history.state, "", here + location.hash);
  /** @type {NodeListOf<HTMLAnchorElement>} */
  const links = findAll(".page-head .tabs a");
  for (const link of links) link.href = changed(link.href);
  /** @type {NodeListOf<HTMLInputElement>} */
  const fields = findAll('.themes [name="back"]');
  for (const back of fields) back.value = here;
}
