// The order of the rows. While somebody uses the table its rows keep their places: what they say goes on changing,
// but rows that would move, come or go wait, and a button says how many.

const queueOrder = (() => {
  const stream = document.getElementById("stream");
  const canHover = matchMedia("(hover: hover)");
  // What waits: the wanted order of rows by the id of their body, and that of the runs.
  const held = new Map();
  let heldRuns = null;

  const inUse = () => {
    if (document.activeElement?.closest(".queue tbody")) return true;
    if (canHover.matches && document.querySelector(".queue tbody:hover")) return true;
    if (document.querySelector("#job-menu:popover-open, .card:popover-open")) return true;
    if (document.querySelector(".queue tbody .c-check input:checked")) return true;
    const text = getSelection();
    return text?.type === "Range" && Boolean(text.anchorNode?.parentElement?.closest(".queue tbody"));
  };

  // Places of a longest increasing run of `numbers`: what can stay where it is while the others move.
  const longestRun = (numbers) => {
    const tails = [];
    const before = new Array(numbers.length);
    numbers.forEach((number, at) => {
      let low = 0;
      let high = tails.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (numbers[tails[middle]] < number) low = middle + 1;
        else high = middle;
      }
      before[at] = tails[low - 1];
      tails[low] = at;
    });
    const kept = new Set();
    for (let at = tails.at(-1); at !== undefined; at = before[at]) kept.add(at);
    return kept;
  };

  // How the children of `parent` become those named by `ids`: which stay, how many move, come or go.
  const planOf = (parent, ids) => {
    const places = new Map([...parent.children].map((child, at) => [child.id, at]));
    const known = ids.filter((id) => places.has(id));
    const staying = longestRun(known.map((id) => places.get(id)));
    const stay = new Set(known.filter((_, at) => staying.has(at)));
    const come = ids.filter((id) => !places.has(id) && document.getElementById(id)).length;
    return { stay, changes: known.length - stay.size + come + (parent.children.length - known.length) };
  };

  const apply = (parent, ids) => {
    const wanted = new Set(ids);
    const { stay } = planOf(parent, ids);
    for (const child of [...parent.children]) if (!wanted.has(child.id)) child.remove();
    let next = null;
    for (const id of ids.toReversed()) {
      const child = document.getElementById(id);
      if (!child) continue;
      if (!stay.has(id)) parent.moveBefore ? parent.moveBefore(child, next) : parent.insertBefore(child, next);
      next = child;
    }
  };

  // Rows that came wait beside the table, where updates find them.
  const waitingRows = (body) => {
    const there = body.parentElement.querySelector("tbody[hidden]");
    if (there) return there;
    const place = document.createElement("tbody");
    place.hidden = true;
    body.after(place);
    return place;
  };

  const button = document.createElement("button");
  button.type = "button";
  button.className = "resort button";
  button.hidden = true;
  button.dataset.shortcut = "o";
  document.getElementById("main")?.append(button);

  const bodyOf = (id) => document.getElementById(id);
  const parse = (markup) => {
    const template = document.createElement("template");
    template.innerHTML = markup;
    return template;
  };
  const show = () => {
    let changes = 0;
    for (const [id, ids] of held) {
      const body = bodyOf(id);
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
      const body = bodyOf(id);
      if (body) apply(body, ids);
    }
    held.clear();
    const runs = document.getElementById("runs");
    if (heldRuns && runs) apply(runs, heldRuns);
    heldRuns = null;
    show();
    document.dispatchEvent(new CustomEvent("barkeep:rows"));
  };
  button.addEventListener("click", release);
  setInterval(() => (held.size > 0 || heldRuns) && !inUse() && release(), 300);

  stream?.addEventListener("rows", ({ detail }) => {
    for (const { body: id, rows, came } of JSON.parse(detail.data)) {
      const body = bodyOf(id);
      if (!body) continue;
      for (const row of [...parse(came.join("")).content.children]) {
        if (!document.getElementById(row.id)) waitingRows(body).append(row);
      }
      held.set(id, rows);
    }
    if (inUse()) show();
    else release();
  });

  // Runs came or went. Those that came stand below until the table is let go of.
  stream?.addEventListener("sections", ({ detail }) => {
    const runs = document.getElementById("runs");
    if (!runs) return;
    const { sections, came } = JSON.parse(detail.data);
    for (const section of [...parse(came.join("")).content.children]) {
      const known = document.getElementById(section.id);
      known ? known.replaceWith(section) : runs.append(section);
    }
    heldRuns = sections;
    if (!inUse()) return release();
    show();
    document.dispatchEvent(new CustomEvent("barkeep:rows"));
  });

  // Everything is drawn anew for a page that missed too much. What is in use stays where it is; what is new stands below it.
  const keepPlaces = (parent, incoming) => {
    const rows = new Map([...incoming.children].map((child) => [child.id, child]));
    const kept = [...parent.children].map((child) => rows.get(child.id) ?? child.cloneNode(true));
    const fresh = [...incoming.children].filter((child) => !document.getElementById(child.id));
    incoming.replaceChildren(...kept, ...fresh);
  };
  stream?.addEventListener("htmx:sse:before:message", ({ detail }) => {
    const { message } = detail;
    if (message.event || !message.data.includes('<hx-partial id="runs"')) return;
    held.clear();
    heldRuns = null;
    const runs = document.getElementById("runs");
    if (!runs || !inUse()) return;
    const template = parse(message.data);
    const incoming = template.content.querySelector("#runs");
    for (const body of incoming.querySelectorAll(".queue tbody")) {
      const present = bodyOf(body.id);
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

  return { inUse };
})();
