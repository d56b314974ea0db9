// Selected rows of the tables in `form[data-select]`: Shift takes all between, the box in the head all that are shown.
// Where the attribute names a run, its selection is kept for as long as the tab lives, so that it outlasts updates,
// other orders, other pages of the queue, and a server that was away. Elsewhere what is checked is what is selected.

(() => {
  const PREFIX = "barkeep-selected-";
  const kept = new Map();
  // The last box that was changed, by its value: its row may have been drawn again since.
  let last = null;

  const forms = () => document.querySelectorAll("form[data-select]");
  const formOf = (element) => element.closest("form[data-select]");
  const boxesOf = (form) => [...form.querySelectorAll("tbody:not([hidden]) input[name=symbol]")];
  const selectionOf = (form) => {
    const run = form.dataset.select;
    if (run === "") return new Set(boxesOf(form).flatMap((box) => (box.checked ? box.value : [])));
    if (!kept.has(run)) kept.set(run, new Set(JSON.parse(sessionStorage.getItem(PREFIX + run) ?? "[]")));
    return kept.get(run);
  };

  const hiddenInput = (value) => {
    const input = document.createElement("input");
    input.type = "hidden";
    input.name = "symbol";
    input.value = value;
    return input;
  };

  // The bar above a queue or a report: it opens with the selection, and can take everything that matches instead.
  const showBar = (form, bar, selection, boxes) => {
    const matching = Number((form.querySelector(".pager") ?? bar).dataset.matching);
    if (selection.size === 0) form.elements.all.checked = false;
    const all = form.elements.all.checked;
    const here = new Set(boxes.map(({ value }) => value));
    const elsewhere = [...selection].filter((symbol) => !here.has(symbol));
    bar.querySelector(".bulk-all b").textContent = matching.toLocaleString("en-US");
    bar.querySelector(".bulk-all").hidden = matching <= boxes.length && elsewhere.length === 0;
    bar.querySelector(".bulk-carried").replaceChildren(...elsewhere.map(hiddenInput));
    bar.toggleAttribute("data-open", selection.size > 0);
    const others = !all && elsewhere.length > 0 ? `, ${elsewhere.length.toLocaleString("en-US")} not on this page` : "";
    return `${(all ? matching : selection.size).toLocaleString("en-US")} selected${others}`;
  };

  // Brings a form in line with its selection.
  const show = (form, selection = selectionOf(form)) => {
    const boxes = boxesOf(form);
    for (const box of boxes) {
      if (box.checked !== selection.has(box.value)) box.checked = selection.has(box.value);
    }
    const bar = form.querySelector(".bulk");
    const some = selection.size > 0 ? `${selection.size.toLocaleString("en-US")} selected` : "";
    const count = form.querySelector("[data-selected]");
    const said = bar ? showBar(form, bar, selection, boxes) : some;
    // An `output` is read aloud when it is written, so only news is written.
    if (count && count.textContent !== said) count.textContent = said;
    const head = form.querySelector("[data-select-all]");
    const checked = boxes.filter((box) => box.checked).length;
    if (head) head.checked = checked > 0 && checked === boxes.length;
    if (head) head.indeterminate = checked > 0 && checked < boxes.length;
  };
  const showAll = () => {
    for (const form of forms()) show(form);
  };

  const settle = (form, selection) => {
    const run = form.dataset.select;
    if (run !== "") sessionStorage.setItem(PREFIX + run, JSON.stringify([...selection]));
    show(form, selection);
  };
  const select = (form, boxes, on) => {
    const selection = selectionOf(form);
    for (const { value } of boxes) on ? selection.add(value) : selection.delete(value);
    settle(form, selection);
  };
  const clear = (form) => {
    const selection = selectionOf(form);
    selection.clear();
    settle(form, selection);
  };

  // With shift, everything from the last box that was changed to this one.
  const toggle = (form, box, on, range) => {
    const boxes = boxesOf(form);
    const from = range ? boxes.findIndex(({ value }) => value === last) : -1;
    const to = boxes.indexOf(box);
    select(form, from < 0 ? [box] : boxes.slice(Math.min(from, to), Math.max(from, to) + 1), on);
    last = box.value;
  };

  document.addEventListener("click", (event) => {
    const { target, shiftKey } = event;
    const form = formOf(target);
    if (!form) return;
    if (target.matches("tbody input[name=symbol]")) toggle(form, target, target.checked, shiftKey);
    else if (target.matches("[data-select-all]")) select(form, boxesOf(form), target.checked);
    else if (target.matches("[name=all]")) show(form);
    else if (target.matches("[data-select-none]")) clear(form);
  });

  // x selects the row that has the focus, X all from the last one to it, Escape lets go of all.
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === "x" || key === "X") {
      const box = target.closest("form[data-select] tbody tr")?.querySelector("input[name=symbol]");
      if (!box) return;
      event.preventDefault();
      toggle(formOf(box), box, !box.checked, key === "X");
    } else if (key === "Escape" && !document.querySelector(":popover-open, dialog[open]")) {
      for (const form of forms()) if (selectionOf(form).size > 0) clear(form);
    }
  });

  // What was asked for is done: the next thing concerns other rows.
  document.addEventListener("barkeep:acted", ({ detail }) => {
    const form = document.querySelector(`form[data-select="${CSS.escape(detail)}"]`);
    if (form) clear(form);
  });
  document.addEventListener("barkeep:rows", showAll);
  document.getElementById("stream")?.addEventListener("htmx:sse:after:message", ({ detail }) => {
    const { event, data } = detail.message;
    if (!event && /<hx-partial id="(?:runs"|pager-)/.test(data)) showAll();
  });
  // A browser that goes back may have checked boxes again by now.
  addEventListener("pageshow", showAll);
})();
