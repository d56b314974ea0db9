/** Jobs, runs and log lines for tests of the pages. */

import type { LogLine } from "../../src/domain/log.ts";
import type { JobProgress } from "../../src/domain/runs/progress.ts";
import type { RunSummary } from "../../src/domain/runs/run-summary.ts";

export const job = (over: Partial<JobProgress> = {}): JobProgress => ({
  runId: "r1",
  symbol: "AAPL",
  interval: "1d",
  state: "running",
  status: "Fetching history",
  progress: 1,
  microStage: "Batch 2/24: 4%",
  wait: null,
  dataPoints: 21,
  apiCalls: 1,
  duration: 0.4,
  since: 1_700_000_000_000,
  reportedAt: 1_700_000_000_000,
  coverage: null,
  seq: 0,
  ...over,
});

export const run = (over: Partial<RunSummary> = {}): RunSummary => ({
  id: "r1",
  name: null,
  state: "running",
  mode: "full",
  interval: "1d",
  provider: "demo",
  years: 2,
  dates: null,
  batchDays: 30,
  maxWorkers: 2,
  createdAt: 1_700_000_000_000,
  finishedAt: null,
  acknowledgedAt: null,
  counts: { queued: 0, running: 1, paused: 0, complete: 0, failed: 0, cancelled: 0, skipped: 0 },
  total: 1,
  stuck: 0,
  progress: 1,
  dataPoints: 21,
  newBars: 21,
  apiCalls: 1,
  symbolsPerMinute: 0,
  barsPerMinute: 0,
  requestsPerMinute: 0,
  gaps: 0,
  failures: [],
  leftOut: [],
  eta: null,
  blocked: null,
  ...over,
});

export const line = (over: Partial<LogLine> = {}): Omit<LogLine, "id"> & { id: number } => ({
  id: 1,
  at: 1_700_000_000_000,
  level: "info",
  runId: "r1",
  symbol: "AAPL",
  message: "AAPL: Fetching history - Batch 2/24: 4% (1%)",
  ...over,
});
