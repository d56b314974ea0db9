/**
 * Lists, screens, ranks and downloads of 500, 5,000 and 50,000 profiles: how long they take, and for how long they block
 * the server's thread. The requests come from a process of their own.
 */

import { readFileSync } from "node:fs";
import { INTERVALS } from "../src/domain/market/interval.ts";
import { parseScreener } from "../src/domain/profiles/screener.ts";
import { CATALOG_VERSION, FEATURES, featureNamed } from "../src/features/catalog.ts";
import { type Database, openDatabase } from "../src/storage/db.ts";
import { ProfileColumns } from "../src/storage/profiles/profile-columns.ts";
import { profileStatements } from "../src/storage/profiles/profiles.ts";
import { upgradeDatabase } from "../src/storage/upgrade.ts";
import { startApp, type TestApp } from "../tests/helpers/app.ts";
import { temporaryFolder } from "../tests/helpers/folder.ts";
import type { LoadReport, LoadRequest } from "./support/load.ts";
import { type BenchResult, report, short } from "./support/report.ts";

const SIZES = [500, 5_000, 50_000];
const ROUNDS = 30;
const LOAD_MS = 3_000;
const CONNECTIONS = 16;
const CLOCK = { recentSince: Number.MAX_SAFE_INTEGER, staleBefore: { us_equity: 0, crypto: 0 } };

const symbolOf = (n: number) => `S${String(n).padStart(5, "0")}`;

/** Profiles with a value for most features. */
async function fill(db: Database, count: number): Promise<void> {
  const day = 86_400;
  for (let from = 0; from < count; from += 500) {
    const statements = Array.from({ length: Math.min(500, count - from) }, (_, at) => {
      const n = from + at;
      const features = Object.fromEntries(
        FEATURES.map(({ name }, place) => [
          name,
          (n + place) % 97 === 0 ? null : 100 * Math.abs(Math.sin(n * 7.3 + place)),
        ]),
      );
      const key = { symbol: symbolOf(n), interval: INTERVALS.at(-1)!, provider: "demo" };
      return [
        {
          sql: `INSERT INTO series (id, symbol, provider, feed, interval, adjustment, sessions)
            VALUES (?, ?, ?, 'synthetic', ?, 'none', 'regular')`,
          args: [n + 1, key.symbol, key.provider, key.interval],
        },
        ...profileStatements({
          ...key,
          seriesId: n + 1,
          firstBar: 19_000 * day,
          lastBar: (20_000 + (n % 300)) * day,
          lastClose: 100 + n,
          features,
          catalogVersion: String(CATALOG_VERSION),
          backfill: {
            history_complete: true,
            history_rows: 504 + (n % 50),
            api_calls_used: 24,
            fetch_duration_seconds: 1.5,
            feature_count: FEATURES.length,
            batch_size_days: 30,
          },
          updatedAt: 1_700_000_000_000 + n,
        }),
      ];
    });
    await db.write(statements.flat());
  }
}

/** Milliseconds of processor time of this thread; of the wall clock where the system does not report it. */
function threadMs(): number {
  try {
    return Number(readFileSync("/proc/self/schedstat", "latin1").split(" ")[0]) / 1e6;
  } catch {
    return performance.now();
  }
}

interface Watched<T> {
  readonly result: T;
  /** The longest work of this thread in one piece, and all of it: processor time, which a busy machine does not change. */
  readonly stallMs: number;
  readonly workMs: number;
  /** The most memory that came on top. */
  readonly addedMb: number;
}

async function watched<T>(work: () => Promise<T>): Promise<Watched<T>> {
  Bun.gc(true);
  const [memory, start] = [process.memoryUsage.rss(), threadMs()];
  let [last, stallMs, highest] = [start, 0, memory];
  let checks = 0;
  const check = () => {
    const now = threadMs();
    stallMs = Math.max(stallMs, now - last);
    last = now;
    if (++checks % 20 === 0) highest = Math.max(highest, process.memoryUsage.rss());
  };
  const timer = setInterval(check, 1);
  try {
    const result = await work();
    check();
    return { result, stallMs, workMs: last - start, addedMb: (highest - memory) / 1e6 };
  } finally {
    clearInterval(timer);
  }
}

/** Sends requests from another process. */
async function load(request: LoadRequest): Promise<LoadReport> {
  const { promise, resolve } = Promise.withResolvers<LoadReport>();
  const child = Bun.spawn([process.execPath, "--no-env-file", `${import.meta.dir}/support/load.ts`], {
    stdout: "inherit",
    stderr: "inherit",
    ipc: (report: LoadReport) => resolve(report),
  });
  child.send(request);
  const report = await promise;
  child.kill();
  await child.exited;
  return report;
}

/** The mean processor time of this thread, milliseconds: one round may be shorter than the system counts. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  await work();
  const start = threadMs();
  for (let round = 0; round < ROUNDS; round++) await work();
  return (threadMs() - start) / ROUNDS;
}

const ms = (value: number) => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
const answers: BenchResult[] = [];

/** Queries on the columns alone. */
async function queryColumns(db: Database, count: number): Promise<void> {
  const condition = (where: string) => {
    const parsed = parseScreener(where, (name) => featureNamed(name) !== undefined);
    if ("error" in parsed) throw new Error(parsed.error);
    return parsed.condition;
  };
  const columns = new ProfileColumns(db);
  const plain = { where: condition("rsi_14 < 30 and rvol_20 > 60") };
  const first = await watched(() => columns.select(plain, CLOCK));
  const name = `${short(count)} profiles`;
  answers.push({
    question: `${name}: first condition, reads all`,
    measured: ms(first.workMs),
    ratio: `stall ${ms(first.stallMs)}`,
    target: "stall <= 50 ms",
  });
  answers.push({
    question: `${name}: condition`,
    measured: ms(await timed(() => columns.select(plain, CLOCK))),
    target: "<= 10 ms",
  });
  const sort = { operand: { feature: "rsi_14" }, descending: true };
  answers.push({
    question: `${name}: sort`,
    measured: ms(await timed(() => columns.select({ sort }, CLOCK))),
    target: "<= 60 ms",
  });
  const ranked = { where: condition("rank(rsi_14) > 0.9") };
  answers.push({
    question: `${name}: rank`,
    measured: ms(await timed(() => columns.select(ranked, CLOCK))),
    target: "<= 10 ms",
  });
}

/** Requests to the server. */
async function queryServer(app: TestApp, count: number): Promise<void> {
  const name = `${short(count)} profiles`;
  const paths = {
    page: "/profiles",
    "screened page": "/profiles?where=rsi_14+%3C+30+and+rvol_20+%3E+60",
    "sorted page": "/profiles?sort=-rsi_14",
    "ranked page": "/profiles?where=rank(rsi_14)+%3E+0.9&sort=rank(atr_14)",
    "page of a health": "/profiles?health=stale",
  };
  for (const [what, path] of Object.entries(paths)) {
    await load({ url: app.url + path, connections: 1, ms: 300 });
    const { result, stallMs, workMs } = await watched(() => load({ url: app.url + path, connections: 1, ms: 1_000 }));
    const time = workMs / result.times.length;
    answers.push({
      question: `${name}: ${what}`,
      measured: ms(time),
      ratio: `stall ${ms(stallMs)}`,
      target: "<= 60 ms, stall <= 50 ms",
    });
  }
  for (const path of ["/profiles?format=csv", "/profiles?format=json", "/api/profiles?limit=1000"]) {
    const { result, stallMs, addedMb } = await watched(() => load({ url: app.url + path, connections: 1, ms: 0 }));
    answers.push({
      question: `${name}: ${path}`,
      measured: `${result.seconds.toFixed(2)} s, ${(result.bytes / 1e6).toFixed(0)} MB`,
      ratio: `stall ${ms(stallMs)}, +${addedMb.toFixed(0)} MB`,
      target: "stall <= 50 ms, +100 MB",
    });
  }
  for (const [path, target] of [
    ["/profiles", 200],
    [`/api/profiles/${symbolOf(7)}`, 2_000],
  ] as const) {
    const request = { url: app.url + path, connections: CONNECTIONS, ms: LOAD_MS };
    const { result, workMs } = await watched(() => load(request));
    const { times, seconds } = result;
    answers.push({
      question: `${name}: GET ${path}`,
      measured: `${short(times.length / seconds)}/s, p99 ${ms(times[Math.floor(times.length * 0.99)]!)}`,
      ratio: `${ms(workMs / times.length)} of the thread each`,
      ...(count === 500 && { target: `>= ${target}/s` }),
    });
  }
}

for (const count of SIZES) {
  using folder = temporaryFolder();
  {
    const db = await openDatabase(folder.database());
    await upgradeDatabase(db);
    await fill(db, count);
    await queryColumns(db, count);
    db.close();
  }
  await using app = await startApp({ folder, env: { BARKEEP_LOG_LEVEL: "error", BARKEEP_WORKERS: "1" } });
  await queryServer(app, count);
}
report(answers);
