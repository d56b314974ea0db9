// The command palette: opened by Ctrl-K or the search link, navigated with the arrow keys. The server sends the list.

import { closest, find, findAll } from "./dom.js";

/** Opens the palette, and follows the chosen entry. */
export function setUpCommandPalette() {
  if (document.documentElement.dataset.scope === "none") return;
  /** @type {HTMLDialogElement | null} */
  const dialog = find("#palette");
  /** @type {HTMLInputElement | null} */
  const input = dialog && find("[role=combobox]", dialog);
  if (!dialog || !input) return;

  // Enter before the answer to the last letter waits for that answer.
  let pending = false;
  let enterPressed = false;
  const options = () => [...findAll("[role=option]", dialog)];
  const chosen = () => find("[aria-selected=true]", dialog);
  /** @param {HTMLElement | null | undefined} option */
  const choose = (option) => {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
  };
  const open = () => {
    if (dialog.open || find("dialog[open]")) return;
    dialog.showModal();
    input.select();
    pending = true;
    window.htmx?.trigger(input, "refresh");
  };

  find("#search-link")?.addEventListener("click", (event) => {
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
    enterPressed = false;
    choose(null);
  });
  input.addEventListener("htmx:after:swap", () => {
    // An answer to an earlier text is ignored: that to the last one is still to come.
    if (find("[data-query]", dialog)?.dataset.query !== input.value.trim()) return;
    pending = false;
    choose(options()[0]);
    if (enterPressed) chosen()?.click();
    enterPressed = false;
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const all = options();
      const current = chosen();
      const at = current === null ? -1 : all.indexOf(current);
      const by = event.key === "ArrowDown" ? 1 : -1;
      event.preventDefault();
      choose(all[(at + by + all.length) % all.length]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (pending) enterPressed = true;
      else chosen()?.click();
    }
  });
  dialog.addEventListener("close", () => {
    enterPressed = false;
  });
  dialog.addEventListener("click", (event) => {
    // A click beside the palette, or a link to a part of the present page.
    if (event.target === dialog || closest(event, "a[role=option]")) dialog.close();
  });
  dialog.addEventListener("pointermove", (event) => {
    const option = closest(event, "[role=option]");
    if (option && option !== chosen()) choose(option);
  });
}
