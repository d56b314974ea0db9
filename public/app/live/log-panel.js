// The log panel, newest line first: new lines are added at the top, old ones removed at the end. After scrolling away,
// the visible lines stay in place, and a button counts the new ones.

import { find } from "../ui/dom.js";

// While the reader has scrolled away, the panel may hold this many times the usual number of lines.
const GATHERED = 5;

/** Keeps the log panel short, and its position while the reader has scrolled away. */
export function setUpLogPanel() {
  const stream = find("#stream");
  const lines = find("#log-lines");
  if (!stream || !lines) return;
  const keep = Number(lines.dataset.keep);
  let away = false;
  // The newest line when the reader scrolled away, and the height of all lines before the next one was added.
  /** @type {Element | null} */
  let newest = null;
  let height = 0;

  const button = document.createElement("button");
  button.type = "button";
  button.className = "log-news button";
  button.hidden = true;
  lines.before(button);

  /** @param {number} most the number of lines to keep */
  const trim = (most) => {
    while (lines.childElementCount > most) lines.lastElementChild?.remove();
  };
  const count = () => {
    let fresh = 0;
    for (let line = lines.firstElementChild; line && line !== newest; line = line.nextElementSibling) fresh++;
    button.textContent = `${fresh} new ${fresh === 1 ? "line" : "lines"}: follow`;
    button.hidden = fresh === 0;
  };

  lines.addEventListener("scroll", () => {
    const scrolled = lines.scrollTop > 8;
    if (scrolled === away) return;
    away = scrolled;
    newest = lines.firstElementChild;
    button.hidden = true;
    if (!away) trim(keep);
  });
  button.addEventListener("click", () => {
    lines.scrollTop = 0;
    lines.focus();
  });
  stream.addEventListener("htmx:sse:before:message", () => {
    if (away) height = lines.scrollHeight;
  });
  stream.addEventListener("htmx:sse:after:message", () => {
    if (!away) return trim(keep);
    const grown = lines.scrollHeight - height;
    if (grown === 0) return;
    lines.scrollTop += grown;
    trim(GATHERED * keep);
    count();
  });
}
