// Actions on rows and runs, dialogs and toasts, by delegation: one listener each for any number of rows.

import { closest, find, findAll } from "../ui/dom.js";
import { clearSelection } from "./selection.js";

/**
 * Sends a form with `data-actions` without leaving the page. Its rows are dimmed until the answer arrives: their new
 * state comes over the stream, and a refusal shows the reason.
 * @param {SubmitEvent} event
 */
function act(event) {
  const { target: form, submitter: button } = event;
  const { htmx } = window;
  if (!(form instanceof HTMLFormElement) || !form.matches("[data-actions]") || !button || !htmx) return;
  event.preventDefault();
  const address = button.getAttribute("formaction") ?? form.action;
  const row = button.closest("tr") ?? document.getElementById(form.dataset.row ?? "");
  const rows = row ? [row] : button.closest(".bulk") ? [...findAll("tbody tr:has(:checked)", form)] : [];
  /** @type {HTMLElement | null} */
  const menu = button.closest("[popover]");
  menu?.hidePopover();
  for (const each of rows) each.classList.add("acting");
  htmx.ajax("POST", address, { source: button, swap: "none" }).finally(() => {
    for (const each of rows) each.classList.remove("acting");
    button.closest(".notice")?.remove();
    const details = find("#job-details");
    if (details) htmx.ajax("GET", `${location.pathname}?details`, { target: details, swap: "outerHTML" });
    const run = /\/runs\/([^/]+)\/selected\//.exec(address)?.[1];
    const done = !find("#question dialog, .notice-error");
    if (run && done) clearSelection(decodeURIComponent(run));
  });
}

/** Sends actions in the background, opens confirmations as dialogs, and removes toasts. */
export function setUpActions() {
  document.addEventListener("submit", act);

  // Nothing came back from what was pressed. What is sent while one types has a trigger of its own, and is not worth a word.
  document.addEventListener("htmx:error", (event) => {
    const { ctx } = /** @type {CustomEvent<{ ctx?: { request: { method: string }, response?: object } }>} */ (event)
      .detail;
    const isSent = ctx?.request.method === "POST" && !ctx.response;
    if (!isSent || closest(event, "[hx-trigger]")) return;
    /** @type {HTMLTemplateElement | null} */
    const toast = find("#unanswered");
    if (toast) find("#notices")?.append(toast.content.cloneNode(true));
  });

  // A confirmation from the server opens as a dialog; "no" and Escape close it. A closed one has to go: the next live
  // update would open it again.
  document.addEventListener("htmx:after:swap", () => {
    /** @type {HTMLDialogElement | null} */
    const dialog = find("#question dialog:not([open], [data-asked])");
    if (!dialog) return;
    dialog.dataset.asked = "";
    dialog.addEventListener("close", () => dialog.remove());
    dialog.showModal();
  });

  document.addEventListener("click", (event) => {
    closest(event, "[data-dismiss]")?.closest(".notice")?.remove();
    const dialog = closest(event, "[data-close]")?.closest("dialog");
    if (dialog) {
      event.preventDefault();
      dialog.close();
    }
  });

  // Toasts disappear after some seconds, but not while they are hovered or focused.
  setInterval(() => {
    if (document.hidden) return;
    for (const notice of findAll("[data-expires]")) {
      const left = Number(notice.dataset.expires) - 1;
      notice.dataset.expires = String(left);
      if (left <= 0 && !notice.matches(":hover, :focus-within")) notice.remove();
    }
  }, 1000);
}
