/** A run with the totals of its jobs, and the wire form of runs and progress events. */

import type { Interval } from "../market/interval.ts";
import { isoOrNull } from "../time.ts";
import type { Eta, RequestBlock } from "./eta.ts";
import type { FailureReason } from "./failures.ts";
import type { JobProgress } from "./progress.ts";
import type { JobState, Mode, RunState } from "./states.ts";

/** A run with the totals of its jobs. */
export interface RunSummary {
  readonly id: string;
  /** What a person or a schedule calls it. */
  readonly name: string | null;
  readonly state: RunState;
  readonly mode: Mode;
  readonly interval: Interval;
  readonly provider: string;
  readonly years: number | "all";
  /** The days of a run that was requested by dates, ISO, half open. */
  readonly dates: { readonly from: string; readonly to: string } | null;
  readonly batchDays: number;
  readonly maxWorkers: number;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly finishedAt: number | null;
  /** When a person took note of its failures, epoch milliseconds. */
  readonly acknowledgedAt: number | null;
  /** Number of jobs in each state. */
  readonly counts: Readonly<Record<JobState, number>>;
  readonly total: number;
  /** Jobs that should be at work and make no progress (`isStuck`). */
  readonly stuck: number;
  /** Mean progress of the jobs that count (skipped and cancelled ones do not), 0..100. */
  readonly progress: number;
  readonly dataPoints: number;
  /** Bars that this run has added, as far as this process knows. */
  readonly newBars: number | null;
  readonly apiCalls: number;
  /** Sessions that are missing from what complete jobs stored. */
  readonly gaps: number;
  /** Why symbols failed, most frequent first. */
  readonly failures: readonly FailureReason[];
  /** What the provider's plan left out, most frequent first. */
  readonly leftOut: readonly FailureReason[];
  /** Over the last five minutes while the run is open, on average once it is finished. */
  readonly symbolsPerMinute: number;
  readonly barsPerMinute: number;
  readonly requestsPerMinute: number;
  /** `null` while nothing was measured, and once nothing is left. */
  readonly eta: Eta | null;
  /** What prevents requests to the run's provider now. */
  readonly blocked: RequestBlock | null;
}

/** A progress event as the API writes it. */
export function progressToWire(job: JobProgress) {
  return {
    run_id: job.runId,
    symbol: job.symbol,
    interval: job.interval,
    state: job.state,
    status: job.status,
    progress: job.progress,
    micro_stage: job.microStage,
    data_points: job.dataPoints,
    api_calls: job.apiCalls,
    duration: job.duration,
    seq: job.seq,
  };
}
/** A run's totals as the API writes them. */
export function runToWire(run: RunSummary) {
  return {
    id: run.id,
    name: run.name,
    status: run.state,
    mode: run.mode,
    interval: run.interval,
    provider: run.provider,
    years: run.years,
    from: run.dates?.from ?? null,
    to: run.dates?.to ?? null,
    batch_days: run.batchDays,
    max_workers: run.maxWorkers,
    created_at: new Date(run.createdAt).toISOString(),
    finished_at: run.finishedAt === null ? null : new Date(run.finishedAt).toISOString(),
    acknowledged_at: run.acknowledgedAt === null ? null : new Date(run.acknowledgedAt).toISOString(),
    counts: run.counts,
    total: run.total,
    stuck: run.stuck,
    progress: run.progress,
    data_points: run.dataPoints,
    new_bars: run.newBars,
    api_calls: run.apiCalls,
    symbols_per_minute: run.symbolsPerMinute,
    bars_per_minute: run.barsPerMinute,
    requests_per_minute: run.requestsPerMinute,
    gaps: run.gaps,
    not_in_plan: run.leftOut.map(({ why, count }) => ({ why, count })),
    eta_seconds: run.eta?.seconds ?? null,
    eta_low: run.eta?.low ?? null,
    eta_high: run.eta?.high ?? null,
    limited_by: run.blocked?.by ?? run.eta?.limitedBy ?? null,
    limited_until: isoOrNull(run.blocked?.until ?? run.eta?.until ?? null),
  };
}
