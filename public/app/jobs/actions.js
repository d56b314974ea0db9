// Row and run actions, questions and notices, by delegation: one listener each, however many rows.

(() => {
  // The row dims at once and shows its real state when that arrives; a refusal brings it back and says why.
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    const form = event.target;
    if (!form.matches("[data-actions]") || !button || !window.htmx) return;
    event.preventDefault();
    const address = button.getAttribute("formaction") ?? form.action;
    const row = button.closest("tr") ?? document.getElementById(form.dataset.row);
    const rows = row ? [row] : button.closest(".bulk") ? [...form.querySelectorAll("tbody tr:has(:checked)")] : [];
    button.closest("[popover]")?.hidePopover();
    for (const each of rows) each.classList.add("acting");
    window.htmx.ajax("POST", address, { source: button, swap: "none" }).finally(() => {
      for (const each of rows) each.classList.remove("acting");
      button.closest(".notice")?.remove();
      const details = document.getElementById("job-details");
      if (details) window.htmx.ajax("GET", `${location.pathname}?details`, { target: details, swap: "outerHTML" });
      const run = /\/runs\/([^/]+)\/selected\//.exec(address)?.[1];
      const done = !document.querySelector("#question dialog, .notice-error");
      if (run && done) document.dispatchEvent(new CustomEvent("barkeep:acted", { detail: decodeURIComponent(run) }));
    });
  });

  // A question from the server opens as a dialog; "no" only closes it.
  document.addEventListener("htmx:after:swap", () =>
    document.querySelector("#question dialog:not([open])")?.showModal(),
  );

  document.addEventListener("click", (event) => {
    event.target.closest("[data-dismiss]")?.closest(".notice")?.remove();
    const dialog = event.target.closest("[data-close]")?.closest("dialog");
    if (dialog) {
      event.preventDefault();
      dialog.close();
      dialog.remove();
    }
  });

  // Notices leave by themselves, but not while somebody reads or uses them.
  setInterval(() => {
    if (document.hidden) return;
    for (const notice of document.querySelectorAll("[data-expires]")) {
      notice.dataset.expires = String(Number(notice.dataset.expires) - 1);
      if (Number(notice.dataset.expires) <= 0 && !notice.matches(":hover, :focus-within")) notice.remove();
    }
  }, 1000);
})();
