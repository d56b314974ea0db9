/** @jsxImportSource hono/jsx */
/** The runs of the monitor as cards: which are at work, how far, and what holds them up. One of them is open below. */

import { isUnacknowledged } from "../../domain/runs/queue/attention.ts";
import type { RunSummary } from "../../domain/runs/run-summary.ts";
import { runTitle } from "../../domain/runs/run-title.ts";
import { formatExactDuration } from "../../domain/time.ts";
import { type QueueQuery, queueAddress } from "../jobs/queue-url.ts";
import { Icon, Moment, STATE_ICONS } from "../ui/components.tsx";
import { dom } from "../ui/dom.ts";
import { formatCount, formatEta, plural } from "../ui/format.ts";
import { isHeld } from "./run-header.tsx";

export interface StripView {
  /** Those that need attention first. */
  readonly runs: readonly RunSummary[];
  /** The id of the run that is shown with its rows; `null` if there is none. */
  readonly open: string | null;
  /** Filter and sort, which a card keeps. */
  readonly query: QueueQuery;
}

/** The strip; empty with a single run, whose head says the same. */
export const RunStrip = ({ view }: { view: StripView }) => (
  <nav id={dom.strip} class="run-strip" aria-label="Runs">
    {view.runs.length < 2 ? null : (
      <>
        <StripHead view={view} />
        <ul>
          {view.runs.map((run) => (
            <li>
              <RunCard run={run} view={view} />
            </li>
          ))}
        </ul>
      </>
    )}
  </nav>
);

/** How many runs there are and need attention, and what can be done about all. */
export const StripHead = ({ view: { runs, open, query } }: { view: StripView }) => {
  const failed = runs.filter(isUnacknowledged).length;
  const moving = runs.filter(isMoving);
  const elsewhere = moving.some(({ id }) => id === open) ? undefined : moving[0];
  return (
    <div id={dom.stripHead} class="strip-head">
      <p class="muted">
        {plural(runs.length, "run")}
        {moving.length > 0 ? `, ${formatCount(moving.length)} at work` : ""}
        {failed > 0 ? `, ${formatCount(failed)} with failures` : ""}
      </p>
      {elsewhere === undefined ? null : (
        <a data-jump data-shortcut="m" href={queueAddress({ ...query, page: 1, open: elsewhere.id })}>
          Jump to what moves
        </a>
      )}
      {failed < 2 ? null : (
        <form method="post" action="/runs/acknowledge" data-actions>
          <button type="submit" class="button quiet">
            Acknowledge all failures
          </button>
        </form>
      )}
    </div>
  );
};

const isMoving = ({ counts }: RunSummary) => counts.running > 0;

/** One run: name, progress, failures, and its time left or what holds it up. */
export const RunCard = ({ run, view }: { run: RunSummary; view: Pick<StripView, "open" | "query"> }) => {
  const { counts } = run;
  const ended = run.total - counts.queued - counts.running - counts.paused;
  const note = noteOf(run);
  return (
    <a
      id={dom.card(run.id)}
      class="run-card"
      href={queueAddress({ ...view.query, page: 1, open: run.id })}
      data-state={run.state}
      data-held={note.isHeld || undefined}
      aria-current={run.id === view.open ? "true" : undefined}
    >
      <span class="card-name" title={runTitle(run)}>
        <Icon
          name={isHeld(run) ? "waiting" : run.state === "complete" && run.gaps > 0 ? "gaps" : STATE_ICONS[run.state]}
        />
        <b>{runTitle(run)}</b>
        <Moment at={run.createdAt} style="clock" />
      </span>
      <progress max="100" value={String(run.progress)} aria-label="Progress" />
      <span class="card-facts num">
        <span>
          {formatCount(ended)} of {formatCount(run.total)}
        </span>
        {counts.failed > 0 ? <span class="card-failed">{formatCount(counts.failed)} failed</span> : null}
        <span class="card-note">{note.words}</span>
      </span>
    </a>
  );
};

const BLOCKED = { quota: "quota until ", hold: "held until " } as const;

/** Its time left, or what holds it up. */
function noteOf(run: RunSummary): { words: unknown; isHeld: boolean } {
  const { state, counts, blocked, eta, finishedAt, createdAt, stuck } = run;
  const held = (words: unknown) => ({ words, isHeld: true });
  if (finishedAt !== null) {
    const took = formatExactDuration((finishedAt - createdAt) / 1_000);
    return { words: state === "cancelled" ? "cancelled" : `in ${took}`, isHeld: false };
  }
  if (state === "paused") return held("paused");
  if (blocked !== null) {
    return held(
      <>
        {BLOCKED[blocked.by]}
        <Moment at={blocked.until * 1_000} style="clock" />
      </>,
    );
  }
  if (stuck > 0) return held(`${formatCount(stuck)} stuck`);
  if (counts.running === 0) return held("waits for workers");
  return { words: eta === null ? "time left not known yet" : `${formatEta(eta.seconds)} left`, isHeld: false };
}
