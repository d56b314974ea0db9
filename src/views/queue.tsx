/** @jsxImportSource hono/jsx */
/** A run on the monitor: its head, and the table of its jobs. */

import type { JobProgress } from "../domain/progress.ts";
import type { RunSummary } from "../domain/telemetry.ts";
import { ACTION_WORDS, JobRow } from "./job-row.ts";
import { matchingAddress, RunHead, runTitle } from "./run-head.tsx";
import { dom, plural } from "./ui.tsx";

/** A run and its jobs, in the order in which they are shown. */
export interface RunView {
  readonly run: RunSummary;
  readonly jobs: readonly JobProgress[];
  /** How many more there are, left out by the filter or for want of room. */
  readonly hidden: number;
  /** The filter that picked the jobs; empty for all. */
  readonly filter: string;
}

const COLUMNS = [
  ["c-symbol", "Symbol"],
  ["c-status", "Status"],
  ["c-progress", "Progress"],
  ["c-strip", "Coverage"],
  ["c-stage", "Micro-stage"],
  ["c-points num", "Data points"],
  ["c-calls num", "API calls"],
  ["c-time num", "Duration"],
] as const;

/** Jobs of one run as a table, inside the form that their actions belong to. */
export const JobTable = ({ run, jobs, hidden, filter }: RunView) => (
  <form method="post" data-actions>
    {filter === "" ? null : <BulkBar run={run} filter={filter} />}
    <table class="queue" aria-label={`Symbols of the run of ${runTitle(run)}`}>
      <thead>
        <tr>
          {COLUMNS.map(([name, title]) => (
            <th scope="col" class={name}>
              {title}
            </th>
          ))}
          <th scope="col" class="c-menu">
            <span class="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody id={dom.jobs(run.id)}>
        {jobs.map((job) => (
          <JobRow job={job} menu={true} />
        ))}
      </tbody>
    </table>
    {hidden > 0 ? (
      <p class="hidden-rows">
        {plural(hidden, "more symbol")} not shown. <a href="?">Show all</a> or filter, for example{" "}
        <a href="?q=status:running">status:running</a>.
      </p>
    ) : null}
  </form>
);

/** Actions on everything a filter finds, not only on what is on the page. */
const BulkBar = ({ run, filter }: { run: RunSummary; filter: string }) => (
  <div class="bulk">
    <span class="muted">Everything that matches:</span>
    {(["pause", "resume", "retry", "skip", "cancel"] as const).map((action) => (
      <button type="submit" class="button" formaction={matchingAddress(run.id, action, filter)}>
        {ACTION_WORDS[action]}
      </button>
    ))}
  </div>
);

/** A run as a section of the monitor. */
export const RunSection = (view: RunView) => (
  <section class="run" aria-label={`Run: ${runTitle(view.run)}`} id={`section-${view.run.id}`}>
    <RunHead run={view.run} />
    <JobTable {...view} />
  </section>
);
