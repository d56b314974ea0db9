/** What a live page shows: which runs, which of their jobs in which order, which lines of the log. */

import { type LogLine, lineContains } from "../../domain/log.ts";
import type { JobProgress } from "../../domain/runs/progress.ts";
import { isUnacknowledged, runRank } from "../../domain/runs/queue/attention.ts";
import { type JobFilter, parseFilter } from "../../domain/runs/queue/job-filter.ts";
import { BY_ATTENTION, type JobSort, parseSort } from "../../domain/runs/queue/job-sort.ts";
import type { RunSummary } from "../../domain/runs/run-summary.ts";
import type { RowsView } from "../../views/jobs/job-table.tsx";
import { queueSearch } from "../../views/jobs/queue-url.ts";

/** Longest id of a run that is read from an address. */
const MAX_ID = 60;
/** Most rows of one run on a page. */
const MAX_ROWS = 500;

export interface ViewQuery {
  /** One run; without it the monitor. */
  readonly run?: string | undefined;
  /** The run that the monitor shows with its rows, if the address names one that it has. */
  readonly open?: string | undefined;
  /** The run that it shows now: without another wish it stays until it has ended. */
  readonly at?: string | undefined;
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
  readonly open?: string | undefined;
  readonly at?: string | undefined;
}

const everything: JobFilter = { text: "", matches: () => true };

export const MONITOR: ViewQuery = { filter: everything, sort: BY_ATTENTION, page: 1 };

/** The view of an address, and the error of its filter, if it cannot be parsed. */
export function parseViewQuery(
  run: string | undefined,
  parameters: ViewParameters,
): { query: ViewQuery; error: string | null } {
  const parsed = parseFilter(parameters.q ?? "");
  const page = Number(parameters.page ?? 1);
  const sort = parseSort(parameters.sort);
  const id = (text: string | undefined) => text?.slice(0, MAX_ID) || undefined;
  const query = {
    run,
    open: id(parameters.open),
    at: id(parameters.at),
    sort,
    page: Number.isSafeInteger(page) && page > 0 ? page : 1,
  };
  return "error" in parsed
    ? { query: { ...query, filter: everything }, error: parsed.error }
    : { query: { ...query, filter: parsed }, error: null };
}

/** Equal for queries that show the same. */
export const viewKey = ({
  run = "",
  open = "",
  at = "",
  symbol = "",
  log = "",
  filter,
  sort,
  page,
}: ViewQuery): string => [run, open, at, symbol, log, filter.text, sort.text, page].join("\n");

/** The address of a view's live updates for a page that shows everything up to `cursor`. */
export function streamAddress(query: ViewQuery, cursor: string): string {
  const { run, open, at, symbol, log = "", filter, sort, page } = query;
  const search = queueSearch({ filter: filter.text, sort: sort.text, page, open });
  if (at !== undefined) search.set("at", at);
  if (run !== undefined) search.set("run", run);
  if (symbol !== undefined) search.set("symbol", symbol);
  if (log !== "") search.set("log", log);
  search.set("since", cursor);
  return `/events?${search}`;
}

/** The run that a view shows with its rows, from all in memory; empty if there is none. */
export function runsOf(query: ViewQuery, runs: readonly RunSummary[]): RunSummary[] {
  if (query.run !== undefined) return runs.filter(({ id }) => id === query.run);
  const shown = monitoredRuns(query, runs);
  const open =
    shown.find(({ id }) => id === query.open) ??
    shown.find((run) => run.id === query.at && isUnfinished(run)) ??
    shown.find(isUnfinished) ??
    shown[0];
  return open === undefined ? [] : [open];
}

const isUnfinished = ({ finishedAt }: RunSummary) => finishedAt === null;

/** What the monitor shows, newest first: unfinished runs, the newest, failures to acknowledge, and the one asked for. */
function monitoredRuns({ open }: ViewQuery, runs: readonly RunSummary[]): RunSummary[] {
  const newest = [...runs].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
  return newest.filter((run, at) => at === 0 || isUnfinished(run) || isUnacknowledged(run) || run.id === open);
}

/** The runs in the strip of the monitor: those that need attention first, then the newest. */
export const stripOf = (query: ViewQuery, runs: readonly RunSummary[]): RunSummary[] =>
  query.run === undefined ? monitoredRuns(query, runs).sort((a, b) => runRank(a) - runRank(b)) : [];

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
    query: { filter: query.filter.text, sort: query.sort.text, page, open: query.open },
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
