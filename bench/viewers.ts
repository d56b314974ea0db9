/**
 * How late 1, 100 and 1,000 viewers of the screen see a frame (10 frames a second), beside a bare `Bun.serve` stream
 * that sends the same number of bytes to as many.
 */

import { Hono } from "hono";
import { ProgressHub } from "../src/hub.ts";
import { streamRoutes as screenRoutes } from "../src/routes/events.ts";
import { ScreenFeed } from "../src/routes/feed.ts";
import { job, run } from "../tests/helpers/board.ts";
import { short, tell } from "./support/report.ts";

const VIEWERS = [1, 100, 1_000];
const FRAMES = 40;
/** Frames before those that count: connections settle and code is compiled. */
const WARM_UP = 10;
const EVERY_MS = 100;
/** Rows in a frame: about 2 KB of HTML. */
const ROWS = 3;

const now = () => performance.timeOrigin + performance.now();
type Arrivals = [string, number][];

/** Lets `count` viewers in a process of their own watch while `send` runs; what arrived, and when. */
async function watch(port: number, path: string, count: number, send: () => Promise<void>): Promise<Arrivals> {
  const { promise: connected, resolve: onConnected } = Promise.withResolvers<void>();
  const { promise: reported, resolve: onReport } = Promise.withResolvers<Arrivals>();
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/support/viewers.ts`], {
    stdout: "inherit",
    stderr: "inherit",
    ipc: (message) => (message === "connected" ? onConnected() : onReport(message as Arrivals)),
  });
  child.send({ port, path, count });
  await connected;
  await send();
  await Bun.sleep(500);
  child.send("report");
  const arrivals = await reported;
  child.kill();
  await child.exited;
  return arrivals;
}

/** Milliseconds from sending to arrival: median and 99th percentile. */
function lateness(arrivals: Arrivals, sent: ReadonlyMap<string, number>) {
  const late = arrivals.flatMap(([id, at]) => (sent.has(id) ? [at - sent.get(id)!] : [])).toSorted((a, b) => a - b);
  const at = (part: number) => late[Math.min(late.length - 1, Math.floor(part * late.length))] ?? Number.NaN;
  return { count: late.length, p50: at(0.5), p99: at(0.99) };
}

async function screen(count: number) {
  const hub = new ProgressHub();
  const sent = new Map<string, number>();
  // Before the feed's own listener: the moment in which the frame is due.
  let due = 0;
  hub.onFrame(() => {
    due = now();
  });
  const feed = new ScreenFeed(hub);
  let frames = 0;
  hub.onFrame(() => {
    frames += 1;
    if (frames > WARM_UP) sent.set(feed.cursor(), due);
  });
  hub.reportRun(run());
  for (let row = 0; row < ROWS; row++) hub.report(job({ symbol: `S${row}` }));
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch: new Hono().route("/", screenRoutes(feed)).fetch,
  });
  const arrivals = await watch(server.port!, "/events", count, async () => {
    for (let frame = 1; frame <= WARM_UP + FRAMES; frame++) {
      for (let row = 0; row < ROWS; row++) hub.report(job({ symbol: `S${row}`, dataPoints: frame, progress: frame }));
      await Bun.sleep(EVERY_MS);
    }
  });
  feed.close();
  hub.close();
  await server.stop(true);
  return lateness(arrivals, sent);
}

async function bare(count: number) {
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
  const arrivals = await watch(server.port!, "/", count, async () => {
    for (let frame = 1; frame <= WARM_UP + FRAMES; frame++) {
      const bytes = encoder.encode(`id: ${frame}\ndata: ${"x".repeat(2_000)}\n\n`);
      if (frame > WARM_UP) sent.set(`${frame}`, now());
      for (const controller of controllers) controller.enqueue(bytes);
      await Bun.sleep(EVERY_MS);
    }
  });
  await server.stop(true);
  return lateness(arrivals, sent);
}

const answers = [];
for (const count of VIEWERS) {
  const [own, other] = [await screen(count), await bare(count)];
  const line = ({ p50, p99 }: typeof own) => `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
  answers.push({
    question: `frames to ${count} viewers of the screen`,
    measured: `${line(own)}, ${short((own.count * 1000) / (FRAMES * EVERY_MS))}/s`,
    beside: `bare stream ${line(other)}, ${short((other.count * 1000) / (FRAMES * EVERY_MS))}/s`,
    ratio: (own.p99 / other.p99).toFixed(2),
    aim: "p99 <= 2x",
  });
}
tell(answers);
