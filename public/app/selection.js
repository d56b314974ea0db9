// Selected rows. The selection is kept by run for as long as the tab lives, so that it outlasts updates, other
// orders, other pages of the queue, and a server that was away.

(() => {
  const PREFIX = "barkeep-selected-";
  const selections = new Map();
  let last = null;

  const formOf = (element) => element?.closest("form[data-run]");
  const boxesOf = (form) => [...form.querySelectorAll("tbody:not([hidden]) .c-check input")];
  const selectionOf = (form) => {
    const { run } = form.dataset;
    if (!selections.has(run)) selections.set(run, new Set(JSON.parse(sessionStorage.getItem(PREFIX + run) ?? "[]")));
    return selections.get(run);
  };

  const hiddenInput = (value) => {
    const input = document.createElement("input");
    input.type = "hidden";
    input.name = "symbol";
    input.value = value;
    return input;
  };

  // Brings a form in line with its selection.
  const show = (form) => {
    const selection = selectionOf(form);
    const boxes = boxesOf(form);
    for (const box of boxes) {
      if (box.checked !== selection.has(box.value)) box.checked = selection.has(box.value);
    }
    const bar = form.querySelector(".bulk");
    const matching = Number(form.querySelector(".pager").dataset.matching);
    if (selection.size === 0) form.elements.all.checked = false;
    const all = form.elements.all.checked;
    const here = new Set(boxes.map(({ value }) => value));
    const elsewhere = [...selection].filter((symbol) => !here.has(symbol));
    const count = (all ? matching : selection.size).toLocaleString("en-US");
    const others = !all && elsewhere.length > 0 ? `, ${elsewhere.length.toLocaleString("en-US")} not on this page` : "";
    bar.querySelector(".bulk-count").textContent = `${count} selected${others}`;
    bar.querySelector(".bulk-all b").textContent = matching.toLocaleString("en-US");
    bar.querySelector(".bulk-all").hidden = matching <= boxes.length && elsewhere.length === 0;
    bar.querySelector(".bulk-carried").replaceChildren(...elsewhere.map(hiddenInput));
    bar.toggleAttribute("data-open", selection.size > 0);
    const page = form.querySelector("[data-check-page]");
    const checked = boxes.filter((box) => box.checked).length;
    page.checked = checked > 0 && checked === boxes.length;
    page.indeterminate = checked > 0 && checked < boxes.length;
  };
  const showAll = () => {
    for (const form of document.querySelectorAll("form[data-run]")) show(form);
  };

  const select = (form, boxes, on) => {
    const selection = selectionOf(form);
    for (const { value } of boxes) on ? selection.add(value) : selection.delete(value);
    sessionStorage.setItem(PREFIX + form.dataset.run, JSON.stringify([...selection]));
    show(form);
  };
  const clear = (form) => {
    selectionOf(form).clear();
    select(form, [], false);
  };

  // With shift, everything from the last box that was changed to this one.
  const toggle = (form, box, on, range) => {
    const boxes = boxesOf(form);
    const from = range && last?.isConnected ? boxes.indexOf(last) : -1;
    const to = boxes.indexOf(box);
    select(form, from < 0 ? [box] : boxes.slice(Math.min(from, to), Math.max(from, to) + 1), on);
    last = box;
  };

  document.addEventListener("click", (event) => {
    const { target, shiftKey } = event;
    const form = formOf(target);
    if (!form) return;
    if (target.matches(".c-check input[name=symbol]")) toggle(form, target, target.checked, shiftKey);
    else if (target.matches("[data-check-page]")) select(form, boxesOf(form), target.checked);
    else if (target.matches("[name=all]")) show(form);
    else if (target.matches("[data-select-none]")) clear(form);
  });

  // x selects the row that has the focus, X all from the last one to it, Escape lets go of all.
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === "x" || key === "X") {
      const box = target.closest(".queue tbody tr")?.querySelector(".c-check input");
      if (!box) return;
      event.preventDefault();
      toggle(formOf(box), box, !box.checked, key === "X");
    } else if (key === "Escape" && !document.querySelector(":popover-open, dialog[open]")) {
      for (const form of document.querySelectorAll("form[data-run]")) if (selectionOf(form).size > 0) clear(form);
    }
  });

  // What was asked for is done: the next thing concerns other rows.
  document.addEventListener("barkeep:acted", ({ detail }) => {
    const form = document.querySelector(`form[data-run="${CSS.escape(detail)}"]`);
    if (form) clear(form);
  });
  document.addEventListener("barkeep:rows", showAll);
  document.getElementById("stream")?.addEventListener("htmx:sse:after:message", ({ detail }) => {
    const { event, data } = detail.message;
    if (!event && /<hx-partial id="(?:runs"|pager-)/.test(data)) showAll();
  });
  showAll();
})();
