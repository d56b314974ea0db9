/**
 * The smallest program that does the work of `bench/daily-cost.ts`, as a process of its own: one thread, prepared statements
 * on the same driver and schema, the demo's bars, a transaction for each batch with its line of the ledger, all features by
 * the engine, and a transaction for each profile with its state and the end of the job. A full run gives the engine the bars
 * that it has just written; an update reads the stored ones, and writes those of the answer that differ.
 *
 * Left out: HTTP, shared runs and their progress, the limiter, the log; judging of bars, sources, arrivals, gaps, findings,
 * corporate actions, what the lake lacks; pausing, and what lets a job go on after a crash.
 *
 * Arguments: the database's URL, the number of symbols, and the first day and the end of the full run (epoch seconds). Each line
 * of its input begins a run (`full` or `incremental`); it prints `ready`, and `done` after each.
 */

import Driver from "libsql";
import { RULES_VERSION } from "../../src/domain/market/anomalies/scale-changes.ts";
import {
  BAR_FIELDS,
  type BarColumns,
  emptyBars,
  filterBars,
  joinBars,
  sameValue,
} from "../../src/domain/market/bars.ts";
import { CALENDAR } from "../../src/domain/market/calendar.ts";
import { GAP_RULES } from "../../src/domain/market/holes.ts";
import { type Batch, mergeBatches, numberedBatches } from "../../src/domain/runs/batch-plan.ts";
import { FEATURES } from "../../src/features/catalog.ts";
import { type Engineered, engineer, LOOKBACK_BARS, resumeFrom, TAIL } from "../../src/features/engine.ts";
import { featureSetup } from "../../src/features/setup.ts";
import { CATALOG_VERSION } from "../../src/features/version.ts";
import { overlapStart } from "../../src/pipeline/fetch/incremental.ts";
import { createDemoProvider } from "../../src/providers/demo/demo-provider.ts";
import type { FetchContext } from "../../src/providers/provider.ts";
import { migrateDatabase, openDatabase, pathOf } from "../../src/storage/db.ts";

const [url, count, first, end] = process.argv.slice(2) as [string, string, string, string];
const SYMBOLS = Array.from({ length: Number(count) }, (_, i) => `S${i}`);
const FULL = { from: Number(first), to: Number(end) };
const BATCH_DAYS = 30;

const created = await openDatabase(url);
await migrateDatabase(created);
created.close();
const db = new Driver(pathOf(url));
for (const pragma of [
  "synchronous = NORMAL",
  "foreign_keys = ON",
  "temp_store = MEMORY",
  "wal_autocheckpoint = 4000",
]) {
  db.exec(`PRAGMA ${pragma}`);
}

const provider = createDemoProvider();
const permit = { settle() {} };
const context: FetchContext = {
  signal: new AbortController().signal,
  acquire: async () => permit,
  waiting() {},
  log() {},
};
const setup = (symbol: string) => featureSetup(symbol, "1d", "us_equity");

const statements = {
  run: db.prepare(`INSERT INTO runs (id, mode, interval, provider, years, batch_days, max_workers, range_from, range_to, as_of,
created_at) VALUES (?, ?, '1d', 'demo', '2', ${BATCH_DAYS}, 1, ?, ?, ?, ?)`),
  job: db.prepare("INSERT INTO jobs (run_id, symbol, interval) VALUES (?, ?, '1d')"),
  series: db.prepare(`INSERT INTO series (symbol, provider, feed, interval, adjustment, sessions, judged, gap_rules)
VALUES (?, 'demo', 'synthetic', '1d', 'none', 'regular', ${RULES_VERSION}, ${GAP_RULES})`),
  batch:
    db.prepare(`INSERT INTO batches (series_id, run_id, from_ts, to_ts, status, rows, first_ts, last_ts, fetched_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`),
  countJob: db.prepare("UPDATE jobs SET api_calls = ?, data_points = ? WHERE run_id = ? AND symbol = ?"),
  profile:
    db.prepare(`INSERT OR REPLACE INTO profiles (symbol, interval, series_id, provider, first_bar, last_bar, last_close,
feature_list_id, known_features, feature_values, catalog_version, backfill, updated_at)
VALUES (?, '1d', ?, 'demo', ?, ?, ?, 1, ?, ?, ?, ?, ?)`),
  state: db.prepare("INSERT OR REPLACE INTO feature_states (symbol, interval, state) VALUES (?, '1d', ?)"),
  endJob: db.prepare(`UPDATE jobs SET state = 'complete', status = 'Complete', progress = 100, finished_at = ?
WHERE run_id = ? AND symbol = ?`),
  endRun: db.prepare("UPDATE runs SET state = 'complete', finished_at = ? WHERE id = ?"),
  known: db
    .prepare(`SELECT s.id, p.first_bar, f.state FROM series s JOIN profiles p ON p.series_id = s.id
JOIN feature_states f ON f.symbol = s.symbol AND f.interval = s.interval WHERE s.symbol = ? AND s.interval = '1d'`)
    .raw(),
  lastBars: db
    .prepare("SELECT ts, open, high, low, close, volume FROM bars WHERE series_id = ? ORDER BY ts DESC LIMIT ?")
    .raw(),
};
db.prepare("INSERT INTO feature_lists (id, names) VALUES (1, ?)").run(JSON.stringify(FEATURES.map(({ name }) => name)));

const inserts = new Map<number, ReturnType<typeof db.prepare>>();
const insertOf = (rows: number) =>
  inserts.getOrInsertComputed(rows, () => {
    const values = new Array(rows).fill("(?, ?, ?, ?, ?, ?, ?)").join();
    return db.prepare(`INSERT OR REPLACE INTO bars (series_id, ts, open, high, low, close, volume) VALUES ${values}`);
  });

function transaction(work: () => void): void {
  db.exec("BEGIN IMMEDIATE");
  work();
  db.exec("COMMIT");
}

interface Work {
  readonly run: string;
  readonly symbol: string;
  readonly series: number;
}

function storeBatch({ run, symbol, series }: Work, { from, to }: Batch, answer: BarColumns, write: BarColumns): void {
  const { ts, open, high, low, close, volume } = write;
  transaction(() => {
    if (ts.length > 0) {
      const values: number[] = [];
      for (let i = 0; i < ts.length; i++)
        values.push(series, ts[i]!, open[i]!, high[i]!, low[i]!, close[i]!, volume[i]!);
      insertOf(ts.length).run(values);
    }
    const rows = answer.ts.length;
    const ends = [answer.ts[0] ?? null, answer.ts[rows - 1] ?? null];
    statements.batch.run([series, run, from, to, rows > 0 ? "ok" : "empty", rows, ...ends, Date.now()]);
    statements.countJob.run([1, ts.length, run, symbol]);
  });
}

function computed(pass: Generator<unknown, Engineered>): Engineered {
  for (;;) {
    const step = pass.next();
    if (step.done) return step.value;
  }
}

function storeProfile({ run, symbol, series }: Work, bars: BarColumns, firstBar: number, result: Engineered): void {
  const { values, state, barCount } = result;
  const known = values.reduce((sum, value) => (Number.isNaN(value) ? sum : sum + 1), 0);
  const last = bars.ts.length - 1;
  const backfill = JSON.stringify({ history_complete: true, history_rows: barCount, gaps: 0, run_id: run });
  const place = [symbol, series, firstBar, bars.ts[last]!, bars.close[last]!];
  transaction(() => {
    const content = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    statements.profile.run([...place, known, content, String(CATALOG_VERSION), backfill, Date.now()]);
    statements.state.run([symbol, Buffer.from(state.buffer, state.byteOffset, state.byteLength)]);
    statements.endJob.run([Date.now(), run, symbol]);
  });
}

async function fetchAll(run: string, symbol: string, asOf: number): Promise<void> {
  const work = { run, symbol, series: Number(statements.series.run([symbol]).lastInsertRowid) };
  let bars = emptyBars();
  const batches = numberedBatches([FULL], BATCH_DAYS);
  for (const group of mergeBatches(batches, provider.maxWindowDays("1d", symbol))) {
    for (const batch of group) {
      const answer = await provider.fetchBars(
        { symbol, interval: "1d", asOf, from: batch.from, to: batch.to },
        context,
      );
      storeBatch(work, batch, answer.bars, answer.bars);
      bars = joinBars(bars, answer.bars);
    }
  }
  storeProfile(work, bars, bars.ts[0]!, computed(engineer(bars, setup(symbol), undefined, 0)));
}

function readBars(series: number): BarColumns {
  const rows = statements.lastBars.all([series, LOOKBACK_BARS + TAIL]) as number[][];
  const bars = emptyBars(rows.length);
  for (const [at, row] of rows.toReversed().entries()) {
    for (const [column, field] of BAR_FIELDS.entries()) bars[field][at] = row[column] ?? Number.NaN;
  }
  return bars;
}

async function update(run: string, symbol: string, asOf: number): Promise<void> {
  const [series, firstBar, state] = statements.known.get([symbol]) as unknown as [number, number, Buffer];
  const work = { run, symbol, series };
  const stored = readBars(series);
  const from = overlapStart(CALENDAR, "us_equity", "1d", stored.ts.at(-1)!);
  const to = Math.ceil(asOf / 86_400) * 86_400;
  const { bars: answer } = await provider.fetchBars({ symbol, interval: "1d", asOf, from, to }, context);
  const places = new Map([...stored.ts].map((ts, at) => [ts, at]));
  const write = filterBars(answer, (at) => {
    const place = places.get(answer.ts[at]!);
    return place === undefined || !BAR_FIELDS.every((field) => sameValue(stored[field][place], answer[field][at]));
  });
  storeBatch(work, { n: 1, total: 1, from, to }, answer, write);
  const bars = joinBars(stored, write);
  const resume = resumeFrom(state, bars, setup(symbol));
  if ("refused" in resume) throw new Error(`the state of ${symbol} was refused: ${resume.refused}`);
  storeProfile(work, bars, firstBar, computed(engineer(bars, setup(symbol), resume, 0)));
}

console.log("ready");
for await (const mode of console) {
  if (mode === "") break;
  const now = Date.now();
  const run = crypto.randomUUID();
  transaction(() => {
    statements.run.run([run, mode, FULL.from, FULL.to, Math.floor(now / 1_000), now]);
    for (const symbol of SYMBOLS) statements.job.run([run, symbol]);
  });
  for (const symbol of SYMBOLS) await (mode === "full" ? fetchAll : update)(run, symbol, Math.floor(now / 1_000));
  statements.endRun.run([Date.now(), run]);
  console.log("done");
}
