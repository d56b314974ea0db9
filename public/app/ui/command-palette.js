// The palette: opened by Ctrl-K or the search link, walked with the arrow keys. The server sends the list.

(() => {
  const dialog = document.getElementById("palette");
  const input = dialog?.querySelector("[role=combobox]");
  const link = document.getElementById("search-link");
  if (!input) return;

  // Enter that comes before the answer to the last letter waits for it.
  let pending = false;
  let go = false;
  const options = () => [...dialog.querySelectorAll("[role=option]")];
  const chosen = () => dialog.querySelector("[aria-selected=true]");
  const choose = (option) => {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
  };
  const open = () => {
    if (dialog.open || document.querySelector("dialog[open]")) return;
    dialog.showModal();
    input.select();
    pending = true;
    window.htmx.trigger(input, "refresh");
  };

  link?.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (!window.htmx) return;
    event.preventDefault();
    open();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || event.altKey || event.shiftKey || !(event.ctrlKey || event.metaKey)) return;
    if (!window.htmx) return;
    event.preventDefault();
    if (dialog.open) dialog.close();
    else open();
  });

  input.addEventListener("input", () => {
    pending = true;
    go = false;
    choose(null);
  });
  input.addEventListener("htmx:after:swap", () => {
    // The answer to what stood there before: the one to what was typed is still to come.
    if (dialog.querySelector("[data-query]")?.dataset.query !== input.value.trim()) return;
    pending = false;
    choose(options()[0]);
    if (go) chosen()?.click();
    go = false;
  });
  input.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by !== undefined) {
      const all = options();
      event.preventDefault();
      choose(all[(all.indexOf(chosen()) + by + all.length) % all.length]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (pending) go = true;
      else chosen()?.click();
    }
  });
  dialog.addEventListener("close", () => {
    go = false;
  });
  dialog.addEventListener("click", (event) => {
    // Beside the palette, or on a part of the page that is already shown.
    if (event.target === dialog || event.target.closest("a[role=option]")) dialog.close();
  });
  dialog.addEventListener("pointermove", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && option !== chosen()) choose(option);
  });
})();
