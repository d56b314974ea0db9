/**
 * The delay of a frame (10 frames a second) for 1 to 1,000 viewers of the monitor and their cost for the server, compared
 * with a plain `Bun.serve` stream of as many bytes; and the effect of viewers that read nothing on the others.
 */

import { Hono } from "hono";
import { ProgressHub } from "../src/hub.ts";
import { LiveBroadcaster } from "../src/routes/live/broadcaster.ts";
import { streamRoutes } from "../src/routes/live/stream.ts";
import { job, run } from "../tests/helpers/fixtures.ts";
import { atMost, type BenchResult, report, short } from "./support/report.ts";

const VIEWERS = [1, 10, 100, 1_000];
const FRAMES = 40;
/** Frames before the measurement, so that connections are stable and code is compiled. */
const WARM_UP = 10;
const EVERY_MS = 100;
/** Rows in a frame: about 2 KB of HTML. */
const ROWS = 3;
/** Rows in a frame, so many that the buffers of an unread connection fill within the bench. */
const MANY_ROWS = 400;

const now = () => performance.timeOrigin + performance.now();
type Arrivals = [string, number][];

interface ViewersRequest {
  readonly port: number;
  readonly path: string;
  /** Viewers that read, and viewers that do not read. */
  readonly count: number;
  readonly stuck?: number;
}

/**
 * Runs `send` with viewers in a process of their own.
 * @returns what arrived and when, and the milliseconds of processor time that sending took in this process
 */
async function watch(
  request: ViewersRequest,
  send: () => Promise<void>,
): Promise<{ arrivals: Arrivals; processor: number }> {
  const { promise: connected, resolve: onConnected } = Promise.withResolvers<void>();
  const { promise: reported, resolve: onReport } = Promise.withResolvers<Arrivals>();
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/support/viewers.ts`], {
    stdout: "inherit",
    stderr: "inherit",
    ipc: (message) => (message === "connected" ? onConnected() : onReport(message as Arrivals)),
  });
  child.send(request);
  await connected;
  const before = process.cpuUsage();
  await send();
  const { user, system } = process.cpuUsage(before);
  await Bun.sleep(500);
  child.send("report");
  const arrivals = await reported;
  child.kill();
  await child.exited;
  return { arrivals, processor: (user + system) / 1_000 };
}

/** Milliseconds from sending to arrival: median and 99th percentile; and of processor time a second. */
function latencyOf({ arrivals, processor }: Awaited<ReturnType<typeof watch>>, sent: ReadonlyMap<string, number>) {
  const late = arrivals.flatMap(([id, at]) => (sent.has(id) ? [at - sent.get(id)!] : [])).toSorted((a, b) => a - b);
  const at = (part: number) => late[Math.min(late.length - 1, Math.floor(part * late.length))] ?? Number.NaN;
  const seconds = ((WARM_UP + FRAMES) * EVERY_MS) / 1_000;
  return { count: late.length, p50: at(0.5), p99: at(0.99), processor: processor / seconds };
}

async function measureMonitor(count: number, { stuck = 0, rows = ROWS } = {}) {
  const hub = new ProgressHub();
  const sent = new Map<string, number>();
  // Before the broadcaster's own listener: the time at which the frame is due.
  let due = 0;
  hub.onFrame(() => {
    due = now();
  });
  const broadcaster = new LiveBroadcaster(hub);
  broadcaster.start();
  let frames = 0;
  hub.onFrame(() => {
    frames += 1;
    if (frames > WARM_UP) sent.set(broadcaster.cursor(), due);
  });
  hub.reportRun(run());
  for (let row = 0; row < rows; row++) hub.report(job({ symbol: `S${row}` }));
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch: new Hono().route("/", streamRoutes(broadcaster)).fetch,
  });
  const watched = await watch({ port: server.port!, path: "/events", count, stuck }, async () => {
    for (let frame = 1; frame <= WARM_UP + FRAMES; frame++) {
      for (let row = 0; row < rows; row++) hub.report(job({ symbol: `S${row}`, dataPoints: frame, progress: frame }));
      await Bun.sleep(EVERY_MS);
    }
  });
  const { merged } = broadcaster.counts;
  broadcaster.close();
  hub.close();
  await server.stop(true);
  return { ...latencyOf(watched, sent), merged };
}

async function measurePlain(count: number) {
  const controllers = new Set<ReadableStreamDefaultController<Uint8Array>>();
  const encoder = new TextEncoder();
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch: () =>
      new Response(
        new ReadableStream<Uint8Array>({
          start(controller) {
            controllers.add(controller);
            controller.enqueue(encoder.encode(": hello\n\n"));
          },
        }),
      ),
  });
  const sent = new Map<string, number>();
  const watched = await watch({ port: server.port!, path: "/", count }, async () => {
    for (let frame = 1; frame <= WARM_UP + FRAMES; frame++) {
      const bytes = encoder.encode(`id: ${frame}\ndata: ${"x".repeat(2_000)}\n\n`);
      if (frame > WARM_UP) sent.set(`${frame}`, now());
      for (const controller of controllers) controller.enqueue(bytes);
      await Bun.sleep(EVERY_MS);
    }
  });
  await server.stop(true);
  return latencyOf(watched, sent);
}

type Latency = ReturnType<typeof latencyOf>;
const written = ({ p50, p99 }: Latency) => `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
const answers: BenchResult[] = [];
for (const count of VIEWERS) {
  const [own, other] = [await measureMonitor(count), await measurePlain(count)];
  const line = (latency: Latency) => `${written(latency)}, ${short((latency.count * 1000) / (FRAMES * EVERY_MS))}/s`;
  const each = ({ processor }: Latency) => `${(processor / count).toFixed(2)} ms each`;
  answers.push(
    {
      question: `frames to ${count} viewers of the monitor`,
      measured: line(own),
      comparedWith: `plain stream ${line(other)}`,
      ratio: (own.p99 / other.p99).toFixed(2),
      ...atMost(own.p99 / other.p99, 2, "times at p99"),
    },
    {
      question: `server CPU a second for ${count} viewers`,
      measured: each(own),
      comparedWith: `plain stream ${each(other)}`,
      ratio: (own.processor / other.processor).toFixed(2),
    },
  );
}
const alone = await measureMonitor(10, { rows: MANY_ROWS });
const withStuck = await measureMonitor(10, { rows: MANY_ROWS, stuck: 1 });
answers.push({
  question: `frames of ${MANY_ROWS} rows to 10 viewers while one more reads nothing`,
  measured: `${written(withStuck)}; ${withStuck.merged} frames merged for the one`,
  comparedWith: `without the one ${written(alone)}`,
  ratio: (withStuck.p99 / alone.p99).toFixed(2),
  ...atMost(withStuck.p99 / alone.p99, 2),
});
report(answers);
