/** All connections with the same view query, and the rows that it shows. */

import type { JobProgress } from "../../domain/runs/progress.ts";
import { jobKey, type ProgressHub } from "../../hub.ts";
import type { RunView } from "../../views/jobs/job-table.tsx";
import type { SseConnection } from "./connection.ts";
import { jobsOf, runsOf, showsJob, type ViewQuery } from "./view-query.ts";

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

/** What a refresh changed. */
export interface Change {
  /** The runs that came, if the view shows other runs now; `null` if they are the same. */
  readonly runs: readonly string[] | null;
  /** Whether the earlier runs have other rows now, or another order of them. */
  readonly rows: boolean;
  /** The keys of the jobs that came to the earlier runs. */
  readonly came: readonly string[];
}

const keyOfJob = ({ runId, symbol }: JobProgress) => jobKey(runId, symbol);

export class Channel {
  readonly connections = new Set<SseConnection>();
  /** The sequence number since which the view shows the same runs and rows. */
  since = 0;
  #views: readonly RunView[] = [];
  #runs: readonly string[] = [];
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

  /** Brings the view up to date; returns what changed, or `null` if nothing did or its pause is not over. */
  refresh(): Change | null {
    const now = runsOf(this.query, this.hub.runs()).map(({ id }) => id);
    const same = now.length === this.#runs.length && now.every((id, index) => id === this.#runs[index]);
    if (same && this.dueIn !== 0) return null;
    const before = this.#rows;
    const drawings = this.#drawings;
    this.#take();
    const known = this.#views.filter(({ run }) => drawings.has(run.id));
    const rows = known.some(({ run }) => drawings.get(run.id) !== this.#drawings.get(run.id));
    if (same && !rows) return null;
    this.since = this.hub.seq;
    return {
      runs: same ? null : this.#runs.filter((id) => !drawings.has(id)),
      rows,
      came: known.flatMap(({ jobs }) => jobs.map(keyOfJob)).filter((key) => !before.has(key)),
    };
  }

  #take(): void {
    const views = drawRuns(this.query, this.hub);
    this.#views = views;
    this.#runs = views.map(({ run }) => run.id);
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
