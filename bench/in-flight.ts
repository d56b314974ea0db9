/**
 * Requests under way at a vendor with a given latency: the server with two threads, against a vendor on loopback that
 * implements Alpaca's protocol (12 requests a symbol), compared with the rate that 64 of them, or the limit, allow.
 */

import { MAX_AT_WORK } from "../src/domain/defaults.ts";
import { newYorkTime } from "../src/domain/market/calendar.ts";
import { DAY } from "../src/domain/market/interval.ts";
import { busiestMinute } from "../tests/fakes/vendors/vendor.ts";
import { temporaryFolder } from "../tests/helpers/folder.ts";
import { spawnServer } from "../tests/helpers/server.ts";
import { type BenchResult, report } from "./support/report.ts";

const SYMBOLS = 3_000;
const PAGES = 12;
const PAGE_ROWS = 42;
/** Far more than can be reached: the limit of a vendor without one. */
const NO_LIMIT = 1_000_000;

interface Case {
  readonly latencyMs: number;
  /** Requests a minute. */
  readonly limit: number;
  /** Seconds that are measured; with a limit the first minute is a part of them. */
  readonly seconds: number;
}

const CASES: readonly Case[] = [
  ...[50, 200, 600, 2_000].map((latencyMs) => ({ latencyMs, limit: NO_LIMIT, seconds: 10 })),
  { latencyMs: 600, limit: 1_000, seconds: 75 },
];

/** A vendor that answers every page after `latencyMs`. */
function listen(latencyMs: number) {
  const arrivals: number[] = [];
  const seen = { now: 0, most: 0 };
  const first = Math.floor(Date.now() / 1_000 / DAY) * DAY - (PAGES * PAGE_ROWS + 10) * DAY;
  const pages = Array.from({ length: PAGES }, (_, page) =>
    Array.from({ length: PAGE_ROWS }, (_, row) => {
      const day = page * PAGE_ROWS + row;
      const close = 100 + (day % 17);
      const t = new Date(newYorkTime(first + day * DAY, 0) * 1_000).toISOString();
      return { t, o: close, h: close + 1, l: close - 1, c: close, v: 1_000 + day };
    }),
  );
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      arrivals.push(performance.now());
      seen.now += 1;
      seen.most = Math.max(seen.most, seen.now);
      await Bun.sleep(latencyMs);
      seen.now -= 1;
      const query = new URL(request.url).searchParams;
      const page = Number(query.get("page_token") ?? 0);
      const next = page + 1 < PAGES ? String(page + 1) : null;
      return Response.json({ bars: { [query.get("symbols")!]: pages[page] }, next_page_token: next });
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, arrivals, seen, close: () => server.stop(true) };
}

/** The target of slow requests, and whether it is missed. */
function judged(latencyMs: number, share: number, memoryMb: number) {
  if (latencyMs < 600) return {};
  return { target: ">= 0.90, <= 250 MB", missed: share < 0.9 || memoryMb > 250 };
}

async function measure({ latencyMs, limit, seconds }: Case): Promise<BenchResult> {
  using folder = temporaryFolder();
  const vendor = listen(latencyMs);
  const server = spawnServer({
    BARKEEP_DB_URL: folder.database(),
    BARKEEP_WORKERS: "2",
    BARKEEP_PROVIDER: "alpaca",
    ALPACA_API_KEY: "key",
    ALPACA_API_SECRET: "secret",
    ALPACA_BASE_URL: vendor.url,
    ALPACA_PER_MINUTE: String(limit),
  });
  try {
    const client = await server.listening;
    const { status, text } = await client.post("/api/runs", {
      symbols: Array.from({ length: SYMBOLS }, (_, i) => `S${i}`),
    });
    if (status !== 202) throw new Error(text);
    // Without a limit the start is not measured: the number of requests under way is computed from the first answers.
    const rampMs = limit === NO_LIMIT ? 3_000 + 2 * latencyMs : 0;
    while (vendor.arrivals.length === 0) await Bun.sleep(5);
    await Bun.sleep(rampMs);
    const from = performance.now();
    const before = limit === NO_LIMIT ? vendor.arrivals.length : 0;
    let [memory, inFlight, samples] = [0, 0, 0];
    while (performance.now() - from < seconds * 1_000) {
      const metrics = await client.get("/metrics");
      memory = Math.max(memory, Number(/^process_resident_memory_bytes (\d+)/m.exec(metrics.text)?.[1]));
      for (let i = 0; i < 10; i++, samples++) {
        inFlight += vendor.seen.now;
        await Bun.sleep(20);
      }
    }
    const minutes = (performance.now() - from) / 60_000;
    const sent = vendor.arrivals.length - before;
    const possible = Math.min(limit, (MAX_AT_WORK / latencyMs) * 60_000);
    const busiest = busiestMinute(vendor.arrivals);
    if (busiest > limit) throw new Error(`${busiest} requests in a minute, the limit is ${limit}`);
    await server.kill();
    const processor = Number(server.process.resourceUsage()?.cpuTime.total ?? 0) / 1_000 / vendor.arrivals.length;
    const comparison = [
      `${Math.round(possible)} possible`,
      `${(inFlight / samples).toFixed(0)} under way, at most ${vendor.seen.most}`,
      `busiest minute ${busiest}`,
      `${processor.toFixed(1)} ms CPU each`,
      `${Math.round(memory / 2 ** 20)} MB`,
    ];
    return {
      question: `${latencyMs} ms a request, ${limit === NO_LIMIT ? "no limit" : `${limit} a minute`}: requests a minute`,
      measured: `${Math.round(sent / minutes)}`,
      comparedWith: comparison.join(", "),
      ratio: (sent / minutes / possible).toFixed(2),
      ...judged(latencyMs, sent / minutes / possible, memory / 2 ** 20),
    };
  } finally {
    await server.kill();
    await vendor.close();
  }
}

const only = process.argv[2];
for (const each of CASES) if (only === undefined || only === String(each.latencyMs)) report([await measure(each)]);
