// Clocks. The server sends the moment from which a duration counts; passing seconds cost no traffic.
// The chapters of this folder are served as one script; this one comes first, and its `pageClock` is what others use.

const pageClock = (() => {
  const face = document.querySelector("#clock time");
  // The server's clock counts: a browser whose clock is off would show wrong durations.
  let ahead = face ? Date.parse(face.dateTime) - Date.now() : 0;
  const now = () => Date.now() + ahead;

  const write = (cell, text) => {
    if (cell.textContent !== text) cell.textContent = text;
  };
  const pad = (value) => String(value).padStart(2, "0");
  const duration = (seconds) => {
    if (seconds < 60) return `${seconds}s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${pad(seconds % 60)}s`;
    return `${Math.floor(seconds / 3600)}h ${pad(Math.floor((seconds % 3600) / 60))}m`;
  };

  // The reader's zone. The server learns the browser's own from a cookie, so that the next page is right as it comes.
  const root = document.documentElement;
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!document.cookie.includes(`barkeep-local-zone=${encodeURIComponent(own)}`)) {
    // biome-ignore lint/suspicious/noDocumentCookie: the cookie store exists only over TLS, and not in every browser
    document.cookie = `barkeep-local-zone=${encodeURIComponent(own)}; path=/; max-age=31536000; samesite=lax`;
  }
  const zone = (root.dataset.zone === "local" && own) || root.dataset.timeZone || "UTC";
  const digits = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "short" };
  const dates = { year: "numeric", month: "2-digit", day: "2-digit" };
  const format = new Intl.DateTimeFormat("en-US", { ...dates, ...digits, timeZone: zone });

  // As in src/domain/time.ts.
  const moment = (at, style) => {
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const time = `${part.hour}:${part.minute}:${part.second}`;
    if (style === "bare") return time;
    if (style === "second") return `${time} ${part.timeZoneName}`;
    const minute = `${part.hour}:${part.minute} ${part.timeZoneName}`;
    return style === "clock" ? minute : `${part.year}-${part.month}-${part.day} ${minute}`;
  };
  // What is pushed is the same bytes for everybody, in UTC: it is written anew in the reader's zone as it arrives.
  const rewrite = () => {
    for (const cell of document.querySelectorAll("time[data-moment]")) {
      if (cell !== face) write(cell, moment(Date.parse(cell.dateTime), cell.dataset.moment));
    }
  };

  if (zone !== root.dataset.timeZone) {
    rewrite();
    const title = zone === "UTC" ? zone : `${zone.slice(zone.lastIndexOf("/") + 1).replaceAll("_", " ")} time`;
    for (const cell of document.querySelectorAll("[data-zone-title]")) write(cell, title);
  }
  if (zone !== "UTC") document.addEventListener("htmx:after:swap", rewrite);

  // Moments that are written in their own zone and in UTC, once more in the viewer's.
  for (const cell of document.querySelectorAll("[data-local]")) {
    const style = { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" };
    cell.textContent = `here ${new Date(Number(cell.dataset.local)).toLocaleString("en-US", style)}`;
  }

  const tick = () => {
    if (document.hidden) return;
    const at = now();
    const left = (until) => Math.max(0, Math.ceil((Number(until) - at) / 1000));
    for (const cell of document.querySelectorAll("[data-until]")) write(cell, duration(left(cell.dataset.until)));
    for (const cell of document.querySelectorAll("[data-left]")) write(cell, String(left(cell.dataset.left)));
    for (const cell of document.querySelectorAll("[data-since]")) {
      write(cell, duration(Math.max(0, Math.floor((at - Number(cell.dataset.since)) / 1000))));
    }
    if (face) write(face, moment(at, "second"));
  };
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
  tick();

  document.getElementById("stream")?.addEventListener("heartbeat", (event) => {
    ahead = Number(event.detail.data) - Date.now();
  });

  return { now, time: (at) => moment(at, "second") };
})();
