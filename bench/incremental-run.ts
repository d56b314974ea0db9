/**
 * The cost of a daily update: 500 symbols that each lack one day, from a vendor without latency, with two and with ten
 * years stored; and of a second update when there is nothing to fetch.
 */

import { CALENDAR } from "../src/domain/market/calendar.ts";
import { startApp, type TestApp } from "../tests/helpers/app.ts";
import { atMost, report } from "./support/report.ts";

const SYMBOLS = Array.from({ length: 500 }, (_, i) => `S${i}`);
const YEARS = [2, 10] as const;

/** Runs to the end; returns seconds, seconds of processor time, and requests. */
async function run(app: TestApp, request: object): Promise<{ seconds: number; cpu: number; calls: number }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const id = await app.start({ symbols: SYMBOLS, ...request });
  const { run, jobs } = await app.waitForRun(id, "complete", "failed");
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  if (run.state !== "complete") throw new Error(`the run is ${run.state}`);
  return { seconds, cpu: (user + system) / 1e6, calls: jobs.reduce((sum, job) => sum + job.apiCalls, 0) };
}

/** Starts a run as if it were the evening before the last session. */
async function asOfYesterday<Result>(start: () => Promise<Result>): Promise<Result> {
  const realNow = Date.now;
  const now = realNow() / 1000;
  const last = CALENDAR.sessionsBetween("us_equity", now - 15 * 86_400, now).findLast(({ close }) => close <= now)!;
  Date.now = () => last.open * 1000;
  try {
    return await start();
  } finally {
    Date.now = realNow;
  }
}

async function measure(years: number) {
  await using app = await startApp({ env: { BARKEEP_LOG_LEVEL: "warn" } });
  app.app.pool.warm();
  while (app.app.pool.alive < app.app.pool.size) await Bun.sleep(5);
  const history = { symbols: SYMBOLS, years, batch_days: 365 };
  await app.waitForRun(await asOfYesterday(() => app.start(history)), "complete", "failed");
  const fresh = await run(app, { mode: "incremental" });
  const idle = await run(app, { mode: "incremental" });
  const [row] = await app.app.db.rows("SELECT count(*) FROM bars", []);
  return { years, fresh, idle, bars: row![0] as number };
}

const results = [];
for (const years of YEARS) results.push(await measure(years));
const growth = results[1]!.fresh.cpu / results[0]!.fresh.cpu;
report(
  results.map(({ years, fresh, idle, bars }, index) => ({
    question: `${SYMBOLS.length} symbols × 1 new day, ${years} years of days stored (${bars.toLocaleString("en-US")} bars)`,
    measured: `${fresh.seconds.toFixed(2)} s`,
    comparedWith: `CPU ${fresh.cpu.toFixed(1)} s, ${fresh.calls} requests; again at once: ${idle.seconds.toFixed(2)} s, ${idle.calls} requests`,
    ...(index === 0 ? {} : { ratio: growth.toFixed(2), ...atMost(growth, 1.2, "times the CPU of 2 years") }),
  })),
);
