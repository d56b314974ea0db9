/** All connections with the same view query, and the rows that it shows. */

import type { JobProgress } from "../../domain/runs/progress.ts";
import type { RunSummary } from "../../domain/runs/run-summary.ts";
import { jobKey, type ProgressHub } from "../../hub.ts";
import type { RunView } from "../../views/jobs/job-table.tsx";
import type { StripView } from "../../views/runs/run-strip.tsx";
import type { SseConnection } from "./connection.ts";
import { jobsOf, runsOf, showsJob, stripOf, type ViewQuery } from "./view-query.ts";

/** Shortest time between two refreshes of the rows of a view, milliseconds. */
export interface Pauses {
  readonly redraw: number;
  /** For a sort by a value that changes: a table that is sorted all the time cannot be read. */
  readonly resort: number;
}

export const PAUSES: Pauses = { redraw: 1_000, resort: 2_500 };

/** The runs of a view with their jobs, as the hub has them now. */
export function drawRuns(query: ViewQuery, hub: ProgressHub): RunView[] {
  return runsOf(query, hub.runs()).map((run) => ({ run, ...jobsOf(query, hub.jobsOf(run.id)) }));
}

/** The strip of runs of a view, as the hub has them now. */
export function drawStrip(query: ViewQuery, hub: ProgressHub): StripView {
  const runs = hub.runs();
  const { filter, sort, open } = query;
  return {
    runs: stripOf(query, runs),
    open: runsOf(query, runs)[0]?.id ?? null,
    query: { filter: filter.text, sort: sort.text, page: 1, open },
  };
}

/** What a refresh changed. */
export interface Change {
  /** The runs that came, if the view shows other runs now; `null` if they are the same. */
  readonly runs: readonly string[] | null;
  /** Whether the earlier runs have other rows now, or another order of them. */
  readonly rows: boolean;
  /** The keys of the jobs that came to the earlier runs. */
  readonly came: readonly string[];
  /** Whether other runs are in the strip, in another order, or another of them is open. */
  readonly strip: boolean;
}

const idsOf = (runs: readonly RunSummary[]) => runs.map(({ id }) => id);
const areSame = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((id, at) => id === b[at]);
const keyOfJob = ({ runId, symbol }: JobProgress) => jobKey(runId, symbol);

export class Channel {
  readonly connections = new Set<SseConnection>();
  /** The sequence number since which the view shows the same runs and rows. */
  since = 0;
  /** The same of the strip of runs. */
  stripSince = 0;
  #views: readonly RunView[] = [];
  #runs: readonly string[] = [];
  #strip: readonly string[] = [];
  #rows: ReadonlySet<string> = new Set();
  /** By run, a text that differs when rows, their order or the totals differ. */
  #drawings: ReadonlyMap<string, string> = new Map();
  /** Runs with more matching jobs than fit on a page. */
  #full: ReadonlySet<string> = new Set();
  #outOfDate = false;
  #drawnAt = 0;

  constructor(
    readonly query: ViewQuery,
    private readonly hub: ProgressHub,
    private readonly pauses: Pauses = PAUSES,
  ) {
    this.#take();
  }

  get runs(): readonly string[] {
    return this.#runs;
  }

  /** The runs in the strip, in their order. */
  get strip(): readonly string[] {
    return this.#strip;
  }

  /** The runs and rows of the view; the jobs as they were at the last refresh. */
  get views(): readonly RunView[] {
    return this.#views;
  }

  shows(job: JobProgress): boolean {
    return this.showsKey(jobKey(job.runId, job.symbol));
  }

  showsKey(key: string): boolean {
    return this.#rows.has(key);
  }

  /** Records whether `changed` jobs may enter the view, leave it, or move in it. */
  noteChanges(changed: readonly JobProgress[]): void {
    this.#outOfDate ||= changed.some((job) => this.#runs.includes(job.runId) && this.#mayMove(job));
  }

  #mayMove(job: JobProgress): boolean {
    const { sort, filter } = this.query;
    if (sort.moves) return true;
    // On one page of many, any job that begins or ceases to match shifts the rows.
    if (this.#full.has(job.runId)) return filter.text !== "";
    return this.shows(job) !== showsJob(this.query, job);
  }

  /** Milliseconds until the rows may be refreshed; `null` if they are up to date. */
  get dueIn(): number | null {
    const pause = this.query.sort.moves ? this.pauses.resort : this.pauses.redraw;
    return this.#outOfDate ? Math.max(0, this.#drawnAt + pause - performance.now()) : null;
  }

  /** The query with the run that is open. */
  get present(): ViewQuery {
    return { ...this.query, at: this.#runs[0] ?? this.query.at };
  }

  /** Brings the view up to date; returns what changed, or `null` if nothing did or its pause is not over. */
  refresh(): Change | null {
    const runs = this.hub.runs();
    const same = areSame(idsOf(runsOf(this.present, runs)), this.#runs);
    const inStrip = idsOf(stripOf(this.query, runs));
    // A single run has no strip.
    const strip = Math.max(inStrip.length, this.#strip.length) > 1 && (!same || !areSame(inStrip, this.#strip));
    this.#strip = inStrip;
    if (strip) this.stripSince = this.hub.seq;
    const onlyStrip = strip ? { runs: null, rows: false, came: [], strip } : null;
    if (same && this.dueIn !== 0) return onlyStrip;
    const before = this.#rows;
    const drawings = this.#drawings;
    this.#take();
    const known = this.#views.filter(({ run }) => drawings.has(run.id));
    const rows = known.some(({ run }) => drawings.get(run.id) !== this.#drawings.get(run.id));
    if (same && !rows) return onlyStrip;
    this.since = this.hub.seq;
    return {
      runs: same ? null : this.#runs.filter((id) => !drawings.has(id)),
      rows,
      came: known.flatMap(({ jobs }) => jobs.map(keyOfJob)).filter((key) => !before.has(key)),
      strip,
    };
  }

  #take(): void {
    const views = drawRuns(this.present, this.hub);
    this.#views = views;
    this.#runs = views.map(({ run }) => run.id);
    this.#strip = idsOf(stripOf(this.query, this.hub.runs()));
    this.#rows = new Set(views.flatMap(({ jobs }) => jobs.map(keyOfJob)));
    this.#full = new Set(views.filter(({ pages }) => pages > 1).map(({ run }) => run.id));
    this.#drawings = new Map(
      views.map(({ run, jobs, matching, hidden }) => [
        run.id,
        [matching, hidden, ...jobs.map(({ symbol }) => symbol)].join("\n"),
      ]),
    );
    this.#outOfDate = false;
    this.#drawnAt = performance.now();
  }
}
