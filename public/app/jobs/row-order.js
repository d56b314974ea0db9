// The order of the rows. While the table is in use, rows keep their places and only their content is updated; rows to
// be moved, added or removed wait, and a button shows how many.

import { find } from "../ui/dom.js";
import { showSelections } from "./selection.js";

// Time between two checks whether the table is still in use, milliseconds.
const CHECK = 300;

const canHover = matchMedia("(hover: hover)");

/** Whether the pointer or the focus is in the table, or something in it is selected. */
const inUse = () => {
  if (document.activeElement?.closest(".queue tbody")) return true;
  if (canHover.matches && find(".queue tbody:hover")) return true;
  if (find("#job-menu:popover-open, .card:popover-open")) return true;
  if (find(".queue tbody .c-check input:checked")) return true;
  const text = getSelection();
  return text?.type === "Range" && Boolean(text.anchorNode?.parentElement?.closest(".queue tbody"));
};

/**
 * The positions of a longest increasing subsequence of `numbers`: these rows stay while the others move.
 * @param {readonly number[]} numbers
 * @returns {Set<number>}
 */
const longestRun = (numbers) => {
  // For each length the increasing subsequence with the smallest end, linked to the number before it.
  /** @typedef {{ number: number, at: number, before: Tail | undefined }} Tail */
  /** @type {Tail[]} */
  const tails = [];
  numbers.forEach((number, at) => {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const tail = tails[middle];
      if (tail && tail.number < number) low = middle + 1;
      else high = middle;
    }
    tails[low] = { number, at, before: tails[low - 1] };
  });
  /** @type {Set<number>} */
  const kept = new Set();
  for (let tail = tails.at(-1); tail; tail = tail.before) kept.add(tail.at);
  return kept;
};

/**
 * The changes that make the children of `parent` those in `ids`: which stay, and how many move, come or go.
 * @param {Element} parent
 * @param {readonly string[]} ids
 */
const planOf = (parent, ids) => {
  const places = new Map([...parent.children].map((child, at) => [child.id, at]));
  const known = ids.filter((id) => places.has(id));
  const staying = longestRun(known.map((id) => places.get(id) ?? 0));
  const stay = new Set(known.filter((_, at) => staying.has(at)));
  const come = ids.filter((id) => !places.has(id) && document.getElementById(id)).length;
  return { stay, changes: known.length - stay.size + come + (parent.children.length - known.length) };
};

/**
 * Makes the children of `parent` those in `ids`, in their order.
 * @param {Element} parent
 * @param {readonly string[]} ids
 */
const apply = (parent, ids) => {
  const wanted = new Set(ids);
  const { stay } = planOf(parent, ids);
  for (const child of [...parent.children]) if (!wanted.has(child.id)) child.remove();
  /** @type {Element | null} */
  let next = null;
  for (const id of ids.toReversed()) {
    const child = document.getElementById(id);
    if (!child) continue;
    if (!stay.has(id)) parent.moveBefore ? parent.moveBefore(child, next) : parent.insertBefore(child, next);
    next = child;
  }
};

/**
 * The element beside the table that holds added rows, so that updates reach them.
 * @param {Element} body
 */
const waitingRows = (body) => {
  const there = body.parentElement?.querySelector("tbody[hidden]");
  if (there) return there;
  const place = document.createElement("tbody");
  place.hidden = true;
  body.after(place);
  return place;
};

/** @param {string} markup */
const parse = (markup) => {
  const template = document.createElement("template");
  template.innerHTML = markup;
  return template;
};

/**
 * For a page that missed too much everything is drawn again: `incoming` gets the order of the elements in use, with new
 * ones below.
 * @param {Element} parent
 * @param {Element} incoming
 */
const keepPlaces = (parent, incoming) => {
  const rows = new Map([...incoming.children].map((child) => [child.id, child]));
  const kept = [...parent.children].map((child) => rows.get(child.id) ?? child.cloneNode(true));
  const fresh = [...incoming.children].filter((child) => !document.getElementById(child.id));
  incoming.replaceChildren(...kept, ...fresh);
};

/** Applies the order that the stream sends, at once or when the table is no longer in use. */
export function setUpRowOrder() {
  const stream = find("#stream");
  // Changes that wait: the order of rows by the id of their table body, and the order of the runs.
  /** @type {Map<string, readonly string[]>} */
  const held = new Map();
  /** @type {readonly string[] | null} */
  let heldRuns = null;

  const button = document.createElement("button");
  button.type = "button";
  button.className = "resort button";
  button.hidden = true;
  button.dataset.shortcut = "o";
  find("#main")?.append(button);

  const show = () => {
    let changes = 0;
    for (const [id, ids] of held) {
      const body = document.getElementById(id);
      const count = body ? planOf(body, ids).changes : 0;
      if (count === 0) held.delete(id);
      changes += count;
    }
    const rows = `${changes} ${changes === 1 ? "row" : "rows"} would move: re-sort`;
    button.textContent = heldRuns === null ? rows : "Runs came or went: show them";
    button.hidden = changes === 0 && heldRuns === null;
  };
  const release = () => {
    for (const [id, ids] of held) {
      const body = document.getElementById(id);
      if (body) apply(body, ids);
    }
    held.clear();
    const runs = find("#runs");
    if (heldRuns && runs) apply(runs, heldRuns);
    heldRuns = null;
    show();
    showSelections();
  };
  button.addEventListener("click", release);
  setInterval(() => (held.size > 0 || heldRuns) && !inUse() && release(), CHECK);

  stream?.addEventListener("rows", ({ detail }) => {
    for (const { body: id, rows, came } of JSON.parse(detail.data)) {
      const body = document.getElementById(id);
      if (!body) continue;
      for (const row of [...parse(came.join("")).content.children]) {
        if (!document.getElementById(row.id)) waitingRows(body).append(row);
      }
      held.set(id, rows);
    }
    if (inUse()) show();
    else release();
  });

  // Runs were added or removed. While the table is in use, added ones are below the others.
  stream?.addEventListener("sections", ({ detail }) => {
    const runs = find("#runs");
    if (!runs) return;
    const { sections, came } = JSON.parse(detail.data);
    for (const section of [...parse(came.join("")).content.children]) {
      const known = document.getElementById(section.id);
      known ? known.replaceWith(section) : runs.append(section);
    }
    heldRuns = sections;
    if (!inUse()) return release();
    show();
    showSelections();
  });

  stream?.addEventListener("htmx:sse:before:message", ({ detail }) => {
    const { message } = detail;
    if (message.event || !message.data.includes('<hx-partial id="runs"')) return;
    held.clear();
    heldRuns = null;
    const runs = find("#runs");
    if (!runs || !inUse()) return;
    const template = parse(message.data);
    const incoming = template.content.querySelector("#runs");
    if (!incoming) return;
    for (const body of incoming.querySelectorAll(".queue tbody")) {
      const present = document.getElementById(body.id);
      if (!present) continue;
      held.set(
        body.id,
        [...body.children].map(({ id }) => id),
      );
      keepPlaces(present, body);
    }
    const wanted = [...incoming.children].map(({ id }) => id);
    keepPlaces(runs, incoming);
    if ([...incoming.children].some(({ id }, at) => id !== wanted[at])) heldRuns = wanted;
    message.data = template.innerHTML;
  });
  stream?.addEventListener("htmx:sse:after:message", ({ detail }) => {
    if (!detail.message.event && (held.size > 0 || heldRuns)) show();
  });
}
