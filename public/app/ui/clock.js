// The clocks of a page, and its times in the reader's zone. The server sends the start of a duration, so that passing
// seconds cause no traffic.

import { find, findAll } from "./dom.js";
import { formatDuration, writeMoment, zoneTitle } from "./time.js";

/** @import { MomentStyle } from "./time.js" */

// By the server's clock: a browser with a wrong clock would show wrong durations.
let offset = 0;
let timeZone = "UTC";

/**
 * The time by the server's clock.
 * @returns {number} epoch milliseconds
 */
export const now = () => Date.now() + offset;

/**
 * `14:02:11 UTC`: a moment of today in the reader's zone.
 * @param {number} at epoch milliseconds
 * @returns {string}
 */
export const writeSecond = (at) => writeMoment(at, timeZone, "second");

/**
 * @param {HTMLElement} cell
 * @param {string} text
 */
const write = (cell, text) => {
  if (cell.textContent !== text) cell.textContent = text;
};

/** Starts the clocks, and writes times in the reader's zone where the server could not. */
export function setUpClock() {
  /** @type {HTMLTimeElement | null} */
  const clock = find("#clock time");
  if (clock) offset = Date.parse(clock.dateTime) - Date.now();

  // The server learns the browser's own zone from a cookie, so that it writes the next page in it.
  const root = document.documentElement;
  const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!document.cookie.includes(`barkeep-local-zone=${encodeURIComponent(browserZone)}`)) {
    // biome-ignore lint/suspicious/noDocumentCookie: the cookie store exists only over TLS, and not in every browser
    document.cookie = `barkeep-local-zone=${encodeURIComponent(browserZone)}; path=${root.dataset.base}; max-age=31536000; samesite=lax`;
  }
  timeZone = (root.dataset.zone === "local" && browserZone) || root.dataset.timeZone || "UTC";

  // Updates are the same bytes for all readers, in UTC: they are rewritten in the reader's zone as they arrive.
  const rewrite = () => {
    /** @type {NodeListOf<HTMLTimeElement>} */
    const moments = findAll("time[data-moment]");
    for (const cell of moments) {
      const style = /** @type {MomentStyle} */ (cell.dataset.moment);
      if (cell !== clock) write(cell, writeMoment(Date.parse(cell.dateTime), timeZone, style));
    }
  };
  if (timeZone !== root.dataset.timeZone) {
    rewrite();
    for (const cell of findAll("[data-zone-title]")) write(cell, zoneTitle(timeZone));
  }
  if (timeZone !== "UTC") document.addEventListener("htmx:after:swap", rewrite);

  // Adds the browser's zone to times that are written in their own zone and in UTC.
  for (const cell of findAll("[data-local]")) {
    cell.textContent = `your time, ${new Date(Number(cell.dataset.local)).toLocaleString("en-US", {
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
      timeZoneName: "short",
    })}`;
  }

  const tick = () => {
    if (document.hidden) return;
    const at = now();
    /** @param {string | undefined} until epoch milliseconds */
    const left = (until) => Math.max(0, Math.ceil((Number(until) - at) / 1000));
    for (const cell of findAll("[data-until]")) write(cell, formatDuration(left(cell.dataset.until)));
    for (const cell of findAll("[data-left]")) write(cell, String(left(cell.dataset.left)));
    for (const cell of findAll("[data-since]")) {
      write(cell, formatDuration(Math.max(0, (at - Number(cell.dataset.since)) / 1000)));
    }
    if (clock) write(clock, writeSecond(at));
  };
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
  tick();

  find("#stream")?.addEventListener("heartbeat", ({ detail }) => {
    offset = Number(detail.data) - Date.now();
  });
}
