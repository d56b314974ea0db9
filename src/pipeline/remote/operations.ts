/** The operations of the job store as they come from another machine: the shape of their arguments, and what they touch. */

import { z } from "zod";
import { ACTION_KINDS } from "../../domain/market/corporate-actions.ts";
import { REVISION_KINDS } from "../../storage/schema/market.ts";
import type { JobStore } from "../store/job-store.ts";
import {
  action,
  bars,
  bytes,
  count,
  cut,
  event,
  finding,
  finishedJob,
  gap,
  id,
  interval,
  moment,
  name,
  planFact,
  session,
  text,
  times,
  window,
  workTime,
} from "./shapes.ts";

export type OperationName = Exclude<keyof JobStore, "flush">;

/** What an operation reads or writes; each must be the job's own. */
export interface Subject {
  readonly series?: readonly number[];
  readonly job?: number;
  readonly run?: string;
  readonly symbol?: string;
  readonly interval?: string;
  readonly provider?: string;
  /** Of a provider and its key. */
  readonly account?: string;
  /** Under which id the bars of the series are written. */
  readonly barsId?: number;
}

interface Operation {
  readonly args: z.ZodType<readonly unknown[]>;
  /** Whether it writes. */
  readonly writes: boolean;
  /** @param args what `args` has let through */
  subject(args: readonly unknown[]): Subject;
}

const operation =
  (writes: boolean) =>
  <Args extends z.ZodType<readonly unknown[]>>(args: Args, subject: (args: z.output<Args>) => Subject): Operation => ({
    args,
    writes,
    subject: (given) => subject(given as z.output<Args>),
  });

const read = operation(false);
const write = operation(true);

const ofSeries = ([series]: readonly [number, ...unknown[]]): Subject => ({ series: [series] });
const events = z.array(event).max(10_000);
const revised = z.strictObject({ kind: z.enum(REVISION_KINDS), bars });
const counters = { jobId: id, apiCalls: count, fetchMs: z.number().nonnegative() };
const series = [id] as const;
const range = [id, moment, moment] as const;

const savedBatch = z.strictObject({
  seriesId: id,
  barsId: id,
  runId: name,
  window,
  bars,
  known: bars,
  write: bars.exactOptional(),
  revised: z.array(revised).exactOptional(),
  restored: bars.exactOptional(),
  aside: bars.exactOptional(),
  cleared: z.array(moment).exactOptional(),
  lacking: count.exactOptional(),
  source: name.exactOptional(),
  hasForeign: z.boolean().exactOptional(),
  isMarked: z.boolean().exactOptional(),
  notInPlan: z.array(cut).exactOptional(),
  rejected: z.array(
    z.strictObject({
      where: text,
      reason: text,
      raw: z.string().max(100_000),
      isReported: z.boolean().exactOptional(),
    }),
  ),
  counters: z.strictObject({ ...counters, dataPoints: count }),
  answeredGaps: z.strictObject({ breaks: z.array(times) }).exactOptional(),
  events,
  provisional: z.strictObject({ series: id, from: moment.nullable() }).exactOptional(),
});

const profile = z.strictObject({
  symbol: name,
  interval,
  seriesId: id,
  provider: name,
  firstBar: moment,
  lastBar: moment,
  lastClose: z.number(),
  features: z.record(z.string().max(100), z.number().nullable()),
  catalogVersion: name,
  backfill: z.looseObject({
    history_complete: z.boolean(),
    history_rows: count,
    api_calls_used: count,
    fetch_duration_seconds: z.number(),
    feature_count: count,
    batch_size_days: z.number(),
  }),
  state: bytes,
});

export const OPERATIONS: Readonly<Record<OperationName, Operation>> = {
  findJobWork: read(z.tuple([id]), ([job]) => ({ job })),
  savePlanStart: write(z.tuple([id, moment, z.boolean()]), ([job]) => ({ job })),
  saveWork: write(z.tuple([id, workTime]), ([job]) => ({ job })),
  completeJob: write(z.tuple([finishedJob, workTime, z.boolean()]), ([{ jobId }]) => ({ job: jobId })),
  storeProfile: write(
    z.tuple([profile, finishedJob, workTime, z.boolean()]),
    ([{ seriesId, symbol, interval, provider }, { jobId }]) => ({
      series: [seriesId],
      job: jobId,
      symbol,
      interval,
      provider,
    }),
  ),
  currentGaps: read(
    z.tuple([z.strictObject({ symbol: name, interval, seriesId: id, catalogVersion: name, lastBar: moment })]),
    ([{ symbol, interval, seriesId }]) => ({ symbol, interval, series: [seriesId] }),
  ),
  findProfile: read(z.tuple([name, interval]), ([symbol, interval]) => ({ symbol, interval })),
  findFeatureState: read(z.tuple([name, interval]), ([symbol, interval]) => ({ symbol, interval })),

  // Of other symbols only that they are in the run, and until when their bars are known to reach.
  lastBarsOf: read(z.tuple([name, z.array(name).max(10_000), interval]), ([provider, _, interval]) => ({
    provider,
    interval,
  })),
  symbolsOfRun: read(z.tuple([name]), ([run]) => ({ run })),
  asOfRun: read(z.tuple([name.nullable()]), () => ({})),
  planFacts: read(z.tuple([name]), ([account]) => ({ account })),
  learnPlan: write(z.tuple([name, z.array(planFact).max(100)]), ([account]) => ({ account })),

  seriesId: write(
    z.tuple([z.strictObject({ symbol: name, provider: name, feed: name, interval, adjustment: name, sessions: name })]),
    ([{ symbol, interval, provider }]) => ({ symbol, interval, provider }),
  ),
  readSeries: read(z.tuple(series), ofSeries),
  saveListing: write(z.tuple([id, moment]), ofSeries),
  pruneSeries: write(z.tuple(series), ofSeries),
  keepFrom: write(z.tuple([id, moment]), ofSeries),
  seriesFacts: read(z.tuple(range), ofSeries),
  barsIdOf: read(z.tuple(series), ofSeries),
  countBars: read(z.tuple(range), ofSeries),
  readBars: read(z.tuple([...range, z.int().optional()]), ofSeries),
  readLastBars: read(z.tuple([id, moment, count]), ofSeries),
  readStarts: read(z.tuple([id, moment, count]), ofSeries),
  foreignBars: read(z.tuple(range), ofSeries),
  readJumps: read(z.tuple(range), ofSeries),
  moveJumps: write(
    z.tuple([
      z.strictObject({ seriesId: id, runId: name }),
      z.strictObject({ withdrawn: bars, aside: bars, restored: bars }),
    ]),
    ([{ seriesId, runId }]) => ({ series: [seriesId], run: runId }),
  ),
  listActions: read(z.tuple([name, name, z.array(z.enum(ACTION_KINDS)).optional()]), ([provider, symbol]) => ({
    provider,
    symbol,
  })),
  storeActions: write(
    z.tuple([
      z.strictObject({ provider: name, symbol: name, actions: z.array(action), replaced: z.array(action) }),
      z.strictObject({ seriesId: id, runId: name }).optional(),
    ]),
    ([{ provider, symbol }, requested]) => ({
      provider,
      symbol,
      ...(requested && { series: [requested.seriesId], run: requested.runId }),
    }),
  ),

  readDays: read(z.tuple([id, interval, moment]), ofSeries),
  readVolumes: read(z.tuple(range), ofSeries),
  listFindings: read(z.tuple(series), ofSeries),
  replaceFindings: write(
    z.tuple([id, z.strictObject({ gone: z.array(finding), fresh: z.array(finding) }), events]),
    ofSeries,
  ),
  listGaps: read(z.tuple(series), ofSeries),
  replaceGaps: write(z.tuple([id, moment, z.array(gap), events]), ofSeries),
  saveGapRules: write(z.tuple(series), ofSeries),
  barRange: read(z.tuple(series), ofSeries),
  dayCounts: read(z.tuple([id, moment]), ofSeries),
  countSessions: read(z.tuple([id, z.array(session).max(50_000), moment]), ofSeries),
  readMinutes: read(z.tuple([id, z.array(session).max(50_000)]), ofSeries),

  windowsOfRun: read(z.tuple([id, name]), ofSeries),
  answeredWindows: read(z.tuple([id, name.optional()]), ofSeries),
  unansweredWindows: read(z.tuple(series), ofSeries),
  windowsAsOf: read(z.tuple(range), ofSeries),
  answersOfRun: read(z.tuple([id, name]), ofSeries),
  saveBatch: write(z.tuple([savedBatch]), ([{ seriesId, barsId, runId, counters, provisional }]) => ({
    series: provisional === undefined ? [seriesId] : [seriesId, provisional.series],
    barsId,
    run: runId,
    job: counters.jobId,
  })),
  saveFailedBatch: write(
    z.tuple([z.strictObject({ seriesId: id, runId: name, window, error: text, counters: z.strictObject(counters) })]),
    ([
      {
        seriesId,
        runId,
        counters: { jobId },
      },
    ]) => ({ series: [seriesId], run: runId, job: jobId }),
  ),
  saveLeftOut: write(
    z.tuple([z.strictObject({ seriesId: id, runId: name, windows: z.array(window), words: text })]),
    ([{ seriesId, runId }]) => ({ series: [seriesId], run: runId }),
  ),

  findStaging: read(z.tuple(series), ofSeries),
  openStaging: write(z.tuple([id, name]), ([seriesId, run]) => ({ series: [seriesId], run })),
  compareStaging: read(z.tuple([id, id, moment, moment]), ([seriesId, staging]) => ({ series: [seriesId, staging] })),
  copyBars: write(
    z.tuple([
      z.strictObject({
        seriesId: id,
        staging: id,
        from: moment,
        to: moment,
        scale: z.strictObject({ price: z.number(), volume: z.number() }).exactOptional(),
      }),
    ]),
    ([{ seriesId, staging }]) => ({ series: [seriesId, staging] }),
  ),
  swapStaging: write(
    z.tuple([
      z.strictObject({
        seriesId: id,
        staging: id,
        from: moment,
        to: moment,
        kind: z.enum(REVISION_KINDS),
        added: z.array(window),
      }),
      events,
    ]),
    ([{ seriesId, staging }]) => ({ series: [seriesId, staging] }),
  ),
  archiveReplaced: write(z.tuple(series), ofSeries),
};
