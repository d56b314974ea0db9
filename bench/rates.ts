/**
 * Requests a second that the server's thread answers, by its processor time, of a database with 500 profiles: pages and
 * small answers of the API. A second process sends them over 16 connections. Beside each, an application of Hono with one
 * route that answers the same bytes, on the same thread.
 */

import { Hono } from "hono";
import { openDatabase } from "../src/storage/db.ts";
import { upgradeDatabase } from "../src/storage/upgrade.ts";
import { startApp } from "../tests/helpers/app.ts";
import { temporaryFolder } from "../tests/helpers/folder.ts";
import { fillProfiles } from "./support/profiles.ts";
import { type BenchResult, report } from "./support/report.ts";
import { load, watched } from "./support/watched.ts";

const PROFILES = 500;
const CONNECTIONS = 16;
/** Milliseconds of requests before the measurement, after which their code is compiled, and of the measurement. */
const [WARM_MS, MEASURED_MS] = [1_500, 2_000];

/** A quarter of a year of days. */
const BARS = `/api/bars/AAPL?from=${new Date(Date.now() - 90 * 86_400_000).toISOString().slice(0, 10)}`;

/** Paths with the requests a second that are wanted. */
const TARGETS: readonly (readonly [path: string, rate: number])[] = [
  ["/", 3_000],
  ["/profiles", 200],
  ["/api/profiles/AAPL", 2_000],
  [BARS, 2_000],
];

using folder = temporaryFolder();
{
  const db = await openDatabase(folder.database());
  await upgradeDatabase(db);
  await fillProfiles(db, PROFILES);
  db.close();
}
await using app = await startApp({ folder, env: { BARKEEP_LOG_LEVEL: "error", BARKEEP_WORKERS: "1" } });
await app.waitForRun(await app.start({ symbols: ["AAPL"], years: 1 }), "complete");

/** Requests a second that are answered: by the processor time of this thread, and by the clock. */
async function rateOf(url: string) {
  await load({ url, connections: CONNECTIONS, ms: WARM_MS });
  const { result, workMs } = await watched(() => load({ url, connections: CONNECTIONS, ms: MEASURED_MS }));
  const { times, bytes, seconds } = result;
  const count = times.length;
  return {
    byWork: (count * 1_000) / workMs,
    byClock: Math.round(count / seconds),
    bytes: Math.round(bytes / count),
  };
}

/** The rate of a server that has the answer to a request ready. */
async function bareRate(url: string): Promise<number> {
  const answer = await fetch(url);
  const [type, text] = [answer.headers.get("Content-Type") ?? "", await answer.text()];
  const bare = new Hono().get("*", (c) => c.body(text, 200, { "Content-Type": type }));
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: bare.fetch });
  const { byWork } = await rateOf(server.url.href);
  await server.stop(true);
  return Math.round(byWork);
}

const results: BenchResult[] = [];
for (const [path, target] of TARGETS) {
  const url = app.url + path;
  const { byWork, byClock, bytes } = await rateOf(url);
  results.push({
    question: `requests a second of processor time: ${path}`,
    measured: `${Math.round(byWork)}`,
    comparedWith: `${byClock} by the clock, ${bytes} bytes each; bare Hono ${await bareRate(url)}`,
    target: `>= ${target}`,
    missed: byWork < target,
  });
}
report(results);
