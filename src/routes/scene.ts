/** What a page of the live screen shows: which runs, which of their jobs, which lines of the log. */

import { type JobFilter, parseFilter } from "../domain/filter.ts";
import type { JobProgress } from "../domain/progress.ts";
import type { LogLine, RunSummary } from "../domain/telemetry.ts";

/** Rows of one run on a page; the filter brings the others to light. */
export const MAX_ROWS = 500;

export interface Scene {
  /** One run; without it the monitor: what works, and the newest. */
  readonly run?: string | undefined;
  /** One symbol of that run. */
  readonly symbol?: string | undefined;
  readonly filter: JobFilter;
}

const everything: JobFilter = { text: "", matches: () => true };

export const MONITOR: Scene = { filter: everything };

/** The scene that a page's address asks for, and what is wrong with its filter, if it cannot be understood. */
export function sceneOf(run: string | undefined, filter: string | undefined): { scene: Scene; wrong: string | null } {
  const parsed = parseFilter(filter ?? "");
  return "wrong" in parsed
    ? { scene: { run, filter: everything }, wrong: parsed.wrong }
    : { scene: { run, filter: parsed }, wrong: null };
}

/** Equal for scenes that show the same. */
export const keyOf = ({ run = "", symbol = "", filter }: Scene): string => `${run}\n${symbol}\n${filter.text}`;

/** The address of a scene's live updates for a page that shows everything up to `cursor`. */
export function streamAddress({ run, symbol, filter }: Scene, cursor: string): string {
  const query = new URLSearchParams();
  if (run !== undefined) query.set("run", run);
  if (symbol !== undefined) query.set("symbol", symbol);
  if (filter.text !== "") query.set("q", filter.text);
  query.set("since", cursor);
  return `/events?${query}`;
}

/** The runs a scene shows, newest first, from all that are in memory. */
export function runsOf({ run }: Scene, runs: readonly RunSummary[]): RunSummary[] {
  if (run !== undefined) return runs.filter(({ id }) => id === run);
  const newest = [...runs].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
  return newest.filter(({ finishedAt }, index) => index === 0 || finishedAt === null);
}

export const showsJob = (scene: Scene, job: JobProgress): boolean =>
  (scene.symbol === undefined || job.symbol === scene.symbol) && scene.filter.matches(job);

/** The jobs of one run that a scene shows, and how many more there are. */
export function jobsOf(scene: Scene, jobs: readonly JobProgress[]) {
  const matching = jobs.filter((job) => showsJob(scene, job));
  const shown = matching.slice(0, MAX_ROWS);
  return { jobs: shown, hidden: jobs.length - shown.length, filter: scene.filter.text };
}

/** The lines that belong to a scene; single features are for the log file. */
export const linesOf = ({ run, symbol }: Scene, lines: readonly LogLine[]): LogLine[] =>
  lines.filter(
    (line) =>
      line.level !== "debug" &&
      (run === undefined || line.runId === run) &&
      (symbol === undefined || line.symbol === symbol),
  );
