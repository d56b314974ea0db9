// Clocks. The server sends the moment from which a duration counts; passing seconds cost no traffic.
// The chapters of this folder are served as one script; this one comes first, and its `pageClock` is what others use.

const pageClock = (() => {
  const face = document.getElementById("clock");
  // The server's clock counts: a browser whose clock is off would show wrong durations.
  let ahead = face ? Date.parse(face.dateTime) - Date.now() : 0;
  const now = () => Date.now() + ahead;

  const pad = (value) => String(value).padStart(2, "0");
  const duration = (seconds) => {
    if (seconds < 60) return `${seconds}s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${pad(seconds % 60)}s`;
    return `${Math.floor(seconds / 3600)}h ${pad(Math.floor((seconds % 3600) / 60))}m`;
  };
  const time = (at) => new Date(at).toISOString().slice(11, 19);

  // Moments that are written in their own zone and in UTC, once more in the viewer's.
  for (const cell of document.querySelectorAll("[data-local]")) {
    const style = { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" };
    cell.textContent = `here ${new Date(Number(cell.dataset.local)).toLocaleString("en-US", style)}`;
  }

  const write = (cell, text) => {
    if (cell.textContent !== text) cell.textContent = text;
  };
  const tick = () => {
    if (document.hidden) return;
    const at = now();
    for (const cell of document.querySelectorAll("[data-until]")) {
      write(cell, duration(Math.max(0, Math.ceil((Number(cell.dataset.until) - at) / 1000))));
    }
    for (const cell of document.querySelectorAll("[data-since]")) {
      write(cell, duration(Math.max(0, Math.floor((at - Number(cell.dataset.since)) / 1000))));
    }
    if (face) write(face, `${time(at)} UTC`);
  };
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
  tick();

  document.getElementById("stream")?.addEventListener("heartbeat", (event) => {
    ahead = Number(event.detail.data) - Date.now();
  });

  return { now, time };
})();
