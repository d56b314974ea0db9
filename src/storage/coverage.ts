/** The coverage ledger: which windows of a series were asked for, and what came of it. */

import { and, eq, gt, gte, inArray, type SQL, sql } from "drizzle-orm";
import type { BarColumns } from "../domain/bars.ts";
import { insertBars } from "./bars.ts";
import type { Database, Statement } from "./db.ts";
import { insertSources, markChanged, type Revised, recordRevised, removeBars } from "./revisions.ts";
import { batches, jobs, rejectedBars, runs } from "./schema.ts";

export interface Window {
  readonly from: number;
  readonly to: number;
}

/** The job's counters, written with a batch so that a restart goes on from them. */
export interface JobCounters {
  readonly jobId: number;
  readonly apiCalls: number;
  readonly fetchMs: number;
}

export interface BatchRecord {
  readonly seriesId: number;
  readonly runId: string;
  readonly window: Window;
  /** What was answered for the window. */
  readonly bars: BarColumns;
  /** Those of them that are stored: all, unless some are there already or are not to be believed. */
  readonly write?: BarColumns;
  /** What stored bars were before this write, by the reason for which they change or go. */
  readonly revised?: readonly Revised[];
  /** The provider of the bars, where it is not that of the series. */
  readonly source?: string;
  /** More to be written in the same transaction. */
  readonly also?: readonly Statement[];
  readonly rejected: readonly { readonly where: string; readonly reason: string; readonly raw: string }[];
  /** With the number of bars that the job holds outside this window: those inside are counted once they are in. */
  readonly counters: JobCounters & { readonly dataPointsElsewhere: number };
}

const ledger = (record: typeof batches.$inferInsert) => ({
  target: [batches.seriesId, batches.fromTs, batches.toTs],
  set: { ...record, attempts: sql`${batches.attempts} + 1` },
});

const countersOf = (db: Database, { jobId, apiCalls, fetchMs }: JobCounters, dataPoints?: SQL) =>
  db.orm
    .update(jobs)
    .set({ apiCalls, fetchMs, ...(dataPoints && { dataPoints }) })
    .where(eq(jobs.id, jobId));

/** Stores a batch: its bars, what was rejected, its line in the ledger and the job's counters, or nothing at all. */
export async function storeBatch(db: Database, batch: BatchRecord): Promise<void> {
  const { bars, rejected, seriesId, runId, window, write = bars, revised = [], source } = batch;
  const rows = bars.ts.length;
  const now = Date.now();
  const record = {
    seriesId,
    runId,
    fromTs: window.from,
    toTs: window.to,
    status: rows > 0 ? ("ok" as const) : ("empty" as const),
    rows,
    rejected: rejected.length,
    firstTs: rows > 0 ? bars.ts[0]! : null,
    lastTs: rows > 0 ? bars.ts[rows - 1]! : null,
    error: null,
    fetchedAt: now,
  };
  const withdrawn = revised.filter(({ kind }) => kind === "withdrawn");
  const touched = [write, ...withdrawn.map((part) => part.bars)].flatMap(({ ts }) => ts[0] ?? []);
  await db.write([
    ...revised.flatMap((part) => recordRevised(seriesId, runId, now, part)),
    ...withdrawn.flatMap((part) => removeBars(seriesId, part.bars)),
    ...insertBars(seriesId, write),
    ...insertSources(seriesId, runId, write, source),
    ...markChanged(seriesId, touched),
    ...(batch.also ?? []),
    ...rejected.map(({ where, reason, raw }) =>
      db.orm
        .insert(rejectedBars)
        .values({ seriesId, place: where, reason, raw: raw.slice(0, 500), runId, seenAt: now })
        .onConflictDoUpdate({
          target: [rejectedBars.seriesId, rejectedBars.place],
          set: { reason, runId, seenAt: now },
        }),
    ),
    db.orm.insert(batches).values(record).onConflictDoUpdate(ledger(record)),
    countersOf(
      db,
      batch.counters,
      sql`${batch.counters.dataPointsElsewhere} + (select count(*) from bars
        where series_id = ${seriesId} and ts >= ${window.from} and ts < ${window.to})`,
    ),
  ]);
}

/** Notes that a window could not be had. Bars that are stored stay; a window once answered is not marked failed. */
export async function storeFailedBatch(
  db: Database,
  failure: { seriesId: number; runId: string; window: Window; error: string; counters: JobCounters },
): Promise<void> {
  const record = {
    seriesId: failure.seriesId,
    runId: failure.runId,
    fromTs: failure.window.from,
    toTs: failure.window.to,
    status: "failed" as const,
    rows: 0,
    error: failure.error,
    fetchedAt: Date.now(),
  };
  await db.write([
    db.orm
      .insert(batches)
      .values(record)
      .onConflictDoUpdate({ ...ledger(record), setWhere: eq(batches.status, "failed") }),
    countersOf(db, failure.counters),
  ]);
}

/** The windows of a series that were answered (with bars or with none); with `runId` only those of that run. */
export async function answeredWindows(db: Database, seriesId: number, runId?: string): Promise<Window[]> {
  return db.orm
    .select({ from: batches.fromTs, to: batches.toTs })
    .from(batches)
    .where(
      and(
        eq(batches.seriesId, seriesId),
        inArray(batches.status, ["ok", "empty"]),
        runId === undefined ? undefined : eq(batches.runId, runId),
      ),
    )
    .orderBy(batches.fromTs);
}

/** The windows after `from` that were answered to runs for which it was `asOf` (epoch seconds) or later. */
export async function windowsAsOf(db: Database, seriesId: number, from: number, asOf: number): Promise<Window[]> {
  return db.orm
    .select({ from: batches.fromTs, to: batches.toTs })
    .from(batches)
    .innerJoin(runs, eq(runs.id, batches.runId))
    .where(
      and(
        eq(batches.seriesId, seriesId),
        inArray(batches.status, ["ok", "empty"]),
        gt(batches.toTs, from),
        gte(runs.asOf, asOf),
      ),
    )
    .orderBy(batches.fromTs);
}

/** What a run asked of a series and what came of it, in order of time. */
export async function ledgerOf(db: Database, seriesId: number, runId: string) {
  return db.orm
    .select()
    .from(batches)
    .where(and(eq(batches.seriesId, seriesId), eq(batches.runId, runId)))
    .orderBy(batches.fromTs);
}
