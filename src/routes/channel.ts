/** Everybody who watches the same scene. */

import type { JobProgress } from "../domain/progress.ts";
import { jobKey, type ProgressHub } from "../hub.ts";
import type { RunView } from "../views/queue.tsx";
import { jobsOf, MAX_ROWS, runsOf, type Scene, showsJob } from "./scene.ts";
import type { Viewer } from "./viewer.ts";

/** Shortest time between two drawings of the whole scene because rows came or went, milliseconds. */
const REDRAW_MS = 1_000;

/** The runs of a scene with their jobs, as the hub knows them now. */
export function drawScene(scene: Scene, hub: ProgressHub): RunView[] {
  return runsOf(scene, hub.runs()).map((run) => ({ run, ...jobsOf(scene, hub.jobsOf(run.id)) }));
}

export class Channel {
  readonly viewers = new Set<Viewer>();
  /** The sequence number since which the same runs and rows are on the scene. */
  since = 0;
  #runs: readonly string[] = [];
  #rows: ReadonlySet<string> = new Set();
  /** Runs of which more jobs match than there is room for. */
  #full: ReadonlySet<string> = new Set();
  #outOfDate = false;
  #drawnAt = 0;

  constructor(
    readonly scene: Scene,
    private readonly hub: ProgressHub,
  ) {
    this.#take();
  }

  get runs(): readonly string[] {
    return this.#runs;
  }

  shows(job: JobProgress): boolean {
    return this.#rows.has(jobKey(job.runId, job.symbol));
  }

  /** Notes whether `changed` jobs come to the scene or leave it. */
  judge(changed: readonly JobProgress[]): void {
    this.#outOfDate ||= changed.some(
      (job) => this.#runs.includes(job.runId) && this.shows(job) !== showsJob(this.scene, job) && !this.#isFull(job),
    );
  }

  /** Whether a job would have to wait for room on the scene. */
  #isFull(job: JobProgress): boolean {
    return !this.shows(job) && this.#full.has(job.runId);
  }

  /** Milliseconds until rows that came or went may be drawn; `null` when there are none. */
  get dueIn(): number | null {
    return this.#outOfDate ? Math.max(0, this.#drawnAt + REDRAW_MS - Date.now()) : null;
  }

  /** Brings the scene up to date; true when other runs or rows are on it than before, and it is to be drawn whole. */
  settle(): boolean {
    const now = runsOf(this.scene, this.hub.runs()).map(({ id }) => id);
    const same = now.length === this.#runs.length && now.every((id, index) => id === this.#runs[index]);
    if (same && this.dueIn !== 0) return false;
    this.#take();
    this.since = this.hub.seq;
    return true;
  }

  #take(): void {
    const views = drawScene(this.scene, this.hub);
    this.#runs = views.map(({ run }) => run.id);
    this.#rows = new Set(views.flatMap(({ jobs }) => jobs.map((job) => jobKey(job.runId, job.symbol))));
    this.#full = new Set(views.filter(({ jobs }) => jobs.length >= MAX_ROWS).map(({ run }) => run.id));
    this.#outOfDate = false;
    this.#drawnAt = Date.now();
  }
}
