/** What a viewer of the live screen has not been told yet. */

import type { LogLine } from "../domain/telemetry.ts";
import { LOG_PANEL_LINES } from "../views/log-panel.tsx";

/** Rows are named, not held: they are written as they are when their turn comes. */
export interface News {
  /** Everything that belongs to runs, because one came or went, or rows did. */
  readonly whole: boolean;
  readonly jobs: readonly string[];
  readonly runs: readonly string[];
  readonly logs: readonly LogLine[];
  readonly wholeLog: boolean;
  /** The quotas of the providers in use. */
  readonly quota: boolean;
  /** For screen readers. */
  readonly sentence: string;
}

export const NOTHING: News = {
  whole: false,
  jobs: [],
  runs: [],
  logs: [],
  wholeLog: false,
  quota: false,
  sentence: "",
};

export const isEmpty = (news: News) =>
  !news.whole &&
  !news.wholeLog &&
  !news.quota &&
  news.jobs.length + news.runs.length + news.logs.length === 0 &&
  news.sentence === "";

/** Two pieces of news as one: newest per job, bounded log. */
export function merge(before: News | null, after: News): News {
  if (before === null) return after;
  const whole = before.whole || after.whole;
  const logs = [...before.logs, ...after.logs];
  const wholeLog = before.wholeLog || logs.length >= LOG_PANEL_LINES;
  return {
    whole,
    jobs: whole ? [] : [...new Set([...before.jobs, ...after.jobs])],
    runs: whole ? [] : [...new Set([...before.runs, ...after.runs])],
    logs: wholeLog ? [] : logs,
    wholeLog,
    quota: before.quota || after.quota,
    sentence: after.sentence || before.sentence,
  };
}
