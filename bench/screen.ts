/**
 * What a person sees of 20 runs with 5,000 symbols at full speed: the work of the browser's main thread while the monitor
 * is open, and the time from opening it to the first live update, compared with a bare page and stream of the same process.
 * The vendor is one on loopback. The argument is how long the main thread is watched, in seconds (30).
 */

import type { CDPSession } from "playwright-core";
import { BrowserApp, closeBrowser, live } from "../tests/e2e/browser.ts";
import { valuesFor } from "../tests/fakes/providers.ts";
import { fakeAlpaca } from "../tests/fakes/vendors/alpaca.ts";
import { clientOf } from "../tests/helpers/http.ts";
import { NOTE_TIMES, serveBareStream } from "./support/bare-stream.ts";
import { type BenchResult, median, report } from "./support/report.ts";

const SECONDS = Number(process.argv[2] ?? 30);
const RUNS = 20;
const SYMBOLS = 250;
const VISITS = 9;
const LONG_MS = 50;

/** The tasks of the page's main thread. */
interface Tasks {
  /** Processor time a second, milliseconds. */
  readonly perSecond: number;
  /** The longest by the clock and by processor time, milliseconds: a busy machine interrupts the former. */
  readonly longest: number;
  readonly longestProcessor: number;
  readonly long: number;
  readonly longProcessor: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** Traces what the main thread of the page does during `work`. */
async function watchTasks(session: CDPSession, work: () => Promise<unknown>): Promise<Tasks> {
  const events: TraceEvent[] = [];
  const collect = ({ value }: { value: unknown }) => void events.push(...(value as TraceEvent[]));
  session.on("Tracing.dataCollected", collect);
  const ended = new Promise<unknown>((resolve) => void session.once("Tracing.tracingComplete", resolve));
  const before = await threadTime(session);
  await session.send("Tracing.start", { traceConfig: { includedCategories: ["toplevel", "__metadata"] } });
  await work();
  const after = await threadTime(session);
  await session.send("Tracing.end");
  await ended;
  session.off("Tracing.dataCollected", collect);
  const main = new Set(
    events.flatMap(({ name, pid, tid, args }) =>
      name === "thread_name" && args.name === "CrRendererMain" ? [`${pid} ${tid}`] : [],
    ),
  );
  const tasks = events.filter(
    ({ name, ph, pid, tid }) => ph === "X" && name === "ThreadControllerImpl::RunTask" && main.has(`${pid} ${tid}`),
  );
  if (tasks.length === 0) throw new Error("the trace has no tasks of the main thread");
  const times = (of: (event: TraceEvent) => number | undefined) => tasks.map((event) => (of(event) ?? 0) / 1_000);
  const [clock, processor] = [times(({ dur }) => dur), times(({ tdur }) => tdur)];
  return {
    perSecond: ((after.processor - before.processor) * 1_000) / (after.at - before.at),
    longest: Math.max(...clock),
    longestProcessor: Math.max(...processor),
    long: clock.filter((ms) => ms > LONG_MS).length,
    longProcessor: processor.filter((ms) => ms > LONG_MS).length,
  };
}

const tasksOver = (question: string, { longProcessor, longestProcessor, long, longest }: Tasks): BenchResult => ({
  question,
  measured: `${longProcessor} by CPU (longest ${longestProcessor.toFixed(0)} ms)`,
  comparedWith: `${long} by the clock (longest ${longest.toFixed(0)} ms)`,
  target: "none",
  missed: longProcessor > 0,
});

/** Seconds of the clock, and of processor time of the main thread. */
async function threadTime(session: CDPSession) {
  const { metrics } = await session.send("Performance.getMetrics");
  const value = (name: string) => metrics.find((metric) => metric.name === name)!.value;
  return { at: value("Timestamp"), processor: value("ThreadTime") };
}

/** Milliseconds from the start of the navigation to the first live update, as a first visitor. */
async function firstUpdate(address: string): Promise<number> {
  const page = await browserApp.openPage("/healthz");
  await page.addInitScript(NOTE_TIMES);
  await page.goto(address);
  const time = await page.evaluate<number>("update");
  await browserApp.closePages();
  return time;
}

const vendor = fakeAlpaca();
const symbolsOf = (run: number) => Array.from({ length: SYMBOLS }, (_, at) => `R${run}S${at}`);
const browserApp = await BrowserApp.open({
  BARKEEP_PROVIDER: "alpaca",
  ALPACA_PER_MINUTE: "1000000",
  ...(valuesFor(vendor, "alpaca") as Record<string, string>),
});
try {
  const client = clientOf(browserApp.address);
  for (let run = 0; run < RUNS; run++) {
    const symbols = symbolsOf(run);
    for (const each of symbols) vendor.market.known.add(each);
    const { status, text } = await client.post("/api/runs", { symbols, years: 2, name: `Run ${run + 1}` });
    if (status !== 202) throw new Error(text);
  }
  const page = await browserApp.openPage("/healthz");
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const opening = await watchTasks(session, async () => {
    await page.goto(client.url);
    await live(page);
  });
  const tasks = await watchTasks(session, () => Bun.sleep(SECONDS * 1_000));
  const rows = await page.locator(".queue tbody tr").count();
  const cards = await page.locator(".run-card").count();
  await browserApp.closePages();

  const bare = serveBareStream();
  const [own, other]: [number[], number[]] = [[], []];
  for (let visit = 0; visit < VISITS; visit++) {
    own.push(await firstUpdate(client.url));
    other.push(await firstUpdate(bare.url.href));
  }
  await bare.stop(true);
  const { body } = await client.get("/api/runs?limit=50");
  const running = body.runs.filter(({ status }: { status: string }) => status === "running").length;
  if (running < RUNS) console.log(`${RUNS - running} of ${RUNS} runs ended before the bench did`);

  report([
    {
      question: `main thread of the browser, ${RUNS} runs with ${RUNS * SYMBOLS} symbols at full speed, ${SECONDS} s`,
      measured: `${tasks.perSecond.toFixed(0)} ms of CPU a second`,
      comparedWith: `${cards} cards and ${rows} rows shown`,
      target: "< 80 ms/s",
      missed: tasks.perSecond >= 80,
    },
    tasksOver("its tasks over 50 ms", tasks),
    tasksOver("the same while the page opens", opening),
    {
      question: "from opening it to the first live update",
      measured: `${median(own).toFixed(0)} ms`,
      comparedWith: `bare stream ${median(other).toFixed(0)} ms`,
      ratio: (median(own) / median(other)).toFixed(2),
      target: "<= 2",
      missed: median(own) > 2 * median(other),
    },
  ]);
} finally {
  await browserApp.close();
  await closeBrowser();
  await vendor.close();
}
