/** @jsxImportSource hono/jsx */
/** The head of a run: its name, state, totals, speed and controls. */

import type { Child } from "hono/jsx";
import type { FailureReason } from "../../domain/runs/failures.ts";
import { isUnacknowledged } from "../../domain/runs/queue/attention.ts";
import type { RunSummary } from "../../domain/runs/run-summary.ts";
import { runContent, runTitle } from "../../domain/runs/run-title.ts";
import { canApply, isActive, type JobAction, type JobState } from "../../domain/runs/states.ts";
import { formatExactDuration } from "../../domain/time.ts";
import { queueAddress } from "../jobs/queue-url.ts";
import { Icon, Moment, Pill, STATE_ICONS } from "../ui/components.tsx";
import { dom } from "../ui/dom.ts";
import { formatCompact, formatCount, formatEta, plural } from "../ui/format.ts";

export const RUN_WORDS: Readonly<Record<RunSummary["state"], string>> = {
  running: "Running",
  paused: "Paused",
  complete: "Complete",
  failed: "Finished with failures",
  cancelled: "Cancelled",
};

/** Whether nothing of a run is at work until its provider takes requests again. */
export const isHeld = ({ state, counts, blocked }: Pick<RunSummary, "state" | "counts" | "blocked">) =>
  state === "running" && counts.running === 0 && blocked !== null;

/** What a complete run does not have: `, 3 gaps, 1 skipped, 2 cancelled`; empty if it has all. */
function lacksOf(gaps: number, counts: RunSummary["counts"] | undefined): string {
  const left = (["skipped", "cancelled"] as const)
    .filter((state) => counts !== undefined && counts[state] > 0)
    .map((state) => `${formatCount(counts![state])} ${state}`);
  return [...(gaps > 0 ? [plural(gaps, "gap")] : []), ...left].map((each) => `, ${each}`).join("");
}

/** The state of a run; a complete run with gaps and one that waits for its provider are amber. */
export const RunState = (props: {
  state: RunSummary["state"];
  gaps?: number;
  counts?: RunSummary["counts"];
  held?: boolean;
}) => {
  const { state, gaps = 0, counts, held = false } = props;
  const amber = state === "complete" && gaps > 0;
  if (held) {
    return (
      <Pill look="paused" icon="waiting">
        Waiting
      </Pill>
    );
  }
  return (
    <Pill look={amber ? "gaps" : state} icon={amber ? "gaps" : STATE_ICONS[state]}>
      {RUN_WORDS[state]}
      {state === "complete" ? lacksOf(gaps, counts) : ""}
    </Pill>
  );
};

/** The order in which a run's states are listed, the most urgent first. */
export const COUNTED = ["failed", "running", "paused", "queued", "complete", "skipped", "cancelled"] as const;

/** A run in one sentence for screen readers: `Full · 1d · 2 years · demo: 12 complete, 1 failed, 7 left.` */
export function runSentence(run: RunSummary): string {
  const left = run.counts.queued + run.counts.running + run.counts.paused;
  const ended = (["complete", "failed", "skipped", "cancelled"] as const).filter((state) => run.counts[state] > 0);
  const counts = ended.map((state) => `${formatCount(run.counts[state])} ${state}`);
  return `${runTitle(run)}: ${[...counts, left > 0 ? `${formatCount(left)} left` : "none left"].join(", ")}.`;
}

interface HeadView {
  readonly run: RunSummary;
  /** On a page without live updates: its buttons then lead to another page. */
  readonly plain?: boolean;
  /** On the monitor, where addresses name the run. */
  readonly onMonitor?: boolean;
}

/** The rows of the run that match a filter, on the same page. */
const rowsAddress = ({ run, onMonitor }: HeadView, filter: string) =>
  queueAddress({ filter, sort: "", page: 1, open: onMonitor ? run.id : undefined });

/** A run's name, totals, speed and controls, updated as a whole. */
export const RunHead = ({ run, plain = false, onMonitor = false }: HeadView) => (
  <header id={dom.runHead(run.id)} class="run-head" data-state={run.state}>
    <div class="run-title">
      <h2>
        <a href={`/runs/${encodeURIComponent(run.id)}`}>{runTitle(run)}</a>
      </h2>
      <RunState state={run.state} gaps={run.gaps} counts={run.counts} held={isHeld(run)} />
      <span class="muted">
        {run.name === null ? "" : `${runContent(run)}, `}
        {plural(run.total, "symbol")}, started <Moment at={run.createdAt} />
      </span>
      {run.counts.running > 0 && !plain ? (
        <a class="jump" data-jump data-shortcut="m" href={rowsAddress({ run, onMonitor }, "")}>
          Jump to what moves
        </a>
      ) : null}
      <RunControls run={run} plain={plain} />
    </div>
    <div class="run-meter">
      <progress max="100" value={run.progress.toFixed(1)} aria-label="Progress of the run" />
      <span class="num">{Math.floor(run.progress)}%</span>
    </div>
    <RunReasons
      look="run-failures"
      title="Why symbols failed"
      reasons={run.failures}
      more={rowsAddress({ run, onMonitor }, "status:failed")}
    />
    <RunReasons look="run-left-out" title="Not in the plan" reasons={run.leftOut} />
    <RunFacts run={run} onMonitor={onMonitor} />
  </header>
);

/** Reasons that are shown; the others are counted. */
const REASONS = 3;

/**
 * The most frequent reasons why symbols failed, or why the plan left something out of them.
 * @param more the address of the symbols of all other reasons
 */
const RunReasons = (props: { look: string; title: string; reasons: readonly FailureReason[]; more?: string }) => {
  const { look, title, reasons, more } = props;
  const rest = reasons.slice(REASONS).reduce((sum, { count }) => sum + count, 0);
  const words = `${plural(rest, "symbol")} for other reasons`;
  return reasons.length === 0 ? null : (
    <ul class={look} aria-label={title}>
      {reasons.slice(0, REASONS).map(({ why, count }) => (
        <li>
          <b class="num">{plural(count, "symbol")}</b>: {why}
        </li>
      ))}
      {rest > 0 ? <li>{more === undefined ? words : <a href={more}>{words}</a>}</li> : null}
    </ul>
  );
};

const RunFacts = ({ run, onMonitor }: HeadView) => (
  <dl class="facts">
    <div class="fact-states">
      <dt>Symbols</dt>
      <dd>
        {COUNTED.filter((state) => run.counts[state] > 0).map((state) => (
          <a class="count" href={rowsAddress({ run, onMonitor }, `status:${state}`)}>
            <Icon name={STATE_ICONS[state]} />
            <b class="num">{formatCount(run.counts[state])}</b> {state}
          </a>
        ))}
      </dd>
    </div>
    {run.finishedAt === null ? (
      <div class={run.blocked ? "fact-held" : ""}>
        <dt>Time left</dt>
        <dd class="num">
          <TimeLeft run={run} />
        </dd>
      </div>
    ) : (
      <Fact name="Duration">{formatExactDuration((run.finishedAt - run.createdAt) / 1_000)}</Fact>
    )}
    <Rate run={run} name="Symbols" value={run.symbolsPerMinute} />
    <Rate run={run} name="Bars" value={run.barsPerMinute} />
    <Rate run={run} name="Requests" value={run.requestsPerMinute} />
    <Fact name={run.newBars === null ? "Bars held" : "New bars"}>{formatCount(run.newBars ?? run.dataPoints)}</Fact>
    <Fact name="API calls">{formatCount(run.apiCalls)}</Fact>
  </dl>
);

/** A run of some seconds has no speed: a minute of it would be made up. */
const isTooShort = ({ createdAt, finishedAt }: RunSummary) => finishedAt !== null && finishedAt - createdAt < 10_000;

/** Rates are of the last five minutes while the run is open, and of all its work afterwards. */
const Rate = ({ run, name, value }: { run: RunSummary; name: string; value: number }) => (
  <div class="fact-more">
    <dt title={run.finishedAt === null ? "Over the last 5 minutes" : "On average"}>{name}/min</dt>
    <dd class="num">{isTooShort(run) ? "–" : value < 10 ? value.toFixed(1) : formatCompact(value)}</dd>
  </div>
);

const BLOCKED_WORDS = { quota: "limited by API quota until ", hold: "held by the provider until " } as const;

/** `about 4m` with its range as title, `about 40m, by the rate limit`, `about 5h, limited by API quota until 18:40 UTC` */
const TimeLeft = ({ run }: { run: RunSummary }) => {
  const { state, eta, blocked } = run;
  if (state === "paused") return <>paused</>;
  const range = eta === null ? [] : [...new Set([formatEta(eta.low), formatEta(eta.high)])];
  const words = eta === null ? "not known yet" : <span title={range.join(" to ")}>{formatEta(eta.seconds)}</span>;
  if (blocked)
    return <Until words={eta === null ? "" : <>{words}, </>} by={BLOCKED_WORDS[blocked.by]} until={blocked.until} />;
  if (eta?.limitedBy === "rate") return <>{words}, by the rate limit</>;
  if (eta === null || eta.until === null) return <>{words}</>;
  return <Until words={<>{words}, </>} by="past the quota’s reset at " until={eta.until} />;
};

/** `until` in epoch seconds; more than a day away it is shown with its date. */
const Until = ({ words, by, until }: { words: Child; by: string; until: number }) => (
  <>
    {words}
    {by}
    <Moment at={until * 1_000} style={until * 1_000 - Date.now() > 86_400_000 ? "minute" : "clock"} />
  </>
);

const Fact = ({ name, children }: { name: string; children?: string }) => (
  <div class="fact-more">
    <dt>{name}</dt>
    <dd class="num">{children}</dd>
  </div>
);

/** The address of an action on all jobs of a run that match a filter. */
export const matchingAddress = (runId: string, action: JobAction, filter: string) =>
  `/runs/${encodeURIComponent(runId)}/matching/${action}${filter === "" ? "" : `?q=${encodeURIComponent(filter)}`}`;

/** The actions that apply to the run now. */
const RunControls = ({ run, plain }: { run: RunSummary; plain: boolean }) => {
  const states = (Object.keys(run.counts) as JobState[]).filter((state) => run.counts[state] > 0);
  const can = (action: JobAction) => states.some((state) => isActive(state) && canApply(action, state));
  const controls: [JobAction, string, string][] = [
    ["pause", "Pause", ""],
    ["resume", "Resume", ""],
    ["cancel", "Cancel", ""],
  ];
  const shown = controls.filter(([action]) => can(action));
  const unseen = isUnacknowledged(run);
  if (run.counts.failed > 0) shown.unshift(["retry", "Retry failed", "status:failed"]);
  return shown.length === 0 && !unseen ? null : (
    <form method="post" class="run-controls" data-actions={!plain || undefined}>
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
      {unseen ? (
        <button
          type="submit"
          id={`acknowledge-${run.id}`}
          class="button"
          formaction={`/runs/${encodeURIComponent(run.id)}/acknowledge`}
          title="Takes the run off the monitor"
        >
          Acknowledge
        </button>
      ) : null}
    </form>
  );
};
