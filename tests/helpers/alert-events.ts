/** Events for tests of alerts. */

import type {
  GapFound,
  JobFailed,
  JobReport,
  PromiseEvent,
  QuotaLevel,
  RevisionFound,
  RunEnded,
  RunReport,
  ScheduleMissed,
} from "../../src/domain/alerts.ts";

const AT = Date.UTC(2026, 0, 15, 12);

export const jobFailed = (over: Partial<JobFailed> = {}): JobFailed => ({
  kind: "job_failed",
  at: AT,
  runId: "r1",
  symbol: "AAPL",
  interval: "1d",
  provider: "demo",
  reason: "HTTP 404: no such symbol",
  ...over,
});

const jobReport = (over: Partial<JobReport> = {}): JobReport => ({
  symbol: "AAPL",
  state: "complete",
  dataPoints: 504,
  apiCalls: 24,
  seconds: 3.1,
  error: null,
  ...over,
});

export const runReport = (over: Partial<RunReport> = {}): RunReport => ({
  id: "r1",
  mode: "full",
  interval: "1d",
  provider: "demo",
  state: "failed",
  createdAt: AT - 125_000,
  finishedAt: AT,
  counts: { queued: 0, running: 0, paused: 0, complete: 1, failed: 1, cancelled: 0, skipped: 0 },
  total: 2,
  dataPoints: 504,
  apiCalls: 24,
  jobs: [jobReport({ symbol: "BAD", state: "failed", error: "HTTP 404: no such symbol" }), jobReport()],
  ...over,
});

export const runEnded = (over: Partial<RunEnded> = {}): RunEnded => ({
  kind: "run_failed",
  at: AT,
  run: runReport(),
  ...over,
});

export const quota = (over: Partial<QuotaLevel> = {}): QuotaLevel => ({
  kind: "quota_level",
  at: AT,
  provider: "twelvedata",
  period: "day",
  counts: "units",
  used: 650,
  limit: 800,
  resetsAt: AT / 1000 + 43_200,
  ...over,
});

export const revision = (over: Partial<RevisionFound> = {}): RevisionFound => ({
  kind: "revision_found",
  at: AT,
  symbol: "AAPL",
  interval: "1d",
  provider: "demo",
  what: "split",
  bars: 504,
  from: AT / 1000 - 500 * 86_400,
  to: AT / 1000 - 86_400,
  detail: "A split of 4:1 was found; the series is rebuilt.",
  ...over,
});

export const gap = (over: Partial<GapFound> = {}): GapFound => ({
  kind: "gap_found",
  at: AT,
  symbol: "AAPL",
  interval: "1d",
  provider: "demo",
  missing: "3 sessions",
  from: AT / 1000 - 5 * 86_400,
  to: AT / 1000 - 2 * 86_400,
  ...over,
});

export const missed = (over: Partial<ScheduleMissed> = {}): ScheduleMissed => ({
  kind: "schedule_missed",
  at: AT,
  scheduleId: "s1",
  name: "Every weekday",
  dueAt: AT - 3_600_000,
  caughtUp: false,
  reason: "the server was down",
  ...over,
});

export const promised = (kind: PromiseEvent["kind"]): PromiseEvent => ({
  kind,
  at: AT,
  promiseId: 1,
  name: "Tech by seven",
  deadline: AT + 3_600_000,
  total: 50,
  missing: 8,
  symbols: ["AAPL", "MSFT"],
  reason: "no run is planned before the deadline",
});
