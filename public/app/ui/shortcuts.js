// Keys, unless something is being typed: j and k walk the rows, any other leads to the element that names it.

(() => {
  const step = (by) => {
    const rows = [...document.querySelectorAll(":is(.queue, .list) tbody:not([hidden]) tr")];
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    const row = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
    (row?.querySelector(".icon-button") ?? row?.querySelector("a, button"))?.focus();
  };
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || key.length > 1) return;
    if (target.closest("input, textarea, select, dialog")) return;
    const goals = ["shortcut", "shortcut-else"].map((name) =>
      document.querySelector(`[data-${name}="${CSS.escape(key)}"]`),
    );
    const goal = goals.find((each) => each && (each.matches("a, button") || each.checkVisibility()));
    if (!goal && key !== "j" && key !== "k") return;
    event.preventDefault();
    if (!goal) step(key === "j" ? 1 : -1);
    else if (goal.matches("a, button")) goal.click();
    else {
      goal.focus();
      goal.select?.();
    }
  });
})();
