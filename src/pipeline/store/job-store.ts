/**
 * What the stages of a job read and write: operations as data, so that a job works the same beside the database and on
 * another machine. A write is one transaction; while the database is in trouble it waits (`Database.write`). Times of bars
 * are epoch seconds.
 */

import type { AlertEvent } from "../../domain/alerts.ts";
import type { DayPrices, Finding } from "../../domain/market/anomalies/scale-changes.ts";
import type { BarColumns } from "../../domain/market/bars.ts";
import type { Session } from "../../domain/market/calendar.ts";
import type { ActionKind, CorporateAction } from "../../domain/market/corporate-actions.ts";
import type { Interval } from "../../domain/market/interval.ts";
import type { PlanFact } from "../../domain/plan.ts";
import type { StageTimes } from "../../domain/runs/stage-times.ts";
import type { Stretch } from "../../storage/market/arrivals.ts";
import type { SeriesFacts, SeriesKey } from "../../storage/market/bars.ts";
import type { Gap, StoredGap, Times } from "../../storage/market/quality/gaps.ts";
import type { CopiedBars, CopiedRange, StagedChange, Swap } from "../../storage/market/rebuild.ts";
import type { SeriesRow } from "../../storage/market/series.ts";
import type { DayCount, SessionCounts } from "../../storage/market/session-bars.ts";
import type { ProfileRecord } from "../../storage/profiles/profiles.ts";
import type { RunAnswers } from "../../storage/runs/answers.ts";
import type { BatchRecord, FailedBatch, KnownWindow, LeftOut, Window } from "../../storage/runs/batches.ts";
import type { FinishedJob, JobWork } from "../../storage/runs/jobs.ts";

/** What a work interval has requested of its provider, and how long its stages took. */
export interface WorkTime {
  readonly apiCalls: number;
  readonly fetchMs: number;
  readonly stageMs: StageTimes;
}

/** A batch, and what belongs to its transaction. */
export interface SavedBatch extends Omit<BatchRecord, "extraWrites"> {
  /** The batch answers for the gaps in its window; bars inside one of these breaks are not counted (`recordAnswer`). */
  readonly answeredGaps?: { readonly breaks: readonly Times[] };
  readonly events: readonly AlertEvent[];
  /** The earliest provisional bar of a series from now on (`null`: none); absent if it stays. */
  readonly provisional?: { readonly series: number; readonly from: number | null };
}

/** Bars that move between a series and those put aside (`storage/market/quality/jump-bars.ts`). */
interface MovedJumps {
  readonly withdrawn: BarColumns;
  readonly aside: BarColumns;
  readonly restored: BarColumns;
}

/** Reads and writes about stored series, whoever needs them. */
export interface SeriesStore {
  /** @throws Error when there is no such series */
  readSeries(id: number): Promise<SeriesRow>;
  /** The bars with `from` <= ts < `to`, ascending; with `limit`, at most that many. */
  readBars(series: number, from: number, to: number, limit?: number): Promise<BarColumns>;
  /** The last `count` bars before `to`, ascending. */
  readLastBars(series: number, to: number, count: number): Promise<BarColumns>;
  /** The times of the bars with `from` <= ts < `to` that another provider supplied. */
  foreignBars(series: number, from: number, to: number): Promise<Set<number>>;
  /** The bars put aside as jumps with `from` <= ts < `to`, ascending. */
  readJumps(series: number, from: number, to: number): Promise<BarColumns>;
  moveJumps(series: { readonly seriesId: number; readonly runId: string }, moved: MovedJumps): Promise<void>;
  /** The actions of a symbol that count, ascending by ex-date; all kinds, or those given. */
  listActions(
    provider: string,
    symbol: string,
    kinds?: readonly ActionKind[],
  ): Promise<(CorporateAction & { seenAt: number })[]>;
  readDays(series: number, interval: Interval, from: number): Promise<DayPrices[]>;
  /** The volumes of the days with `from` <= date < `to`, by date; NaN where one is unknown. */
  readVolumes(series: number, from: number, to: number): Promise<Map<number, number>>;
  listFindings(series: number): Promise<Finding[]>;
  replaceFindings(
    series: number,
    change: { readonly gone: readonly Finding[]; readonly fresh: readonly Finding[] },
    events: readonly AlertEvent[],
  ): Promise<void>;
  listGaps(series: number): Promise<StoredGap[]>;
  /** Replaces the gaps from `from` on. */
  replaceGaps(series: number, from: number, found: readonly Gap[], events: readonly AlertEvent[]): Promise<void>;
  /** Records that the sessions of a series were compared by the present rules. */
  saveGapRules(series: number): Promise<void>;
  barRange(series: number): Promise<{ firstBar: number | null; lastBar: number | null }>;
  dayCounts(series: number, from: number): Promise<DayCount[]>;
  countSessions(series: number, sessions: readonly Session[], from: number): Promise<SessionCounts>;
  /** The starts of the bars of `sessions` in whole minutes after the open, by date. */
  readMinutes(series: number, sessions: readonly Session[]): Promise<Map<number, readonly number[]>>;
}

/** The steps of a rebuild; each of those that return whether they are done is called until it is. */
interface RebuildStore {
  findStaging(series: number): Promise<SeriesRow | undefined>;
  openStaging(series: number, runId: string): Promise<{ readonly id: number; readonly isReady: boolean }>;
  barsIdOf(series: number): Promise<number>;
  compareStaging(series: number, staging: number, from: number, to: number): Promise<StagedChange>;
  copyBars(range: CopiedRange): Promise<CopiedBars>;
  /** The starts of at most `count` bars from `from` on, ascending. */
  readStarts(series: number, from: number, count: number): Promise<Float64Array>;
  swapStaging(swap: Swap & { readonly added: readonly Stretch[] }, events: readonly AlertEvent[]): Promise<void>;
  archiveReplaced(series: number): Promise<boolean>;
}

/** What the fetch stage requests and records. */
interface LedgerStore {
  windowsOfRun(series: number, runId: string): Promise<KnownWindow[]>;
  answeredWindows(series: number, runId?: string): Promise<Window[]>;
  unansweredWindows(series: number): Promise<Window[]>;
  windowsAsOf(series: number, from: number, asOf: number): Promise<Window[]>;
  answersOfRun(series: number, runId: string): Promise<RunAnswers>;
  /** Stores a batch with its line of the ledger; it may wait for other writes (`flush`). */
  saveBatch(batch: SavedBatch): Promise<void>;
  saveFailedBatch(failure: FailedBatch): Promise<void>;
  saveLeftOut(leftOut: LeftOut): Promise<void>;
  saveListing(series: number, listedFrom: number): Promise<void>;
  storeActions(
    change: {
      readonly provider: string;
      readonly symbol: string;
      readonly actions: readonly CorporateAction[];
      readonly replaced: readonly CorporateAction[];
    },
    requested?: { readonly seriesId: number; readonly runId: string },
  ): Promise<void>;
  planFacts(account: string): Promise<readonly PlanFact[]>;
  learnPlan(account: string, facts: readonly PlanFact[]): Promise<void>;
  symbolsOfRun(runId: string): Promise<string[]>;
  /** What counted as now in a run; negative infinity for one that is not known any more. */
  asOfRun(runId: string | null): Promise<number>;
  lastBarsOf(
    provider: string,
    symbols: readonly string[],
    interval: Interval,
  ): Promise<{ readonly symbol: string; readonly lastBar: number; readonly provisionalFrom: number | null }[]>;
}

export interface JobStore extends SeriesStore, RebuildStore, LedgerStore {
  /** @throws Error when the job does not exist */
  findJobWork(jobId: number): Promise<JobWork>;
  /** Records where the job begins to fetch (epoch seconds); writes that come later are never committed without it. */
  savePlanStart(jobId: number, planFrom: number, mayWait: boolean): Promise<void>;
  /** The id of a series, which is created if it is new. */
  seriesId(key: SeriesKey): Promise<number>;
  /** One step of deleting what was to be deleted by choice; returns whether nothing is left. */
  pruneSeries(series: number): Promise<boolean>;
  /** Lowers to `from` what is kept of a series. */
  keepFrom(series: number, from: number): Promise<void>;
  seriesFacts(series: number, from: number, to: number): Promise<SeriesFacts>;
  countBars(series: number, from: number, to: number): Promise<number>;
  findFeatureState(symbol: string, interval: Interval): Promise<Uint8Array | undefined>;
  /** The series and the range of the profile of a symbol. */
  findProfile(
    symbol: string,
    interval: Interval,
  ): Promise<Pick<ProfileRecord, "seriesId" | "firstBar" | "lastBar"> | undefined>;
  currentGaps(
    series: Pick<ProfileRecord, "symbol" | "interval" | "seriesId" | "catalogVersion" | "lastBar">,
  ): Promise<number | null>;
  /** Saves the work of an interval, as `work` has it when the write is run: the last stage counts until then. */
  saveWork(jobId: number, work: WorkTime): Promise<void>;
  /** Completes the job with its work, unless it was paused or cancelled in the meantime. */
  completeJob(job: FinishedJob, work: WorkTime, mayWait: boolean): Promise<void>;
  /** Stores the profile and completes the job with its work. */
  storeProfile(profile: ProfileRecord, job: FinishedJob, work: WorkTime, mayWait: boolean): Promise<void>;
  /** Commits at once the writes that may wait, and tries again what trouble has stopped. */
  flush(): void;
}
