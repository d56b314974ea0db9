// Row and run actions, questions and notices, by delegation: one listener each, however many rows.

(() => {
  // The row dims at once and shows its real state when that arrives; a refusal brings it back and says why.
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    const form = event.target;
    if (!form.matches("[data-actions]") || !button || !window.htmx) return;
    event.preventDefault();
    const row = button.closest("tr");
    button.closest("[popover]")?.hidePopover();
    row?.classList.add("acting");
    window.htmx
      .ajax("POST", button.getAttribute("formaction") ?? form.action, { source: button, swap: "none" })
      .finally(() => {
        row?.classList.remove("acting");
        button.closest(".notice")?.remove();
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
