/** @jsxImportSource hono/jsx */
/** A run on the monitor: its head with totals, and the table of its jobs. */

import type { Eta } from "../domain/eta.ts";
import type { JobProgress } from "../domain/progress.ts";
import { canApply, isActive, type JobAction, type JobState } from "../domain/run.ts";
import type { RunSummary } from "../domain/telemetry.ts";
import { ACTION_WORDS, JobRow } from "./job-row.ts";
import {
  dom,
  formatCompact,
  formatCount,
  formatDuration,
  formatEta,
  Icon,
  Moment,
  plural,
  STATE_ICONS,
} from "./ui.tsx";

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
        {run.state === "paused" ? "paused" : run.eta === null ? "measuring" : timeLeft(run.eta)}
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

const LIMITS: Readonly<Record<Eta["limitedBy"], string>> = {
  speed: "",
  rate: ", by the rate limit",
  quota: ", by the quota",
  hold: ", held by the provider",
};

/** `about 4m`, `about 2m to about 5m`, `about 40m, by the rate limit` */
function timeLeft({ low, high, limitedBy }: Eta): string {
  const [from, to] = [formatEta(low), formatEta(high)];
  return `${from === to ? from : `${from} to ${to}`}${LIMITS[limitedBy]}`;
}

const formatRate = (value: number) => (value < 10 ? value.toFixed(1) : formatCompact(value));

const Fact = ({ name, children }: { name: string; children?: string }) => (
  <div>
    <dt>{name}</dt>
    <dd class="num">{children}</dd>
  </div>
);

/** Where an action on every job of a run that a filter finds is sent. */
export const matchingAddress = (runId: string, action: JobAction, filter: string) =>
  `/runs/${encodeURIComponent(runId)}/matching/${action}${filter === "" ? "" : `?q=${encodeURIComponent(filter)}`}`;

/** What can be done with a whole run now. */
const RunControls = ({ run }: { run: RunSummary }) => {
  const states = (Object.keys(run.counts) as JobState[]).filter((state) => run.counts[state] > 0);
  const can = (action: JobAction) => states.some((state) => isActive(state) && canApply(action, state));
  const controls: [JobAction, string, string][] = [
    ["pause", "Pause", ""],
    ["resume", "Resume", ""],
    ["cancel", "Cancel", ""],
  ];
  const shown = controls.filter(([action]) => can(action));
  if (run.counts.failed > 0) shown.unshift(["retry", "Retry failed", "status:failed"]);
  return shown.length === 0 ? null : (
    <form method="post" class="run-controls" data-actions>
      {shown.map(([action, word, filter]) => (
        <button
          type="submit"
          id={`${action}-${run.id}`}
          class="button"
          formaction={matchingAddress(run.id, action, filter)}
        >
          {word}
        </button>
      ))}
    </form>
  );
};

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
