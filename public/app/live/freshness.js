// Shows how fresh the page is, and ends connections that broke without an error.

import { now, writeSecond } from "../ui/clock.js";
import { find } from "../ui/dom.js";

/** @import { SseConnection } from "../htmx.js" */

// Milliseconds without a message; the server sends a heartbeat every 5 s.
const LATE = 8_000;
const STALE = 15_000;

/** Updates the chip at the top, and ends a connection without messages for too long. */
export function setUpFreshness() {
  const stream = find("#stream");
  const chip = find("#freshness");
  if (!stream || !chip) return;

  /** @type {SseConnection | null} */
  let connection = null;
  // When the last message arrived, by the page's clock; 0: never.
  let lastSignal = 0;
  /**
   * @param {string} state
   * @param {string} text
   */
  const write = (state, text) => {
    if (chip.dataset.state !== state) chip.dataset.state = state;
    if (chip.textContent !== text) chip.textContent = text;
  };
  const show = () => {
    const silence = performance.now() - lastSignal;
    if (lastSignal === 0) write("off", "connecting");
    else if (silence < LATE) write("live", "live");
    else if (silence < STALE) write("late", `delayed ${Math.round(silence / 1000)} s`);
    else write("stale", `stale since ${writeSecond(now() - silence)}`);
    if (lastSignal !== 0 && silence >= STALE) {
      // A half-open connection does not end by itself; when it is ended, the extension reconnects.
      connection?.reader?.cancel();
      connection = null;
    }
  };
  setInterval(() => document.hidden || show(), 1000);
  document.addEventListener("visibilitychange", () => document.hidden || show());
  show();

  /** @param {CustomEvent<{ connection: SseConnection }>} event */
  const onSignal = ({ detail }) => {
    connection = detail.connection;
    lastSignal = performance.now();
    if (chip.dataset.state !== "live") show();
  };
  stream.addEventListener("htmx:sse:after:connection", onSignal);
  stream.addEventListener("htmx:sse:before:message", onSignal);
}
