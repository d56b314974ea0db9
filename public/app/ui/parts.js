// What is the same on every page: the icons, the list of keys, the palette, the menu of a row, the words of the filter, the
// offer of notifications. It is part of this file, so that no page has to bring it.

/** Adds the parts to the document, below its base path. */
export function setUpParts() {
  const { base } = document.documentElement.dataset;
  const markup = SCRIPT_PARTS.replaceAll(/ (href|action|hx-get)="\//g, ` $1="${base}`);
  document.body.insertAdjacentHTML("beforeend", markup);
}
