// The live stream: how fresh the page is, and a watchdog for a connection that has died without a word.

(() => {
  const stream = document.getElementById("stream");
  const chip = document.getElementById("freshness");
  if (!stream || !chip) return;

  // The server sends a heartbeat every 5 s, so silence means trouble.
  const LATE = 8_000;
  const STALE = 15_000;
  let connection = null;
  let heard = 0;
  const say = (state, text) => {
    if (chip.dataset.state !== state) chip.dataset.state = state;
    if (chip.textContent !== text) chip.textContent = text;
  };
  const show = () => {
    const silence = performance.now() - heard;
    if (heard === 0) say("off", "connecting");
    else if (silence < LATE) say("live", "live");
    else if (silence < STALE) say("late", `delayed ${Math.round(silence / 1000)} s`);
    else say("stale", `stale since ${pageClock.time(pageClock.now() - silence)}`);
    if (heard !== 0 && silence >= STALE) {
      // A half-open connection never ends by itself: end it, and the extension connects again.
      connection?.reader?.cancel();
      connection = null;
    }
  };
  setInterval(() => document.hidden || show(), 1000);
  document.addEventListener("visibilitychange", () => document.hidden || show());
  show();

  const hear = (event) => {
    connection = event.detail.connection;
    heard = performance.now();
    if (chip.dataset.state !== "live") show();
  };
  stream.addEventListener("htmx:sse:after:connection", hear);
  stream.addEventListener("htmx:sse:before:message", hear);
})();
