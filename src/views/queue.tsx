/** @jsxImportSource hono/jsx */
/** A run on the monitor: its head with totals, and the table of its jobs. */

import { html } from "hono/html";
import type { JobProgress, Status } from "../domain/progress.ts";
import { canApply, isActive, JOB_ACTIONS, type JobAction, type JobState, RUN_ACTIONS } from "../domain/run.ts";
import type { RunSummary } from "../domain/telemetry.ts";
import { isHeldUp } from "../domain/waiting.ts";
import {
  dom,
  formatCompact,
  formatCount,
  formatDuration,
  formatEta,
  Icon,
  Moment,
  plural,
  profileAddress,
  STATE_ICONS,
} from "./ui.tsx";

/** A run and its jobs, in the order in which they are shown. */
export interface RunView {
  readonly run: RunSummary;
  readonly jobs: readonly JobProgress[];
  /** How many more there are, left out by the filter or for want of room. */
  readonly hidden: number;
}

const STATUS_ICONS: Readonly<Record<Status, string>> = {
  Queued: "queued",
  "Fetching history": "fetch",
  "Engineering features": "engineer",
  "Creating profile": "create",
  "Storing profile": "store",
  Complete: "complete",
  Failed: "failed",
  Paused: "paused",
  Cancelled: "cancelled",
  Skipped: "skipped",
};

const ACTION_WORDS: Readonly<Record<JobAction, string>> = {
  pause: "Pause",
  resume: "Resume",
  cancel: "Cancel",
  skip: "Skip",
  retry: "Retry",
};

/**
 * One job as one table row. The hot path of the live screen, so a plain template (1 µs) where the rest is JSX.
 *
 * The last cell holds the menu, which the browser keeps as it is (`hx-morph-skip`) so that it stays open and focused
 * while the row changes; a push therefore leaves it empty (`menu: false`). Which of its entries show is decided by
 * the row's `data-state`.
 */
export function JobRow({ job, menu }: { job: JobProgress; menu: boolean }) {
  const held = isHeldUp(job);
  const icon = held ? "waiting" : STATUS_ICONS[job.status];
  const symbol =
    job.state === "complete"
      ? html`<a href="${profileAddress(job.symbol, job.interval)}">${job.symbol}</a>`
      : html`<span>${job.symbol}</span>`;
  return html`<tr id="${dom.job(job.runId, job.symbol)}" data-state="${job.state}"${held ? html` data-held` : ""}><th scope="row">${symbol}</th><td class="c-status"><svg class="icon icon-${icon}" aria-hidden="true"><use href="#i-${icon}"/></svg>${job.status}</td><td class="c-progress"><progress max="100" value="${job.progress}" aria-label="${job.symbol}"></progress><span class="num">${job.progress}%</span></td><td class="c-stage"><span title="${job.microStage}">${job.microStage}</span></td><td class="c-points num">${formatCount(job.dataPoints)}</td><td class="c-calls num">${formatCount(job.apiCalls)}</td><td class="c-time num"${job.since === null ? "" : html` data-since="${job.since}"`}>${job.state === "queued" && job.duration === 0 ? "" : formatDuration(job.duration, job.since === null)}</td><td class="c-menu" hx-morph-skip>${menu ? JobMenu({ job }) : ""}</td></tr>`;
}

/** What can be done with a job. All entries are there at all times; the row's state shows those that apply. */
function JobMenu({ job }: { job: JobProgress }) {
  const id = dom.jobMenu(job.runId, job.symbol);
  const base = `/runs/${encodeURIComponent(job.runId)}/jobs/${encodeURIComponent(job.symbol)}`;
  return html`<button type="button" class="icon-button" popovertarget="${id}" aria-label="Actions for ${job.symbol}"><svg class="icon" aria-hidden="true"><use href="#i-more"/></svg></button><div id="${id}" class="menu" popover>${JOB_ACTIONS.map((action) => html`<button class="on-${action}" formaction="${base}/${action}">${ACTION_WORDS[action]}</button>`)}<a class="on-open" href="${profileAddress(job.symbol, job.interval)}">Open profile</a><a class="on-details" href="${base}">Details</a></div>`;
}

const COLUMNS = [
  ["c-symbol", "Symbol"],
  ["c-status", "Status"],
  ["c-progress", "Progress"],
  ["c-stage", "Micro-stage"],
  ["c-points num", "Data points"],
  ["c-calls num", "API calls"],
  ["c-time num", "Duration"],
] as const;

/** Jobs of one run as a table, inside the form that their actions belong to. */
export const JobTable = ({ run, jobs, hidden }: RunView) => (
  <form method="post" data-actions>
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

const RUN_WORDS: Readonly<Record<RunSummary["state"], string>> = {
  running: "Running",
  paused: "Paused",
  complete: "Complete",
  failed: "Finished with failures",
  cancelled: "Cancelled",
};

export const RunState = ({ state }: { state: RunSummary["state"] }) => (
  <span class={`pill pill-${state}`}>
    <Icon name={STATE_ICONS[state]} />
    {RUN_WORDS[state]}
  </span>
);

const MODE_WORDS = { full: "Full", incremental: "Incremental", reprocess: "Reprocess", repair: "Repair" } as const;

/** `Full · 1d · 2 years · demo` */
export function runTitle(run: RunSummary): string {
  const years = run.years === "all" ? "all history" : plural(run.years, "year");
  return [MODE_WORDS[run.mode], run.interval, ...(run.mode === "full" ? [years] : []), run.provider].join(" · ");
}

/** The order in which a run's states are counted up, worst news first among the ended ones. */
const COUNTED = ["failed", "running", "paused", "queued", "complete", "skipped", "cancelled"] as const;

/** A run in one sentence, for those who listen: `Full · 1d · 2 years · demo: 12 complete, 1 failed, 7 left.` */
export function runSentence(run: RunSummary): string {
  const left = run.counts.queued + run.counts.running + run.counts.paused;
  const ended = (["complete", "failed", "skipped", "cancelled"] as const).filter((state) => run.counts[state] > 0);
  const counts = ended.map((state) => `${formatCount(run.counts[state])} ${state}`);
  return `${runTitle(run)}: ${[...counts, left > 0 ? `${formatCount(left)} left` : "none left"].join(", ")}.`;
}

/** A run's name, totals, speed and controls. Redrawn as a whole when any of it changes. */
export const RunHead = ({ run }: { run: RunSummary }) => (
  <header id={dom.runHead(run.id)} class="run-head" data-state={run.state}>
    <div class="run-title">
      <h2>
        <a href={`/runs/${encodeURIComponent(run.id)}`}>{runTitle(run)}</a>
      </h2>
      <RunState state={run.state} />
      <span class="muted">
        {plural(run.total, "symbol")}, started <Moment at={run.createdAt} />
      </span>
      <RunControls run={run} />
    </div>
    <div class="run-meter">
      <progress max="100" value={run.progress.toFixed(1)} aria-label="Progress of the run" />
      <span class="num">{Math.floor(run.progress)}%</span>
    </div>
    <RunFacts run={run} />
  </header>
);

const RunFacts = ({ run }: { run: RunSummary }) => (
  <dl class="facts">
    <div class="fact-states">
      <dt>Symbols</dt>
      <dd>
        {COUNTED.filter((state) => run.counts[state] > 0).map((state) => (
          <a class="count" href={`?q=status:${state}`}>
            <Icon name={STATE_ICONS[state]} />
            <b class="num">{formatCount(run.counts[state])}</b> {state}
          </a>
        ))}
      </dd>
    </div>
    {run.finishedAt === null ? (
      <Fact name="Time left">
        {run.state === "paused" ? "paused" : run.etaSeconds === null ? "measuring" : formatEta(run.etaSeconds)}
      </Fact>
    ) : (
      <Fact name="Took">{formatDuration((run.finishedAt - run.createdAt) / 1_000, true)}</Fact>
    )}
    <Fact name="Symbols a minute">{formatRate(run.symbolsPerMinute)}</Fact>
    <Fact name="Bars a minute">{formatCompact(run.barsPerMinute)}</Fact>
    <Fact name="Data points">{formatCount(run.dataPoints)}</Fact>
    <Fact name="API calls">{formatCount(run.apiCalls)}</Fact>
  </dl>
);

const formatRate = (value: number) => (value < 10 ? value.toFixed(1) : formatCompact(value));

const Fact = ({ name, children }: { name: string; children?: string }) => (
  <div>
    <dt>{name}</dt>
    <dd class="num">{children}</dd>
  </div>
);

const RunControls = ({ run }: { run: RunSummary }) => {
  const base = `/runs/${encodeURIComponent(run.id)}`;
  const states = (Object.keys(run.counts) as JobState[]).filter((state) => run.counts[state] > 0);
  const actions = RUN_ACTIONS.filter((action) => states.some((state) => isActive(state) && canApply(action, state)));
  return actions.length === 0 ? null : (
    <form method="post" class="run-controls" data-actions>
      {actions.map((action) => (
        <button type="submit" id={`${action}-${run.id}`} formaction={`${base}/${action}`} class="button">
          {ACTION_WORDS[action]}
        </button>
      ))}
    </form>
  );
};

/** A run as a section of the monitor. */
export const RunSection = ({ run, jobs, hidden }: RunView) => (
  <section class="run" aria-label={`Run: ${runTitle(run)}`} id={`section-${run.id}`}>
    <RunHead run={run} />
    <JobTable run={run} jobs={jobs} hidden={hidden} />
  </section>
);
