// The little that HTML and htmx leave to do: clocks, the freshness chip, the watchdog of the live stream, row actions.
// Without this file every page and every action still works.

(() => {
  const byId = (id) => document.getElementById(id);

  // Clocks. The server sends the moment from which a duration counts; passing seconds cost no traffic.
  const pad = (value) => String(value).padStart(2, "0");
  const duration = (seconds) => {
    if (seconds < 60) return `${seconds}s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${pad(seconds % 60)}s`;
    return `${Math.floor(seconds / 3600)}h ${pad(Math.floor((seconds % 3600) / 60))}m`;
  };
  const clockTime = (at) => new Date(at).toISOString().slice(11, 19);
  const clock = byId("clock");
  // The server's clock counts: a browser whose clock is off would show wrong durations.
  let ahead = clock ? Date.parse(clock.dateTime) - Date.now() : 0;

  // Freshness: the server sends a heartbeat every 5 s, so silence means trouble.
  const LATE = 8_000;
  const STALE = 15_000;
  const stream = byId("stream");
  const chip = byId("freshness");
  let connection = null;
  let heard = 0;
  const hear = () => {
    heard = performance.now();
    if (chip && chip.dataset.state !== "live") showFreshness();
  };
  const say = (state, text) => {
    if (chip.dataset.state !== state) chip.dataset.state = state;
    if (chip.textContent !== text) chip.textContent = text;
  };
  const showFreshness = () => {
    const silence = performance.now() - heard;
    if (heard === 0) say("off", "connecting");
    else if (silence < LATE) say("live", "live");
    else if (silence < STALE) say("late", `delayed ${Math.round(silence / 1000)} s`);
    else say("stale", `stale since ${clockTime(Date.now() + ahead - silence)}`);
    if (heard !== 0 && silence >= STALE) {
      // A half-open connection never ends by itself: end it, and the extension connects again.
      connection?.reader?.cancel();
      connection = null;
    }
  };

  // Moments that are written in their own zone and in UTC, once more in the viewer's.
  for (const cell of document.querySelectorAll("[data-local]")) {
    const style = { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" };
    cell.textContent = `here ${new Date(Number(cell.dataset.local)).toLocaleString("en-US", style)}`;
  }

  const tick = () => {
    if (document.hidden) return;
    const now = Date.now() + ahead;
    for (const cell of document.querySelectorAll("[data-until]")) {
      const text = duration(Math.max(0, Math.ceil((Number(cell.dataset.until) - now) / 1000)));
      if (cell.textContent !== text) cell.textContent = text;
    }
    for (const cell of document.querySelectorAll("[data-since]")) {
      const text = duration(Math.max(0, Math.floor((now - Number(cell.dataset.since)) / 1000)));
      if (cell.textContent !== text) cell.textContent = text;
    }
    if (clock) clock.textContent = `${clockTime(now)} UTC`;
    if (chip) showFreshness();
    for (const notice of document.querySelectorAll("[data-expires]")) {
      notice.dataset.expires = String(Number(notice.dataset.expires) - 1);
      if (Number(notice.dataset.expires) <= 0 && !notice.matches(":hover, :focus-within")) notice.remove();
    }
  };
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
  tick();

  if (stream) {
    const hearFrom = (event) => {
      connection = event.detail.connection;
      hear();
    };
    stream.addEventListener("htmx:sse:after:connection", hearFrom);
    stream.addEventListener("htmx:sse:before:message", hearFrom);
    stream.addEventListener("heartbeat", (event) => {
      ahead = Number(event.detail.data) - Date.now();
    });
    // Signed out, or another server at the same address: only a new page helps.
    stream.addEventListener("htmx:sse:error", (event) => {
      if (event.detail.status === 401) location.reload();
    });
    stream.addEventListener("htmx:sse:after:message", () => {
      const lines = byId("log-lines");
      if (!lines) return;
      const keep = Number(lines.dataset.keep);
      while (lines.childElementCount > keep) lines.lastElementChild.remove();
    });
  }

  // Row and run actions, by delegation: one listener, however many rows. The row dims at once and shows its real
  // state when that arrives; a refusal brings it back and says why.
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
    byId("question")?.querySelector("dialog:not([open])")?.showModal(),
  );

  // Keys, unless something is being typed: j and k walk the rows, any other leads to the element that names it.
  const step = (by) => {
    const buttons = [...document.querySelectorAll(".queue td .icon-button")];
    const at = buttons.findIndex((button) => button.closest("tr").contains(document.activeElement));
    buttons[Math.min(buttons.length - 1, Math.max(0, at < 0 ? 0 : at + by))]?.focus();
  };
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || key.length > 1) return;
    if (target.closest("input, textarea, select, dialog")) return;
    const goal = document.querySelector(`[data-shortcut="${CSS.escape(key)}"]`);
    if (!goal && key !== "j" && key !== "k") return;
    event.preventDefault();
    if (!goal) step(key === "j" ? 1 : -1);
    else if (goal.matches("a, button")) goal.click();
    else {
      goal.focus();
      goal.select?.();
    }
  });

  document.addEventListener("click", (event) => {
    event.target.closest("[data-dismiss]")?.closest(".notice")?.remove();
    const dialog = event.target.closest("[data-close]")?.closest("dialog");
    if (dialog) {
      event.preventDefault();
      dialog.close();
      dialog.remove();
    }
  });
})();
