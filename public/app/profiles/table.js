// The bars in view of a chart as a table, newest first: for those who read numbers, or cannot see the drawing.

/** The most rows: a longer view shows its newest ones. */
const MOST_ROWS = 200;

/**
 * @param {HTMLDetailsElement} details filled while it is open
 * @param {() => { heads: readonly string[], rows: (most: number) => { cells: readonly string[][], more: number } }} content
 * @returns {() => void} to call when what is in view has changed
 */
export function setUpTable(details, content) {
  const holder = /** @type {HTMLElement} */ (details.querySelector("div"));
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let resting;
  const fill = () => {
    const { heads, rows } = content();
    const { cells, more } = rows(MOST_ROWS);
    const table = document.createElement("table");
    table.className = "list num";
    const head = table.createTHead().insertRow();
    for (const text of heads) {
      head.append(Object.assign(document.createElement("th"), { textContent: text, scope: "col" }));
    }
    const body = table.createTBody();
    for (const row of cells) {
      const line = body.insertRow();
      for (const text of row) line.insertCell().textContent = text;
    }
    const note = document.createElement("p");
    note.className = "muted";
    note.textContent = more > 0 ? `and ${more} earlier bars in view` : `${cells.length} bars in view`;
    holder.replaceChildren(table, note);
  };
  details.addEventListener("toggle", () => {
    if (details.open) fill();
    else holder.replaceChildren();
  });
  return () => {
    clearTimeout(resting);
    if (details.open) resting = setTimeout(fill, 200);
  };
}
