/**
 * The longest work of the server's thread in one piece, for every page and address of the API, over a large database:
 * 50,000 profiles and companies, 5,000 runs, the last of 5,000 symbols, a million log lines.
 */

import { type Database, openDatabase } from "../src/storage/db.ts";
import { upgradeDatabase } from "../src/storage/upgrade.ts";
import { startApp } from "../tests/helpers/app.ts";
import { temporaryFolder } from "../tests/helpers/folder.ts";
import { fillProfiles, symbolOf } from "./support/profiles.ts";
import { type BenchResult, report } from "./support/report.ts";
import { load, watched } from "./support/watched.ts";

const PROFILES = 50_000;
const RUNS = 5_000;
const JOBS_OF_RUN = 20;
const JOBS_OF_LAST = 5_000;
const LOG_LINES = 1_000_000;
const MINUTES = 200_000;
const MAX_STALL_MS = 50;
/** Recent, because old runs are deleted. */
const START = Math.floor(Date.now() / 86_400_000) * 86_400 - 30 * 86_400;

const SYMBOL = symbolOf(20_500);

const runId = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`;
const LAST_RUN = runId(RUNS);

/** Statements that fill a table with rows numbered from 1 to `count`, as `n`. */
const numbered = (count: number, insert: string) =>
  `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count}) ${insert}`;

async function fill(db: Database): Promise<void> {
  await fillProfiles(db, PROFILES);
  const symbol = (n: string) => `'S' || substr('0000' || (${n}), -5)`;
  const id = (n: string) => `'00000000-0000-7000-8000-' || substr('00000000000' || (${n}), -12)`;
  const columns =
    "id, run_id, symbol, interval, state, status, micro_stage, progress, data_points, api_calls, finished_at";
  const job = `'1d', 'complete', 'Complete', 'Completed in 1.0s', 100, 500, 24, ${START}000 + n`;
  const texts = [
    `INSERT INTO companies (symbol, name, exchange, source, updated_at)
     SELECT symbol, 'Company ' || symbol, 'X', 'list', ${START}000 FROM profiles`,
    numbered(
      RUNS,
      `INSERT INTO runs (id, mode, interval, provider, years, batch_days, max_workers, range_from, range_to, as_of, state,
       created_at, finished_at)
       SELECT ${id("n")}, 'full', '1d', 'demo', '2', 30, 64, ${START - 63_072_000}, ${START}, ${START}, 'complete',
       ${START}000 + n, ${START}000 + n + 5000 FROM numbers`,
    ),
    numbered(
      RUNS * JOBS_OF_RUN,
      `INSERT INTO jobs (${columns}) SELECT n, ${id(`(n - 1) / ${JOBS_OF_RUN} + 1`)}, ${symbol(`n % ${PROFILES}`)}, ${job}
       FROM numbers`,
    ),
    numbered(
      JOBS_OF_LAST,
      `INSERT INTO jobs (${columns}) SELECT ${RUNS * JOBS_OF_RUN} + n, '${LAST_RUN}', ${symbol(`n + 20000`)}, ${job}
       FROM numbers WHERE true ON CONFLICT DO NOTHING`,
    ),
    numbered(
      LOG_LINES,
      `INSERT INTO logs (at, level, run_id, symbol, message)
       SELECT ${START}000 + n, 'info', CASE WHEN n % 2 = 0 THEN '${LAST_RUN}' ELSE ${id(`n % ${RUNS}`)} END,
       ${symbol(`n % ${PROFILES}`)}, 'Fetching history - Batch 2/24: 4% (1%)' FROM numbers`,
    ),
  ];
  // What the quality page looks up: 5 gaps, 3 batches that were left out and 2 revised bars of every series.
  const days = (n: string) => `(19000 + ${n} % 1000) * 86400`;
  for (let n = 0; n < 5; n++) {
    texts.push(`INSERT INTO gaps (series_id, date, kind, rows) SELECT id, ${days(`(id * 7 + ${n * 201})`)},
      CASE id % 9 WHEN 0 THEN 'outside' ELSE 'hole' END, 5 FROM series`);
  }
  for (let n = 0; n < 3; n++) {
    texts.push(`INSERT INTO batches (series_id, from_ts, to_ts, run_id, status, rows, error, left_out, fetched_at)
      SELECT id, d, d + 2592000, 'r', CASE id % 3 WHEN 0 THEN 'failed' ELSE 'not_in_plan' END, 0, 'x',
      CASE id % 3 WHEN 0 THEN NULL ELSE json_array(json_array(d, d + 2592000)) END, 1
      FROM (SELECT id, ${days(`(id * 13 + ${n * 301})`)} AS d FROM series)`);
  }
  for (let n = 0; n < 2; n++) {
    texts.push(`INSERT INTO bar_revisions (series_id, ts, seen_at, run_id, kind, open, high, low, close, volume)
      SELECT id, ${days(`(id * 17 + ${n * 401})`)}, 1, 'r', 'correction', 1, 1, 1, 1, 1 FROM series`);
  }
  // Minutes of one symbol from two providers, of which every hundredth differs.
  for (const [n, provider] of ["demo", "files"].entries()) {
    texts.push(
      `INSERT INTO series (id, symbol, provider, feed, interval, adjustment, sessions)
       VALUES (${PROFILES + n + 1}, '${SYMBOL}', '${provider}', 'sip', '1m', 'none', 'regular')`,
      numbered(
        MINUTES,
        `INSERT INTO bars (series_id, ts, open, high, low, close, volume)
         SELECT ${PROFILES + n + 1}, ${START - MINUTES * 60} + n * 60, 100, 101, 99, 100 + (n % 100 = 0) * ${n}, 1000 FROM numbers`,
      ),
    );
  }
  for (const sql of texts) await db.write([{ sql, args: [] }]);
}

const FILTERED = "rsi_14 < 30 and rvol_20 > 60";

/** Every page and every address of the API that reads, with what makes it heavy. */
const PATHS = [
  "/",
  "/alerts",
  "/alerts/channels",
  "/audit",
  "/companies",
  "/companies?q=company",
  "/companies?format=csv",
  "/files",
  "/healthz",
  "/hosts",
  "/metrics",
  "/panel",
  "/promises",
  "/profiles",
  "/profiles?page=250",
  "/profiles?q=s0",
  "/profiles?health=stale",
  "/profiles?sort=-health",
  "/profiles?sort=-rsi_14",
  `/profiles?where=${encodeURIComponent(FILTERED)}`,
  `/profiles?where=${encodeURIComponent("rank(rsi_14) > 0.9")}`,
  "/profiles?format=csv",
  "/quality",
  "/quality?state=holes",
  "/quality?state=revised&months=60",
  "/api/quality?limit=1000",
  "/profiles/renew",
  `/profiles/renew?where=${encodeURIComponent(FILTERED)}`,
  `/profiles/${SYMBOL}`,
  `/profiles/${SYMBOL}/delete`,
  `/profiles/${SYMBOL}/compare?interval=1m`,
  `/api/profiles/${SYMBOL}/compare?interval=1m`,
  "/runs",
  "/runs?page=25",
  "/runs?state=complete",
  `/runs/${LAST_RUN}`,
  `/runs/${LAST_RUN}?sort=-points`,
  `/runs/${LAST_RUN}?q=${encodeURIComponent("symbol:S2")}`,
  `/runs/${LAST_RUN}/jobs/${SYMBOL}`,
  `/runs/${LAST_RUN}/jobs/${SYMBOL}/log`,
  `/runs/${LAST_RUN}/jobs/${SYMBOL}/batches`,
  "/schedules",
  "/search?q=s2",
  "/search?q=company",
  "/settings",
  "/settings/access",
  "/snapshots",
  "/storage",
  "/symbols?q=s2",
  "/api/docs",
  "/api/openapi.json",
  "/api/features",
  "/api/storage",
  "/api/companies",
  "/api/companies?q=company",
  "/api/profiles",
  "/api/profiles?limit=1000",
  `/api/profiles?where=${encodeURIComponent(FILTERED)}`,
  `/api/profiles/${SYMBOL}`,
  "/api/runs",
  `/api/runs/${LAST_RUN}`,
  "/api/schedules",
  "/api/usage",
  "/api/watchlists",
  `/api/bars/${SYMBOL}?interval=1m`,
  `/api/bars/${SYMBOL}?interval=1h&format=csv`,
  `/api/panel?interval=1h&names=rsi_14&symbols=${SYMBOL}`,
];

const ms = (value: number) => `${value.toFixed(1)} ms`;

using folder = temporaryFolder();
{
  const db = await openDatabase(folder.database());
  await upgradeDatabase(db);
  await fill(db);
  db.close();
}
await using app = await startApp({ folder, env: { BARKEEP_LOG_LEVEL: "error", BARKEEP_WORKERS: "1" } });
const results: BenchResult[] = [];
for (const path of PATHS) {
  // The first request may read what later ones find in memory: it counts.
  const first = await watched(() => load({ url: app.url + path, connections: 1, ms: 0 }));
  const later = await watched(() => load({ url: app.url + path, connections: 1, ms: 300 }));
  const stall = Math.max(first.stallMs, later.stallMs);
  results.push({
    question: `longest work in one piece: ${path}`,
    measured: ms(stall),
    ratio: `first ${ms(first.stallMs)}, then ${ms(later.stallMs)}, +${first.addedMb.toFixed(0)} MB`,
    target: `<= ${MAX_STALL_MS} ms`,
    missed: stall > MAX_STALL_MS,
  });
}
report(results);
