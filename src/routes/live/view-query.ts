/** What a live page shows: which runs, which of their jobs in which order, which lines of the log. */

import { type LogLine, lineContains } from "../../domain/log.ts";
import { type JobFilter, parseFilter } from "../../domain/runs/job-filter.ts";
import { AS_REQUESTED, type JobSort, parseSort } from "../../domain/runs/job-sort.ts";
import type { JobProgress } from "../../domain/runs/progress.ts";
import type { RunSummary } from "../../domain/runs/run-summary.ts";
import type { RowsView } from "../../views/jobs/job-table.tsx";
import { queueSearch } from "../../views/jobs/queue-url.ts";

/** Most rows of one run on a page. */
const MAX_ROWS = 500;

export interface ViewQuery {
  /** One run; without it the monitor: unfinished runs and the newest. */
  readonly run?: string | undefined;
  /** One symbol of that run. */
  readonly symbol?: string | undefined;
  /** A text that the shown log lines contain. */
  readonly log?: string | undefined;
  readonly filter: JobFilter;
  readonly sort: JobSort;
  /** From 1; a run with fewer pages shows its last. */
  readonly page: number;
}

/** The query parameters of a view, untrusted. */
export interface ViewParameters {
  readonly q?: string | undefined;
  readonly sort?: string | undefined;
  readonly page?: string | undefined;
}

const everything: JobFilter = { text: "", matches: () => true };

export const MONITOR: ViewQuery = { filter: everything, sort: AS_REQUESTED, page: 1 };

/** The view of an address, and the error of its filter, if it cannot be parsed. */
export function parseViewQuery(
  run: string | undefined,
  parameters: ViewParameters,
): { query: ViewQuery; error: string | null } {
  const parsed = parseFilter(parameters.q ?? "");
  const page = Number(parameters.page ?? 1);
  const sort = parseSort(parameters.sort);
  const query = { run, sort, page: Number.isSafeInteger(page) && page > 0 ? page : 1 };
  return "error" in parsed
    ? { query: { ...query, filter: everything }, error: parsed.error }
    : { query: { ...query, filter: parsed }, error: null };
}

/** Equal for queries that show the same. */
export const viewKey = ({ run = "", symbol = "", log = "", filter, sort, page }: ViewQuery): string =>
  [run, symbol, log, filter.text, sort.text, page].join("\n");

/** The address of a view's live updates for a page that shows everything up to `cursor`. */
export function streamAddress({ run, symbol, log = "", filter, sort, page }: ViewQuery, cursor: string): string {
  const search = queueSearch({ filter: filter.text, sort: sort.text, page });
  if (run !== undefined) search.set("run", run);
  if (symbol !== undefined) search.set("symbol", symbol);
  if (log !== "") search.set("log", log);
  search.set("since", cursor);
  return `/events?${search}`;
}

/** The runs that a view shows, newest first, from all in memory. */
export function runsOf({ run }: ViewQuery, runs: readonly RunSummary[]): RunSummary[] {
  if (run !== undefined) return runs.filter(({ id }) => id === run);
  const newest = [...runs].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
  return newest.filter(({ finishedAt }, index) => index === 0 || finishedAt === null);
}

export const showsJob = (query: ViewQuery, job: JobProgress): boolean =>
  (query.symbol === undefined || job.symbol === query.symbol) && query.filter.matches(job);

/** The jobs of one run that a view shows, in its order, and how many more there are. */
export function jobsOf(query: ViewQuery, jobs: readonly JobProgress[]): RowsView {
  const matching = jobs.filter((job) => showsJob(query, job));
  const pages = Math.max(1, Math.ceil(matching.length / MAX_ROWS));
  const page = Math.min(query.page, pages);
  const first = (page - 1) * MAX_ROWS;
  return {
    jobs: query.sort.apply(matching, Date.now()).slice(first, first + MAX_ROWS),
    first,
    matching: matching.length,
    hidden: jobs.length - matching.length,
    pages,
    sort: query.sort,
    query: { filter: query.filter.text, sort: query.sort.text, page },
  };
}

/** The log lines of a view. Debug lines (single features) are for the log file only. */
export const linesOf = ({ run, symbol, log = "" }: ViewQuery, lines: readonly LogLine[]): LogLine[] =>
  lines.filter(
    (line) =>
      line.level !== "debug" &&
      (run === undefined || line.runId === run) &&
      (symbol === undefined || line.symbol === symbol) &&
      (log === "" || lineContains(log, line)),
  );
