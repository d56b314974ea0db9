/**
 * Lists, screens, ranks and downloads of 500, 5,000 and 50,000 profiles: how long they take, and for how long they block
 * the server's thread. The requests come from a process of their own.
 */

import { parseScreener } from "../src/domain/profiles/screener.ts";
import { featureNamed } from "../src/features/catalog.ts";
import { storeCompanies } from "../src/storage/companies/companies.ts";
import { type Database, openDatabase } from "../src/storage/db.ts";
import { ProfileColumns } from "../src/storage/profiles/profile-columns.ts";
import type { ProfileQuery } from "../src/storage/profiles/select-profiles.ts";
import { upgradeDatabase } from "../src/storage/upgrade.ts";
import { startApp, type TestApp } from "../tests/helpers/app.ts";
import { temporaryFolder } from "../tests/helpers/folder.ts";
import { fillProfiles, symbolOf } from "./support/profiles.ts";
import { atLeast, atMost, type BenchResult, report, short } from "./support/report.ts";
import { load, threadMs, watched } from "./support/watched.ts";

const SIZES = [500, 5_000, 50_000];
const ROUNDS = 30;
const LOAD_MS = 3_000;
const CONNECTIONS = 16;
const CLOCK = { recentSince: Number.MAX_SAFE_INTEGER, staleBefore: { us_equity: 0, crypto: 0 } };

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
    ...atMost(first.stallMs, 50, "ms of stall"),
  });
  const known = condition('sector = "Real Estate" and rsi_14 < 30');
  const queries: readonly [string, ProfileQuery, number][] = [
    ["condition", plain, 10],
    ["condition on a fact", { where: known }, 10],
    ["top", { where: condition("top(dollar_volume_20, 100)") }, 10],
    ["sort", { sort: { operand: { feature: "rsi_14" }, descending: true } }, 60],
    ["rank", { where: condition("rank(rsi_14) > 0.9") }, 10],
  ];
  for (const [what, query, limit] of queries) {
    const time = await timed(() => columns.select(query, CLOCK));
    answers.push({ question: `${name}: ${what}`, measured: ms(time), ...atMost(time, limit, "ms") });
  }
}

const SECTORS = ["Energy", "Technology", "Real Estate", "Utilities", "Financials", "Health Care"];
const companies = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    symbol: symbolOf(n),
    name: `Company ${n}`,
    exchange: "NYSE",
    facts: { sector: SECTORS[n % SECTORS.length]! },
  }));

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
      target: `<= 60 ms, stall <= ${what === "ranked page" ? 35 : 50} ms`,
      missed: time > 60 || stallMs > (what === "ranked page" ? 35 : 50),
    });
  }
  for (const path of ["/profiles?format=csv", "/profiles?format=json", "/api/profiles?limit=1000"]) {
    const { result, stallMs, addedMb } = await watched(() => load({ url: app.url + path, connections: 1, ms: 0 }));
    answers.push({
      question: `${name}: ${path}`,
      measured: `${result.seconds.toFixed(2)} s, ${(result.bytes / 1e6).toFixed(0)} MB`,
      ratio: `stall ${ms(stallMs)}, +${addedMb.toFixed(0)} MB`,
      target: "stall <= 50 ms, +100 MB",
      missed: stallMs > 50 || addedMb > 100,
    });
  }
  for (const [path, target] of [
    ["/profiles", 200],
    [`/api/profiles/${symbolOf(7)}`, 2_000],
  ] as const) {
    const request = { url: app.url + path, connections: CONNECTIONS, ms: LOAD_MS };
    const { result, workMs } = await watched(() => load(request));
    const { times, seconds } = result;
    const rate = times.length / seconds;
    answers.push({
      question: `${name}: GET ${path}`,
      measured: `${short(rate)}/s, p99 ${ms(times[Math.floor(times.length * 0.99)]!)}`,
      ratio: `${ms(workMs / times.length)} of the thread each`,
      ...atLeast(rate, count === 500 ? target : undefined, "a second"),
    });
  }
}

for (const count of SIZES) {
  using folder = temporaryFolder();
  {
    const db = await openDatabase(folder.database());
    await upgradeDatabase(db);
    await fillProfiles(db, count);
    await storeCompanies(db, companies(count), "bench");
    await queryColumns(db, count);
    db.close();
  }
  await using app = await startApp({ folder, env: { BARKEEP_LOG_LEVEL: "error", BARKEEP_WORKERS: "1" } });
  await queryServer(app, count);
}
report(answers);
