/**
 * How much of its vendor's limit each adapter uses when requests are slow: the server with two threads against a vendor on
 * loopback that speaks its protocol and answers late. Measured from the first request until the limit of a period is
 * used up, at most a minute; no longer than 8 minutes in all. `quick` measures the adapters with small limits at two
 * latencies; `binance 600` one adapter at one latency.
 */

import { MAX_AT_WORK } from "../src/domain/defaults.ts";
import { DAY } from "../src/domain/market/interval.ts";
import { isoDate, isoSecond, parseIsoDate } from "../src/domain/time.ts";
import { findProvider } from "../src/providers/registry.ts";
import { busiestMinute } from "../tests/fakes/vendors/vendor.ts";
import { temporaryFolder } from "../tests/helpers/folder.ts";
import { spawnServer } from "../tests/helpers/server.ts";
import { type BenchResult, report } from "./support/report.ts";

const LATENCIES = [50, 200, 600, 2_000];
const QUICK = [50, 600];
const MINUTE = 60_000;
const TARGET = 0.95;

interface Case {
  readonly name: string;
  readonly interval: "1d" | "1h";
  readonly symbols: readonly string[];
  /** Units of a request for bars, of which a run of this interval consists. */
  readonly units: number;
  answer(url: URL): unknown;
}

const shares = (count: number) => Array.from({ length: count }, (_, at) => `S${at}`);
const pairs = (count: number) => Array.from({ length: count }, (_, at) => `S${at}-USDT`);

/** A bar on each of the first weekdays of a window, within New York's hours if it is not a daily one. */
function stamps(from: number, to: number, isDaily: boolean): number[] {
  const found: number[] = [];
  for (let day = Math.floor(from / DAY) * DAY; day < to && found.length < 20; day += DAY) {
    if (new Date(day * 1_000).getUTCDay() % 6 !== 0) found.push(isDaily ? day : day + 15 * 3_600);
  }
  return found;
}
const price = (ts: number) => 100 + ((ts / DAY) % 17);
const bar = (ts: number) => ({
  open: price(ts),
  high: price(ts) + 1,
  low: price(ts) - 1,
  close: price(ts),
  volume: 1_000,
});
const short = (ts: number) => ({ o: price(ts), h: price(ts) + 1, l: price(ts) - 1, c: price(ts), v: 1_000 });
const param = (url: URL, name: string) => url.searchParams.get(name) ?? "";
const date = (text: string) => parseIsoDate(text.slice(0, 10));

const CASES: readonly Case[] = [
  {
    name: "eodhd",
    interval: "1h",
    symbols: shares(260),
    units: 5,
    answer: (url) =>
      url.pathname.includes("/intraday/")
        ? stamps(Number(param(url, "from")), Number(param(url, "to")), false).map((ts) => ({
            timestamp: ts,
            ...bar(ts),
          }))
        : [],
  },
  {
    name: "alpaca",
    interval: "1h",
    symbols: shares(100),
    units: 1,
    answer(url) {
      if (!url.pathname.endsWith("/bars")) return { corporate_actions: {}, next_page_token: null };
      const days = stamps(date(param(url, "start")), date(param(url, "end")), false);
      return { bars: { [param(url, "symbols")]: days.map((ts) => ({ t: isoSecond(ts), ...short(ts) })) } };
    },
  },
  {
    name: "massive",
    interval: "1h",
    symbols: shares(6),
    units: 1,
    answer(url) {
      const [from, to] = /\/(\d{10,})\/(\d{10,})$/
        .exec(url.pathname)
        ?.slice(1)
        .map((ms) => Number(ms) / 1_000) ?? [0, 0];
      return { status: "OK", results: stamps(from!, to!, false).map((ts) => ({ t: ts * 1_000, ...short(ts) })) };
    },
  },
  {
    name: "binance",
    interval: "1h",
    symbols: pairs(450),
    units: 2,
    answer(url) {
      const [from, to] = [Number(param(url, "startTime")), Number(param(url, "endTime"))];
      return stamps(from / 1_000, to / 1_000, false).map((ts) => [ts * 1_000, ...Object.values(bar(ts)), 0]);
    },
  },
  {
    name: "twelvedata",
    interval: "1h",
    symbols: shares(12),
    units: 1,
    answer(url) {
      const days = stamps(date(param(url, "start_date")), date(param(url, "end_date")), false);
      const values = days.map((ts) => ({ datetime: isoSecond(ts).slice(0, -1).replace("T", " "), ...bar(ts) }));
      return { status: "ok", values: values.toReversed() };
    },
  },
  {
    name: "tiingo",
    interval: "1d",
    symbols: shares(70),
    units: 1,
    answer: (url) =>
      stamps(date(param(url, "startDate")), date(param(url, "endDate")), true).map((ts) => ({
        date: isoDate(ts),
        ...bar(ts),
      })),
  },
];

/** A vendor that answers after `latencyMs`. */
function listen(answer: Case["answer"], latencyMs: number) {
  const arrivals: number[] = [];
  const seen = { now: 0, most: 0 };
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
      return Response.json(answer(new URL(request.url)));
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, arrivals, seen, close: () => server.stop(true) };
}

/** Requests that the limits as declared allow at once and within a minute. */
function allowed({ name, units }: Case): number {
  const limits = findProvider(name)!.limits({});
  return Math.min(...limits.map(({ limit, counts }) => Math.floor(limit / (counts === "units" ? units : 1))));
}

async function measure(one: Case, latencyMs: number): Promise<BenchResult> {
  using folder = temporaryFolder();
  const vendor = listen(one.answer, latencyMs);
  const prefix = one.name.toUpperCase();
  const server = spawnServer({
    BARKEEP_DB_URL: folder.database(),
    BARKEEP_WORKERS: "2",
    [`${prefix}_BASE_URL`]: vendor.url,
    [`${prefix}_API_KEY`]: "key",
    ALPACA_API_SECRET: "secret",
  });
  const limit = allowed(one);
  try {
    const client = await server.listening;
    const { name: provider, interval, symbols } = one;
    const { status, text } = await client.post("/api/runs", { symbols, provider, interval, years: 1 });
    if (status !== 202) throw new Error(text);
    const asked = performance.now();
    while (vendor.arrivals.length === 0 && performance.now() - asked < MINUTE) await Bun.sleep(5);
    const from = performance.now();
    let [inFlight, samples] = [0, 0];
    while (performance.now() - from < MINUTE && vendor.arrivals.length < limit) {
      inFlight += vendor.seen.now;
      samples += 1;
      await Bun.sleep(20);
    }
    const seconds = (performance.now() - from) / 1_000;
    const sent = vendor.arrivals.length;
    const { text: metrics } = await client.get("/metrics");
    const memory = Number(/^process_resident_memory_bytes (\d+)/m.exec(metrics)?.[1]);
    const share = Math.min(1, sent / limit);
    const busiest = busiestMinute(vendor.arrivals);
    if (busiest > limit) throw new Error(`${one.name}: ${busiest} requests in a minute, the limit is ${limit}`);
    const bound = Math.min(1, (MAX_AT_WORK * MINUTE) / latencyMs / limit);
    return {
      question: `${one.name}, ${latencyMs} ms a request: share of ${limit} requests`,
      measured: share.toFixed(2),
      comparedWith: [
        `${sent} in ${seconds.toFixed(1)} s`,
        `${(inFlight / Math.max(1, samples)).toFixed(1)} under way, at most ${vendor.seen.most}`,
        `${Math.round(memory / 2 ** 20)} MB`,
      ].join(", "),
      ratio: (share / bound).toFixed(2),
      target: `≥ ${TARGET}${bound < TARGET ? ` (${MAX_AT_WORK} at work allow ${bound.toFixed(2)})` : ""}`,
      missed: share < TARGET,
    };
  } finally {
    await server.kill();
    await vendor.close();
  }
}

/** No further case is begun after it: a busy machine takes longer for each. */
const BUDGET_MS = 6.5 * MINUTE;
const begun = performance.now();
const [, , first, latency] = process.argv;
const isQuick = first === "quick";
const only = isQuick ? undefined : first;
const chosen = CASES.filter(({ name }) => (only ?? name) === name).filter((each) => !isQuick || allowed(each) <= 200);
const latencies = latency === undefined ? (isQuick ? QUICK : LATENCIES) : [Number(latency)];
for (const latencyMs of latencies) {
  const results: BenchResult[] = [];
  for (const each of chosen) {
    const isLate = performance.now() - begun > BUDGET_MS;
    const question = `${each.name}, ${latencyMs} ms a request`;
    results.push(isLate ? { question, measured: "not measured: out of time" } : await measure(each, latencyMs));
  }
  report(results);
}
