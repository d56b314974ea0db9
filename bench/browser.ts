/**
 * The cost of the monitor in a browser: bytes and milliseconds of a visit, compared with a minimal page and stream from
 * the same process, and the main thread's work while 500 symbols run at full speed. The argument is the duration of that
 * run in seconds (120).
 */

import type { CDPSession, Page } from "playwright-core";
import { BrowserApp, closeBrowser, live } from "../tests/e2e/browser.ts";
import { NOTE_TIMES, serveBareStream } from "./support/bare-stream.ts";
import { atMost, median, report } from "./support/report.ts";

const SECONDS = Number(process.argv[2] ?? 120);
const SYMBOLS = Array.from({ length: 500 }, (_, index) => `S${index + 1}`);
const VISITS = 7;

async function startRun(browserApp: BrowserApp, years: number, batchDays = 30): Promise<string> {
  const response = await fetch(`${browserApp.address}/api/runs`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ symbols: SYMBOLS, years, batch_days: batchDays }),
  });
  const { run } = (await response.json()) as { run: { id: string } };
  return run.id;
}

/** Kilobytes transferred, headers included, until the page is live: everything, and what the stream has sent by then. */
async function bytesOf(page: Page, address: string): Promise<number> {
  const session = await page.context().newCDPSession(page);
  const bytes = new Map<string, number>();
  const add = (id: string, more: number) => bytes.set(id, (bytes.get(id) ?? 0) + more);
  session.on("Network.dataReceived", ({ requestId, encodedDataLength }) => void add(requestId, encodedDataLength));
  session.on("Network.responseReceived", ({ requestId, response }) => void add(requestId, response.encodedDataLength));
  // The total of a request that has ended, its headers included.
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    bytes.set(requestId, encodedDataLength);
  });
  await session.send("Network.enable");
  await page.addInitScript(NOTE_TIMES);
  await page.goto(address, { waitUntil: "load" });
  await live(page);
  await page.evaluate("update");
  await session.detach();
  return bytes.values().reduce((sum, each) => sum + each, 0) / 1_000;
}

/** Milliseconds from the start of a first visit to the first paint and to the first update, as medians. */
async function timesOf(browserApp: BrowserApp, address: string) {
  const times: { paint: number; update: number }[] = [];
  for (let visit = 0; visit < VISITS; visit++) {
    const page = await browserApp.openPage("/healthz");
    await page.addInitScript(NOTE_TIMES);
    await page.goto(address);
    times.push(await page.evaluate("Promise.all([paint, update]).then(([paint, update]) => ({ paint, update }))"));
    await browserApp.closePages();
  }
  return { paint: median(times.map(({ paint }) => paint)), update: median(times.map(({ update }) => update)) };
}

async function visits() {
  // Slow enough for the run to last, fast enough for a change in every tick.
  const browserApp = await BrowserApp.open({ DEMO_LATENCY_MS: "100" });
  const [empty, again] = await visitTwice(browserApp);
  const runId = await startRun(browserApp, 30);
  const [full, fullAgain] = await visitTwice(browserApp);
  const own = await timesOf(browserApp, browserApp.address);
  const server = serveBareStream();
  const bare = await timesOf(browserApp, server.url.href);
  await server.stop(true);
  await browserApp.app.runs.actOnRun(runId, "cancel");
  await browserApp.close();
  const kilobytes = (value: number) => `${value.toFixed(1)} KB`;
  report([
    {
      question: "bytes of the first visit of /",
      measured: `${kilobytes(empty)} empty, ${kilobytes(full)} with 500 rows`,
      ...atMost(Math.max(empty, full), 60, "KB"),
    },
    {
      question: "bytes of the second visit of /",
      measured: `${kilobytes(again)} empty, ${kilobytes(fullAgain)} with 500 rows`,
      ...atMost(Math.max(again, fullAgain), 10, "KB"),
    },
    {
      question: "first paint of / with 500 rows",
      measured: `${own.paint.toFixed(0)} ms`,
      comparedWith: `bare page ${bare.paint.toFixed(0)} ms`,
      ratio: (own.paint / bare.paint).toFixed(2),
    },
    {
      question: "first live update of / with 500 rows",
      measured: `${own.update.toFixed(0)} ms`,
      comparedWith: `bare stream ${bare.update.toFixed(0)} ms`,
      ratio: (own.update / bare.update).toFixed(2),
      ...atMost(own.update / bare.update, 2),
    },
  ]);
}

async function visitTwice(browserApp: BrowserApp): Promise<[number, number]> {
  const page = await browserApp.openPage("/healthz");
  const bytes: [number, number] = [await bytesOf(page, browserApp.address), await bytesOf(page, browserApp.address)];
  await browserApp.closePages();
  return bytes;
}

/** Seconds of wall time, of tasks and of processor time of the main thread, and the live heap in bytes. */
async function readMainThread(session: CDPSession) {
  await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  const value = (name: string) => metrics.find((metric) => metric.name === name)!.value;
  return {
    at: value("Timestamp"),
    tasks: value("TaskDuration"),
    processor: value("ThreadTime"),
    heap: value("JSHeapUsedSize"),
  };
}

async function fullSpeed() {
  const browserApp = await BrowserApp.open();
  const page = await browserApp.openPage("/");
  await live(page);
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  await page.evaluate(`{
    window.long = [];
    window.messages = 0;
    new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration)))
      .observe({ type: "longtask" });
    document.addEventListener("htmx:sse:after:message", () => messages++);
  }`);
  // Long enough for the run to last longer than the bench.
  const runId = await startRun(browserApp, Math.min(30, Math.ceil(SECONDS / 3)), 10);
  await page.locator(".queue tbody tr").nth(499).waitFor({ state: "attached" });
  await page.evaluate("new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))");
  const drawing = await page.evaluate<number[]>("long.splice(0)");
  await page.evaluate("messages = 0");
  const before = await readMainThread(session);
  await Bun.sleep(SECONDS * 1_000);
  const after = await readMainThread(session);
  const long = await page.evaluate<number[]>("long");
  const messages = await page.evaluate<number>("messages");
  const states = browserApp.app.hub.jobsOf(runId).map(({ state }) => state);
  if (states.includes("queued")) await browserApp.app.runs.actOnRun(runId, "cancel");
  else console.log("The run ended before the bench did: the figures hold for less time");
  await browserApp.close();

  const seconds = after.at - before.at;
  const perSecond = (name: "tasks" | "processor") => ((after[name] - before[name]) * 1_000) / seconds;
  const longest = (tasks: readonly number[]) =>
    tasks.length === 0 ? "none over 50 ms" : `${tasks.length} over 50 ms, longest ${Math.max(...tasks).toFixed(0)} ms`;
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  report([
    {
      question: `main thread of the browser, 500 symbols at full speed for ${seconds.toFixed(0)} s`,
      measured: `${perSecond("processor").toFixed(0)} ms of CPU a second (tasks ${perSecond("tasks").toFixed(0)} ms)`,
      comparedWith: `${(messages / seconds).toFixed(1)} messages a second`,
      ...atMost(perSecond("processor"), 100, "ms of CPU a second"),
    },
    {
      question: "its long tasks",
      measured: longest(long),
      comparedWith: `the first drawing: ${longest(drawing)}`,
      target: "none",
      missed: long.length > 0,
    },
    {
      question: "its heap",
      measured: `${megabytes(before.heap)} at the start, ${megabytes(after.heap)} at the end`,
      ratio: (after.heap / before.heap).toFixed(2),
      ...atMost(after.heap / before.heap, 2),
    },
  ]);
}

try {
  await visits();
  if (process.argv[2] !== "visits") await fullSpeed();
} finally {
  // An open browser would keep the process until its limit.
  await closeBrowser();
}
