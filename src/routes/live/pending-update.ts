/** What a viewer of the live screen has not been told yet. */

import type { LogLine } from "../../domain/log.ts";
import { LOG_PANEL_LINES } from "../../views/runs/log-panel.tsx";

/** Rows are named, not held: they are written as they are when their turn comes. */
export interface PendingUpdate {
  /** Everything that belongs to runs, for one whose drawing is too old. */
  readonly whole: boolean;
  /** Other runs, and which of them came. */
  readonly sections: boolean;
  readonly cameRuns: readonly string[];
  /** Other rows, or another order of them. */
  readonly rows: boolean;
  /** The jobs whose rows came. */
  readonly came: readonly string[];
  readonly jobs: readonly string[];
  readonly runs: readonly string[];
  readonly logs: readonly LogLine[];
  readonly wholeLog: boolean;
  /** The quotas of the providers in use. */
  readonly quota: boolean;
  /** The last hour. */
  readonly lastHour: boolean;
  /** For screen readers. */
  readonly sentence: string;
}

export const NOTHING: PendingUpdate = {
  whole: false,
  sections: false,
  cameRuns: [],
  rows: false,
  came: [],
  jobs: [],
  runs: [],
  logs: [],
  wholeLog: false,
  quota: false,
  lastHour: false,
  sentence: "",
};

export const isEmpty = (news: PendingUpdate) =>
  !news.whole &&
  !news.sections &&
  !news.rows &&
  !news.wholeLog &&
  !news.quota &&
  !news.lastHour &&
  news.jobs.length + news.runs.length + news.logs.length === 0 &&
  news.sentence === "";

/** Two pieces of news as one: newest per job, bounded log. */
export function merge(before: PendingUpdate | null, after: PendingUpdate): PendingUpdate {
  if (before === null) return after;
  const whole = before.whole || after.whole;
  const union = (name: "cameRuns" | "came" | "jobs" | "runs") =>
    whole ? [] : [...new Set([...before[name], ...after[name]])];
  const logs = [...before.logs, ...after.logs];
  const wholeLog = before.wholeLog || logs.length >= LOG_PANEL_LINES;
  return {
    whole,
    sections: !whole && (before.sections || after.sections),
    cameRuns: union("cameRuns"),
    rows: !whole && (before.rows || after.rows),
    came: union("came"),
    jobs: union("jobs"),
    runs: union("runs"),
    logs: wholeLog ? [] : logs,
    wholeLog,
    quota: before.quota || after.quota,
    lastHour: before.lastHour || after.lastHour,
    sentence: after.sentence || before.sentence,
  };
}
