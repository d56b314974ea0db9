/** The coverage ledger: which windows of a series were requested, and the result of each. */

import { and, eq, gt, gte, inArray, lte, sql } from "drizzle-orm";
import { BAR_FIELDS, type BarColumns, emptyBars, filterBars, lowerBound, sameValue } from "../../domain/market/bars.ts";
import type { Interval } from "../../domain/market/interval.ts";
import { mergeCuts, type PlanCut } from "../../domain/plan.ts";
import { uncovered } from "../../domain/runs/batch-plan.ts";
import type { BatchState } from "../../domain/runs/coverage.ts";
import { prepared } from "../connection/prepared.ts";
import { chunks, type Database, type Statement, type Write } from "../db.ts";
import { recordArrivals, singly, stretchesOf } from "../market/arrivals.ts";
import { insertBars } from "../market/bars.ts";
import { deleteJumps, saveJumps, saveRejected } from "../market/quality/jump-bars.ts";
import {
  insertSources,
  keepProvisional,
  markChanged,
  type Revised,
  recordRevised,
  removeBars,
} from "../market/revisions.ts";
import { isInPlace, series } from "../schema/market.ts";
import { type BATCH_STATUSES, batches, runs } from "../schema/runs.ts";

type BatchStatus = (typeof BATCH_STATUSES)[number];

export interface Window {
  readonly from: number;
  readonly to: number;
}

/** The job's counters, written with a batch so that they survive a restart. */
interface JobCounters {
  readonly jobId: number;
  readonly apiCalls: number;
  readonly fetchMs: number;
}

export interface BatchRecord {
  readonly seriesId: number;
  /** The id under which the bars of the series are stored (`barsIdOf`). */
  readonly barsId: number;
  readonly runId: string;
  readonly window: Window;
  /** The bars that the provider returned for the window. */
  readonly bars: BarColumns;
  /** All bars that are stored in the window now. */
  readonly known: BarColumns;
  /** Those of the answer to be stored: all, unless some are stored already or are implausible. */
  readonly write?: BarColumns;
  /** Earlier values of stored bars that this write changes or removes, by reason. */
  readonly revised?: readonly Revised[];
  /** Bars that were put aside as jumps and are stored after all. */
  readonly restored?: BarColumns;
  /** Bars to put aside as jumps, and the times of those that no longer are (epoch seconds). */
  readonly aside?: BarColumns;
  readonly cleared?: readonly number[];
  /** How many stored bars the answer lacks, which makes it implausible. */
  readonly lacking?: number;
  /** The provider of the bars, if it is not that of the series. */
  readonly source?: string;
  /** Whether the series has bars of another provider, which this write may replace; assumed if not given. */
  readonly hasForeign?: boolean;
  /** Whether a bar as early as these is marked as changed already. */
  readonly isMarked?: boolean;
  /** What the plan leaves out of the window, with the vendor's words. */
  readonly notInPlan?: readonly PlanCut[];
  /** More statements for the same transaction. */
  readonly extraWrites?: readonly Statement[];
  readonly rejected: readonly { readonly where: string; readonly reason: string; readonly raw: string }[];
  /** With the bars that the series has in the job's range after this write. */
  readonly counters: JobCounters & { readonly dataPoints: number };
}

/** A failed window was not answered: bars arrive when it is. */
const KEEP_FIRST = "first_at = CASE WHEN status <> 'failed' THEN coalesce(first_at, fetched_at) END";

// These run for every batch. They are spelled out, because building their text with drizzle each time takes longer than
// running them.
const UPSERT_BATCH = `INSERT INTO batches
(series_id, run_id, from_ts, to_ts, status, rows, rejected, first_ts, last_ts, error, left_out, fetched_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
ON CONFLICT (series_id, from_ts, to_ts) DO UPDATE SET run_id = ?2, status = ?5, rows = ?6, rejected = ?7,
first_ts = ?8, last_ts = ?9, error = ?10, left_out = ?11, fetched_at = ?12, attempts = attempts + 1, ${KEEP_FIRST}`;
const UPSERT_FAILURE = `INSERT INTO batches (series_id, run_id, from_ts, to_ts, status, rows, error, fetched_at)
VALUES (?1, ?2, ?3, ?4, 'failed', 0, ?5, ?6)
ON CONFLICT (series_id, from_ts, to_ts) DO UPDATE SET run_id = ?2, error = ?5, fetched_at = ?6, attempts = attempts + 1
WHERE status = 'failed'`;
/** A window that was answered before stays so: what is stored of it does not leave the store with the plan. */
const UPSERT_LEFT_OUT = `INSERT INTO batches
(series_id, run_id, from_ts, to_ts, status, rows, error, left_out, fetched_at)
VALUES (?1, ?2, ?3, ?4, 'not_in_plan', 0, ?5, ?6, ?7)
ON CONFLICT (series_id, from_ts, to_ts) DO UPDATE SET run_id = ?2, status = 'not_in_plan', error = ?5, left_out = ?6,
fetched_at = ?7, attempts = attempts + 1, ${KEEP_FIRST} WHERE status IN ('failed', 'not_in_plan')`;
const COUNT_JOB = "UPDATE jobs SET api_calls = max(api_calls, ?1), fetch_ms = ?2, data_points = ?3 WHERE id = ?4";
const COUNT_FAILED_JOB = "UPDATE jobs SET api_calls = max(api_calls, ?1), fetch_ms = ?2 WHERE id = ?3";

/** Marks a series whose vendor revised bars, or gave an implausible answer. */
function markUnreliable(
  seriesId: number,
  now: number,
  { revised, suspect }: { readonly revised: boolean; readonly suspect: boolean },
): Statement[] {
  const set = [...(revised ? ["revised_at = ?1"] : []), ...(suspect ? ["suspect_at = ?1"] : [])];
  return set.length === 0 ? [] : [{ sql: `UPDATE series SET ${set.join(", ")} WHERE id = ?2`, args: [now, seriesId] }];
}

/**
 * Stores a batch in one transaction: its bars, the rejected rows, its row of the ledger and the job's counters. It may
 * wait for other batches (`Database.flush`).
 */
export async function storeBatch(db: Database, batch: BatchRecord): Promise<void> {
  const {
    bars,
    known,
    rejected,
    seriesId,
    barsId,
    runId,
    window,
    counters,
    write = bars,
    revised = [],
    source,
  } = batch;
  const { lacking = 0, hasForeign = true, isMarked = false } = batch;
  const { restored = emptyBars(), aside = emptyBars(), cleared = [] } = batch;
  const { ts } = bars;
  const { from, to } = window;
  const now = Date.now();
  const withdrawn = revised.filter(({ kind }) => kind === "withdrawn");
  const touched = [write, restored, ...withdrawn.map((part) => part.bars)].flatMap((part) => part.ts[0] ?? []);
  const { notInPlan = [] } = batch;
  const isCut = notInPlan.length > 0;
  const status: BatchStatus = isCut ? "not_in_plan" : ts.length > 0 ? "ok" : "empty";
  const words = isCut ? [notInPlan[0]!.words, leftOutText(notInPlan)] : [null, null];
  const line = [status, ts.length, rejected.length, ts[0] ?? null, ts[ts.length - 1] ?? null, ...words, now];
  const isKnown = (ts: number) => known.ts[lowerBound(known.ts, ts)] === ts;
  const fresh = known.ts.length === 0 ? write : filterBars(write, (at) => !isKnown(write.ts[at]!));
  const statements = [
    ...recordArrivals(seriesId, now, [...stretchesOf(fresh.ts, known.ts), ...singly(restored)]),
    ...keepProvisional(seriesId, now, replacedBars(batch, write)),
    ...revised.flatMap((part) => recordRevised(seriesId, runId, now, part)),
    ...withdrawn.flatMap((part) => [
      ...removeBars(barsId, part.bars),
      ...(hasForeign ? insertSources(seriesId, runId, part.bars, undefined) : []),
    ]),
    ...insertBars(barsId, write),
    ...insertBars(barsId, restored),
    ...deleteJumps(seriesId, cleared),
    ...saveJumps(seriesId, runId, now, aside),
    ...(source !== undefined || hasForeign ? insertSources(seriesId, runId, write, source) : []),
    ...(isMarked ? [] : markChanged(seriesId, touched)),
    ...markUnreliable(seriesId, now, {
      revised: revised.some((part) => part.bars.ts.length > 0),
      suspect: lacking > 0,
    }),
    ...(batch.extraWrites ?? []),
    ...saveRejected(seriesId, runId, now, rejected),
    { sql: UPSERT_BATCH, args: [seriesId, runId, from, to, ...line] },
    {
      sql: COUNT_JOB,
      args: [counters.apiCalls, counters.fetchMs, counters.dataPoints, counters.jobId],
    },
  ];
  await db.write(statements, true);
}

/** Stored bars that get other values and are no revision. */
function replacedBars({ known, revised = [] }: BatchRecord, write: BarColumns): BarColumns {
  if (known.ts.length === 0 || write.ts.length === 0) return emptyBars();
  const recorded = new Set(revised.flatMap(({ bars }) => [...bars.ts]));
  return filterBars(known, (at) => {
    const ts = known.ts[at]!;
    const now = lowerBound(write.ts, ts);
    if (write.ts[now] !== ts || recorded.has(ts)) return false;
    return !BAR_FIELDS.every((field) => sameValue(known[field][at], write[field][now]));
  });
}

const leftOutText = (cuts: readonly Window[]) => JSON.stringify(cuts.map(({ from, to }) => [from, to]));

/** Windows that the plan refuses as a whole, and the vendor's words. */
export interface LeftOut {
  readonly seriesId: number;
  readonly runId: string;
  readonly windows: readonly Window[];
  readonly words: string;
}

/** Records windows that the plan refuses. */
export async function storeLeftOut(db: Database, { seriesId, runId, windows, words }: LeftOut): Promise<void> {
  const now = Date.now();
  await db.write(
    windows.map((window) => ({
      sql: UPSERT_LEFT_OUT,
      args: [seriesId, runId, window.from, window.to, words, leftOutText([window]), now],
    })),
  );
}

/** A window that could not be fetched. */
export interface FailedBatch {
  readonly seriesId: number;
  readonly runId: string;
  readonly window: Window;
  readonly error: string;
  readonly counters: JobCounters;
}

/** Records that a window could not be fetched. Stored bars stay, and a window answered before is not marked failed. */
export async function storeFailedBatch(db: Database, failure: FailedBatch): Promise<void> {
  const { seriesId, runId, window, error, counters } = failure;
  await db.write([
    { sql: UPSERT_FAILURE, args: [seriesId, runId, window.from, window.to, error, Date.now()] },
    { sql: COUNT_FAILED_JOB, args: [counters.apiCalls, counters.fetchMs, counters.jobId] },
  ]);
}

const ofSeries = eq(batches.seriesId, sql.placeholder("seriesId"));
const ofRun = eq(batches.runId, sql.placeholder("runId"));
const answered = inArray(batches.status, ["ok", "empty"]);
const WINDOW = { from: batches.fromTs, to: batches.toTs };
/** Windows of which at least a part was answered. */
const partly = inArray(batches.status, ["ok", "empty", "not_in_plan"]);
const PART = { ...WINDOW, leftOut: batches.leftOut };

const answeredEver = prepared(({ orm }) =>
  orm.select(PART).from(batches).where(and(ofSeries, partly)).orderBy(batches.fromTs).prepare(),
);
const unansweredEver = prepared(({ orm }) =>
  orm
    .select({ ...PART, status: batches.status })
    .from(batches)
    .where(and(ofSeries, inArray(batches.status, ["failed", "not_in_plan"])))
    .orderBy(batches.fromTs)
    .prepare(),
);
const answeredInRun = prepared(({ orm }) =>
  orm
    .select(WINDOW)
    .from(batches)
    .where(and(ofSeries, answered, ofRun))
    .orderBy(batches.fromTs)
    .prepare(),
);
const answeredAsOf = prepared(({ orm }) =>
  orm
    .select(PART)
    .from(batches)
    .innerJoin(runs, eq(runs.id, batches.runId))
    .where(and(ofSeries, partly, gt(batches.toTs, sql.placeholder("from")), gte(runs.asOf, sql.placeholder("asOf"))))
    .orderBy(batches.fromTs)
    .prepare(),
);
const requestedInRun = prepared(({ orm }) =>
  orm
    .select({ ...WINDOW, status: batches.status })
    .from(batches)
    .where(and(ofSeries, ofRun))
    .orderBy(batches.fromTs)
    .prepare(),
);

/** The parts of a window that were answered. */
const answeredParts = ({ leftOut, ...window }: Window & { leftOut: (typeof batches.$inferSelect)["leftOut"] }) =>
  leftOut === null
    ? [window]
    : uncovered(
        window,
        leftOut.map(([from, to]) => ({ from, to })),
      );

/**
 * The windows of a series that were answered (with or without bars), and the answered parts of those that the plan cut;
 * with `runId`, only whole windows of that run.
 */
export async function answeredWindows(db: Database, seriesId: number, runId?: string): Promise<Window[]> {
  if (runId !== undefined) return answeredInRun(db).all({ seriesId, runId });
  return (await answeredEver(db).all({ seriesId })).flatMap(answeredParts);
}

/** What was requested of a series and not answered: failed windows, and what the plan left out. */
export async function unansweredWindows(db: Database, seriesId: number): Promise<Window[]> {
  const rows = await unansweredEver(db).all({ seriesId });
  return rows.flatMap(
    ({ from, to, leftOut }) => leftOut?.map(([start, end]) => ({ from: start, to: end })) ?? [{ from, to }],
  );
}

/** The answered windows after `from`, of runs whose `asOf` (epoch seconds) is the given one or later. */
export async function windowsAsOf(db: Database, seriesId: number, from: number, asOf: number): Promise<Window[]> {
  return (await answeredAsOf(db).all({ seriesId, from, asOf })).flatMap(answeredParts);
}

/** A window and its result. */
export interface KnownWindow extends Window {
  readonly state: BatchState;
}

const STATE_OF = { ok: "fetched", empty: "empty", failed: "failed", not_in_plan: "not_in_plan" } as const;

/** The windows that a run requested of a series, by time, with their results. */
export async function windowsOfRun(db: Database, seriesId: number, runId: string): Promise<KnownWindow[]> {
  const rows = await requestedInRun(db).all({ seriesId, runId });
  return rows.map(({ from, to, status }) => ({ from, to, state: STATE_OF[status] }));
}

interface RunKey {
  readonly id: string;
  readonly provider: string;
  readonly interval: Interval;
}

/** Which series a run has for `symbols`; what a rebuild fetches beside them does not count. */
const seriesOf = ({ interval, provider }: RunKey, symbols: readonly string[]) =>
  and(inArray(series.symbol, symbols), eq(series.interval, interval), eq(series.provider, provider), isInPlace);

/** The windows that a run requested of many symbols, by symbol and time, with their results. */
export async function windowsOfSymbols(
  db: Database,
  run: RunKey,
  symbols: readonly string[],
): Promise<Map<string, KnownWindow[]>> {
  const found = new Map<string, KnownWindow[]>();
  for (const part of chunks(symbols)) {
    const rows = await db.orm
      .select({ symbol: series.symbol, from: batches.fromTs, to: batches.toTs, status: batches.status })
      .from(series)
      .innerJoin(batches, eq(batches.seriesId, series.id))
      .where(and(seriesOf(run, part), eq(batches.runId, run.id)))
      .orderBy(series.id, batches.fromTs);
    for (const { symbol, from, to, status } of rows) {
      const windows = found.get(symbol) ?? [];
      windows.push({ from, to, state: STATE_OF[status] });
      found.set(symbol, windows);
    }
  }
  return found;
}

/** What the plan left out of a run, by symbol; neighbouring windows are joined. */
export async function cutsOfRun(
  db: Database,
  run: RunKey,
  symbols: readonly string[],
): Promise<Map<string, PlanCut[]>> {
  const found = new Map<string, PlanCut[]>();
  for (const part of chunks(symbols)) {
    const rows = await db.orm
      .select({ symbol: series.symbol, words: batches.error, leftOut: batches.leftOut })
      .from(series)
      .innerJoin(batches, eq(batches.seriesId, series.id))
      .where(and(seriesOf(run, part), eq(batches.runId, run.id), eq(batches.status, "not_in_plan")));
    for (const { symbol, words, leftOut } of rows) {
      const cuts = (leftOut ?? []).map(([from, to]) => ({ from, to, words: words ?? "" }));
      found.set(symbol, mergeCuts([...(found.get(symbol) ?? []), ...cuts]));
    }
  }
  return found;
}

/**
 * The writes that detach windows from a run, so that it requests them again; other runs still see them as answered.
 * `within` limits this to windows between its ends.
 */
export function releaseWindows(db: Database, run: RunKey, symbols: readonly string[], within?: Window): Write[] {
  return [...chunks(symbols)].map((part) => {
    const concerned = db.orm.select({ id: series.id }).from(series).where(seriesOf(run, part));
    return db.orm
      .update(batches)
      .set({ runId: "" })
      .where(
        and(
          inArray(batches.seriesId, concerned),
          eq(batches.runId, run.id),
          within && gte(batches.fromTs, within.from),
          within && lte(batches.toTs, within.to),
        ),
      );
  });
}

/** The rows of the ledger for a run and a series, by time. */
export async function ledgerOf(db: Database, seriesId: number, runId: string) {
  return db.orm
    .select()
    .from(batches)
    .where(and(eq(batches.seriesId, seriesId), eq(batches.runId, runId)))
    .orderBy(batches.fromTs);
}
