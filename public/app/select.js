// Check boxes in tables marked `data-select`: Shift takes all between, the box in the head all that are shown. The
// number is said in the `[data-selected]` of the same form. Rows are looked up anew each time, so they may come and go.

(() => {
  const BOX = 'table[data-select] tbody input[type="checkbox"]';
  const HEAD = "table[data-select] [data-select-all]";
  const boxesOf = (table) =>
    [...table.querySelectorAll('tbody input[type="checkbox"]')].filter((box) => !box.disabled && box.checkVisibility());
  // The last box that was clicked, by its value: its row may have been drawn again since.
  let last = null;

  function say(table) {
    const boxes = boxesOf(table);
    const checked = boxes.filter((box) => box.checked).length;
    const head = table.querySelector("[data-select-all]");
    if (head) {
      head.hidden = false;
      head.checked = checked > 0 && checked === boxes.length;
      head.indeterminate = checked > 0 && checked < boxes.length;
    }
    const count = table.closest("form")?.querySelector("[data-selected]");
    if (count) count.textContent = checked === 0 ? "" : `${checked.toLocaleString("en-US")} selected`;
  }

  document.addEventListener("click", (event) => {
    const head = event.target.closest(HEAD);
    if (head) {
      const table = head.closest("table");
      for (const box of boxesOf(table)) box.checked = head.checked;
      return say(table);
    }
    const box = event.target.closest(BOX);
    if (!box) return;
    const table = box.closest("table");
    const boxes = boxesOf(table);
    const from = boxes.findIndex(({ value }) => value === last);
    if (event.shiftKey && from >= 0) {
      const [start, end] = [from, boxes.indexOf(box)].sort((a, b) => a - b);
      for (const each of boxes.slice(start, end + 1)) each.checked = box.checked;
    }
    last = box.value;
    say(table);
  });

  // A browser that goes back keeps what was checked.
  addEventListener("pageshow", () => document.querySelectorAll("table[data-select]").forEach(say));
})();
