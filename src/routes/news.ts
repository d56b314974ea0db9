/** What a page of the live screen shows, and what its viewers have not been told yet. */

import type { LogLine, RunSummary } from "../domain/telemetry.ts";
import { LOG_PANEL_LINES } from "../views/log-panel.tsx";

/** What a page shows: the runs of the monitor, or one run. */
export type Scene = "monitor" | { readonly run: string };

/** The runs a scene shows, newest first, from all that the hub knows. */
export function runsOf(scene: Scene, runs: readonly RunSummary[]): RunSummary[] {
  if (scene !== "monitor") return runs.filter((run) => run.id === scene.run);
  const newest = [...runs].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
  return newest.filter((run, index) => index === 0 || run.finishedAt === null);
}

/** What a viewer has not been told yet. Rows are named, not held: they are written as they are when their turn comes. */
export interface News {
  readonly whole: boolean;
  readonly jobs: readonly string[];
  readonly runs: readonly string[];
  readonly logs: readonly LogLine[];
  readonly wholeLog: boolean;
  readonly sentence: string;
}

export const NOTHING: News = { whole: false, jobs: [], runs: [], logs: [], wholeLog: false, sentence: "" };

export const isEmpty = (news: News) =>
  !news.whole && !news.wholeLog && news.jobs.length + news.runs.length + news.logs.length === 0 && news.sentence === "";

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
    sentence: after.sentence || before.sentence,
  };
}

/** The lines that belong to a scene; single features are for the log file. */
export const linesOf = (scene: Scene, lines: readonly LogLine[]): readonly LogLine[] =>
  lines.filter((line) => line.level !== "debug" && (scene === "monitor" || line.runId === scene.run));
