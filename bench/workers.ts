/**
 * Workers on other machines, here as processes of this one: how much of a vendor's limit four of them use, whether any
 * sliding minute exceeds it, how late their reports reach the server, and what the network costs a job.
 */

import { ServerLink } from "../src/cli/worker/server-link.ts";
import { DAY } from "../src/domain/market/interval.ts";
import { isoSecond, parseIsoDate } from "../src/domain/time.ts";
import { LeasedPermits } from "../src/pipeline/leased-permits.ts";
import type { Report } from "../src/pipeline/remote/protocol.ts";
import { WorkerPool } from "../src/pipeline/workers/pool.ts";
import { WorkerHandle } from "../src/pipeline/workers/worker-handle.ts";
import { openDatabase } from "../src/storage/db.ts";
import {
  createWorkerToken,
  eventually,
  hostOf,
  spawnWorker,
  startServer,
  startWorker,
} from "../tests/cli/worker/workers.ts";
import { busiestMinute } from "../tests/fakes/vendors/vendor.ts";
import { migratedDatabase, temporaryFolder } from "../tests/helpers/folder.ts";
import { spawnServer } from "../tests/helpers/server.ts";
import { median, report } from "./support/report.ts";

const WORKERS = 4;
const LATENCY_MS = 50;
/** Alpaca's free plan. */
const LIMIT = 200;
const MINUTE = 60_000;
/** How long a request to the server takes more, milliseconds, and turns of each kind. */
const WAY_MS = 20;
const AHEAD_TURNS = 6;

/** The first bar of each window: what is measured is when requests arrive. */
function bars(url: URL) {
  if (!url.pathname.endsWith("/bars")) return { corporate_actions: {}, next_page_token: null };
  const start = Math.floor(parseIsoDate((url.searchParams.get("start") ?? "").slice(0, 10))! / DAY) * DAY;
  const days = [0, 1, 2, 3, 4].map((day) => start + day * DAY + 15 * 3_600);
  const bar = { o: 10, h: 11, l: 9, c: 10, v: 100 };
  return { bars: { [url.searchParams.get("symbols") ?? ""]: days.map((ts) => ({ t: isoSecond(ts), ...bar })) } };
}

async function measureQuota() {
  using folder = temporaryFolder();
  const dbUrl = await migratedDatabase(folder);
  const db = await openDatabase(dbUrl);
  const secret = await createWorkerToken(db);
  db.close();
  const arrivals: number[] = [];
  const vendor = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      arrivals.push(performance.now());
      await Bun.sleep(LATENCY_MS);
      return Response.json(bars(new URL(request.url)));
    },
  });
  const keys = { ALPACA_API_KEY: "key", ALPACA_API_SECRET: "secret" };
  const server = spawnServer({
    BARKEEP_DB_URL: dbUrl,
    BARKEEP_WORKERS: "1",
    ALPACA_BASE_URL: `http://127.0.0.1:${vendor.port}`,
    ...keys,
  });
  const client = await server.listening;
  await using stack = new AsyncDisposableStack();
  stack.defer(() => vendor.stop(true));
  stack.defer(() => server.kill());
  for (let at = 0; at < WORKERS; at++) stack.use(spawnWorker(client.url, secret, "--name", `worker-${at}`));
  await Bun.sleep(8_000);
  const symbols = Array.from({ length: 500 }, (_, at) => `S${at}`);
  const { status, text } = await client.post("/api/runs", { symbols, provider: "alpaca", interval: "1h", years: 1 });
  if (status !== 202) throw new Error(text);
  while (arrivals.length <= 2 * LIMIT) await Bun.sleep(50);
  const seconds = (arrivals[2 * LIMIT]! - arrivals[0]!) / 1_000;
  const busiest = busiestMinute(arrivals);
  const efficiency = (2 * MINUTE) / 1_000 / seconds;
  return {
    question: `${WORKERS} workers, ${LIMIT} requests a minute, ${LATENCY_MS} ms a request: share of the limit over two minutes`,
    measured: efficiency.toFixed(3),
    comparedWith: `${2 * LIMIT} requests in ${seconds.toFixed(1)} s, at most ${busiest} in a sliding minute`,
    ratio: efficiency.toFixed(3),
    target: "≥ 0.97, never more than the limit",
    missed: efficiency < 0.97 || busiest > LIMIT,
  };
}

const keyOf = (each: Report["report"]) =>
  "jobId" in each && each.type === "stage" ? `${each.jobId} ${JSON.stringify(each.stage)}` : null;

async function measureReports() {
  const sent = new Map<string, number>();
  const delays: number[] = [];
  const { report: send } = ServerLink.prototype;
  const { receive } = WorkerPool.prototype;
  ServerLink.prototype.report = function (each) {
    const key = keyOf(each.report);
    if (key !== null) sent.set(key, performance.now());
    send.call(this, each);
  };
  WorkerPool.prototype.receive = function (thread, message) {
    const key = keyOf(message as Report["report"]);
    const at = key === null ? undefined : sent.get(key);
    if (at !== undefined) delays.push(performance.now() - at);
    receive.call(this, thread, message);
  };
  const symbols = Array.from({ length: 40 }, (_, at) => `S${at}`);
  await using app = await startServer({ env: { DEMO_LATENCY_MS: "40" } });
  await using worker = startWorker(app.url, app.secret, { jobs: 32 });
  await eventually(() => hostOf(app)?.threads === 1);
  await app.waitForRun(await app.start({ symbols, years: 2 }), "complete");
  await worker.host.leave();
  delays.sort((a, b) => a - b);
  const at = (share: number) => delays[Math.floor(share * (delays.length - 1))]!;
  return {
    question: `${delays.length} reports of jobs on a worker: from its main thread to the registry of the server`,
    measured: `${at(0.5).toFixed(0)} ms in the median`,
    comparedWith: `99 %: ${at(0.99).toFixed(0)} ms, the slowest ${at(1).toFixed(0)} ms`,
    ratio: (at(0.99) / 500).toFixed(2),
    target: "99 % ≤ 500 ms",
    missed: at(0.99) > 500,
  };
}

/** A proxy that makes every request to the server take longer, as a network between two sites does. */
function slowWay(target: string) {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 60,
    async fetch(request) {
      const { method, headers } = request;
      const body = await request.arrayBuffer();
      await Bun.sleep(WAY_MS / 2);
      const answer = await fetch(target + new URL(request.url).pathname, { method, headers, body });
      await Bun.sleep(WAY_MS / 2);
      return new Response(await answer.arrayBuffer(), answer);
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, [Symbol.asyncDispose]: () => server.stop(true) };
}

/** A job with a fast vendor and a slow way to the server: with permits ahead, and with each request waiting for its own. */
async function measureAhead() {
  const { takes } = WorkerHandle.prototype;
  const { reported } = LeasedPermits.prototype;
  // All is done by the worker.
  WorkerHandle.prototype.takes = () => false;
  await using app = await startServer({ workerLeaseMs: 20_000, env: { DEMO_LATENCY_MS: "5" } });
  await using way = slowWay(app.url);
  await using worker = startWorker(way.url, app.secret, { jobs: 32 });
  await eventually(() => hostOf(app)?.threads === 1);
  const seconds: Record<"ahead" | "alone", number[]> = { ahead: [], alone: [] };
  let link: ServerLink | null = null;
  const { report: send } = ServerLink.prototype;
  ServerLink.prototype.report = function (each) {
    link = this;
    send.call(this, each);
  };
  for (let turn = 0; turn < 2 * AHEAD_TURNS; turn++) {
    const how = turn % 2 === 0 ? "ahead" : "alone";
    LeasedPermits.prototype.reported =
      how === "ahead"
        ? reported
        : function (this: LeasedPermits, thread, each) {
            if (each.type === "outcome") this.end(each);
            link!.report({ thread, report: each });
          };
    const begun = performance.now();
    await app.waitForRun(await app.start({ symbols: [`T${turn}`], years: 2 }), "complete");
    if (turn > 1) seconds[how].push((performance.now() - begun) / 1_000);
  }
  ServerLink.prototype.report = send;
  LeasedPermits.prototype.reported = reported;
  WorkerHandle.prototype.takes = takes;
  await worker.host.leave();
  const [ahead, alone] = [median(seconds.ahead), median(seconds.alone)];
  return {
    question: `a job of 24 requests on a worker, vendor 5 ms, ${WAY_MS} ms to the server: permits leased ahead`,
    measured: `${ahead.toFixed(2)} s`,
    comparedWith: `each request waits for its permit: ${alone.toFixed(2)} s (medians of ${seconds.ahead.length} by turns)`,
    ratio: (ahead / alone).toFixed(2),
    target: "≤ 0.8",
    missed: ahead > 0.8 * alone,
  };
}

const measures = { reports: measureReports, ahead: measureAhead, quota: measureQuota };
for (const [name, measure] of Object.entries(measures))
  if (process.argv.length < 3 || process.argv.includes(name)) report([await measure()]);
