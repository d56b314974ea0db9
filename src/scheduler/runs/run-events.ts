/** The alert events of ended runs and failed jobs. */

import { type AlertEvent, type JobFailed, type JobReport, REPORTED_JOBS } from "../../domain/alerts.ts";
import { describeStage } from "../../domain/runs/progress.ts";
import type { RunSummary } from "../../domain/runs/run-summary.ts";
import type { JobRecord, RunRecord } from "./run-records.ts";

/**
 * The events of a run's end; none for one that a person has cancelled. Whether a complete run had failed before is
 * decided where they are recorded.
 */
export function runEnded(run: RunRecord, summary: RunSummary, finishedAt: number): AlertEvent[] {
  const { id, name, mode, interval, provider, state, createdAt, counts, total, dataPoints, apiCalls } = summary;
  if (state !== "failed" && state !== "complete") return [];
  const jobs = [...run.jobs.values()].map(jobReport);
  const sorted = [...jobs.filter(isFailed), ...jobs.filter((job) => !isFailed(job))].slice(0, REPORTED_JOBS);
  const totals = { counts, total, dataPoints, apiCalls };
  const report = { id, name, mode, interval, provider, state, createdAt, finishedAt, ...totals };
  const kind = state === "failed" ? "run_failed" : "run_finished";
  const ended = { kind, at: finishedAt, run: { ...report, jobs: sorted } } as const;
  return state === "failed" ? [ended] : [ended, { kind: "run_recovered", at: finishedAt, run: report }];
}

const isFailed = ({ state }: JobReport) => state === "failed";

function jobReport({ symbol, state, stage, counters, workedMs }: JobRecord): JobReport {
  const { dataPoints, apiCalls } = counters;
  const error = state === "failed" ? describeStage(stage).microStage : null;
  return { symbol, state, dataPoints, apiCalls, seconds: Math.round(workedMs / 100) / 10, error };
}

export function jobFailed({ symbol, run }: JobRecord, reason: string, at: number): JobFailed {
  const { id: runId, interval, provider } = run.row;
  return { kind: "job_failed", at, runId, symbol, interval, provider, reason };
}
