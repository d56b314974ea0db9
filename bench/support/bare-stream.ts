/** The least that a live page can be, to compare pages with. */

const TICK_MS = 100;

/** Records, in the next page, the time of the first paint and of the first update of the live stream. */
export const NOTE_TIMES = `
  window.update = new Promise((resolve) => {
    window.updated = () => resolve(performance.now());
    document.addEventListener("htmx:sse:after:message", window.updated);
  });
  window.paint = new Promise((resolve) => {
    new PerformanceObserver((list) => {
      for (const { name, startTime } of list.getEntries()) if (name === "first-contentful-paint") resolve(startTime);
    }).observe({ type: "paint", buffered: true });
  });`;
const BARE_PAGE = `<!doctype html><title>Bare</title><p id="update">Nothing yet</p><script>
  new EventSource("/stream").onmessage = ({ data }) => {
    document.getElementById("update").textContent = data;
    updated();
  };
</script>`;

/** A page with nothing but a text, and a stream that sends one per tick. */
export function serveBareStream() {
  const encoder = new TextEncoder();
  return Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch(request) {
      if (!request.url.endsWith("/stream"))
        return new Response(BARE_PAGE, { headers: { "Content-Type": "text/html" } });
      let timer: ReturnType<typeof setInterval>;
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          timer = setInterval(() => controller.enqueue(encoder.encode(`data: ${Date.now()}\n\n`)), TICK_MS);
        },
        cancel: () => clearInterval(timer),
      });
      return new Response(stream, { headers: { "Content-Type": "text/event-stream" } });
    },
  });
}
