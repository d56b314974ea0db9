/** @jsxImportSource hono/jsx */
/** The head of a run: its name, state, totals, speed and controls. */

import type { Eta } from "../domain/eta.ts";
import { canApply, isActive, type JobAction, type JobState } from "../domain/run.ts";
import type { RunSummary } from "../domain/telemetry.ts";
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
export function runTitle(run: Pick<RunSummary, "mode" | "interval" | "years" | "provider">): string {
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
