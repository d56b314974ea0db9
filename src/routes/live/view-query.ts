/** What a page of the live screen shows: which runs, which of their jobs in which order, which lines of the log. */

import { type LogLine, saysInLog } from "../../domain/log.ts";
import { type JobFilter, parseFilter } from "../../domain/runs/job-filter.ts";
import { type JobOrder, parseOrder, RUN_ORDER } from "../../domain/runs/job-sort.ts";
import type { JobProgress } from "../../domain/runs/progress.ts";
import type { RunSummary } from "../../domain/runs/run-summary.ts";
import type { RowsView } from "../../views/jobs/job-table.tsx";
import { queueSearch } from "../../views/jobs/queue-url.ts";

/** Rows of one run on a page. */
const MAX_ROWS = 500;

export interface Scene {
  /** One run; without it the monitor: what works, and the newest. */
  readonly run?: string | undefined;
  /** One symbol of that run. */
  readonly symbol?: string | undefined;
  /** What the lines of the log that it shows must contain. */
  readonly log?: string | undefined;
  readonly filter: JobFilter;
  readonly order: JobOrder;
  /** From 1; a run with fewer pages shows its last. */
  readonly page: number;
}

/** The part of an address that says what a scene shows, untrusted. */
export interface SceneQuery {
  readonly q?: string | undefined;
  readonly sort?: string | undefined;
  readonly page?: string | undefined;
}

const everything: JobFilter = { text: "", matches: () => true };

export const MONITOR: Scene = { filter: everything, order: RUN_ORDER, page: 1 };

/** The scene that a page's address asks for, and what is wrong with its filter, if it cannot be understood. */
export function sceneOf(run: string | undefined, query: SceneQuery): { scene: Scene; wrong: string | null } {
  const parsed = parseFilter(query.q ?? "");
  const page = Number(query.page ?? 1);
  const order = parseOrder(query.sort);
  const scene = { run, order, page: Number.isSafeInteger(page) && page > 0 ? page : 1 };
  return "wrong" in parsed
    ? { scene: { ...scene, filter: everything }, wrong: parsed.wrong }
    : { scene: { ...scene, filter: parsed }, wrong: null };
}

/** Equal for scenes that show the same. */
export const keyOf = ({ run = "", symbol = "", log = "", filter, order, page }: Scene): string =>
  [run, symbol, log, filter.text, order.text, page].join("\n");

/** The address of a scene's live updates for a page that shows everything up to `cursor`. */
export function streamAddress({ run, symbol, log = "", filter, order, page }: Scene, cursor: string): string {
  const query = queueSearch({ filter: filter.text, sort: order.text, page });
  if (run !== undefined) query.set("run", run);
  if (symbol !== undefined) query.set("symbol", symbol);
  if (log !== "") query.set("log", log);
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

/** The jobs of one run that a scene shows, in its order, and how many more there are. */
export function jobsOf(scene: Scene, jobs: readonly JobProgress[]): RowsView {
  const matching = jobs.filter((job) => showsJob(scene, job));
  const pages = Math.max(1, Math.ceil(matching.length / MAX_ROWS));
  const page = Math.min(scene.page, pages);
  const first = (page - 1) * MAX_ROWS;
  return {
    jobs: scene.order.sort(matching, Date.now()).slice(first, first + MAX_ROWS),
    first,
    matching: matching.length,
    hidden: jobs.length - matching.length,
    pages,
    order: scene.order,
    query: { filter: scene.filter.text, sort: scene.order.text, page },
  };
}

/** The lines that belong to a scene; single features are for the log file. */
export const linesOf = ({ run, symbol, log = "" }: Scene, lines: readonly LogLine[]): LogLine[] =>
  lines.filter(
    (line) =>
      line.level !== "debug" &&
      (run === undefined || line.runId === run) &&
      (symbol === undefined || line.symbol === symbol) &&
      (log === "" || saysInLog(log, line)),
  );
