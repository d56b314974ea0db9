/** @jsxImportSource hono/jsx */
/** The schedules page: each schedule with its next runs and its last turns, and the form. */

import type { Schedule, Turn } from "../../domain/schedules.ts";
import { RunState } from "../runs/run-header.tsx";
import { Moment, Pill, Until } from "../ui/components.tsx";
import { DeletePage } from "../ui/confirm-dialog.tsx";
import { type Flash, FlashMessage } from "../ui/flash-message.tsx";
import { inZone, plural } from "../ui/format.ts";
import { Allowed } from "../ui/forms/allowed.tsx";
import { selectionText } from "../ui/forms/selection-fields.tsx";
import { Empty, Layout, type PageContext } from "../ui/layout.tsx";
import { ScheduleForm, type ScheduleFormView } from "./schedule-form.tsx";
import { TurnSpark } from "./turn-history.tsx";

interface ScheduleView extends Schedule {
  /** The cron expression in words. */
  readonly words: string;
  /** Epoch milliseconds. */
  readonly nextRuns: readonly number[];
  /** The last turns, newest first. */
  readonly turns: readonly Turn[];
  /** The name of its watchlist, if it has one. */
  readonly watchlist: string | null;
}

export interface SchedulesView {
  readonly schedules: readonly ScheduleView[];
  readonly form: ScheduleFormView;
  /** The result of the last action. */
  readonly flash: Flash | null;
}

export const SchedulesPage = ({ page, view }: { page: PageContext; view: SchedulesView }) => (
  <Layout page={page} title="Schedules">
    <header class="page-head">
      <h1>Schedules</h1>
    </header>
    <FlashMessage flash={view.flash} />
    <div class="schedules">
      <details class="card" open={view.form.isOpen || undefined} data-changes>
        <summary>{view.form.id === null ? "Add a schedule" : "Change the schedule"}</summary>
        <ScheduleForm form={view.form} />
      </details>
      <div class="schedule-list">
        {view.schedules.map((schedule) => (
          <ScheduleCard schedule={schedule} now={page.now} />
        ))}
        {view.schedules.length === 0 ? (
          <Empty title="No schedule yet">
            <span data-changes>Add one, and your symbols are brought up to date by themselves.</span>
          </Empty>
        ) : null}
      </div>
    </div>
  </Layout>
);

const ScheduleCard = ({ schedule, now }: { schedule: ScheduleView; now: number }) => {
  const { id, name, cron, timeZone, words, enabled, turns } = schedule;
  const lastTurn = turns[0];
  const path = `/schedules/${id}`;
  return (
    <section class="card schedule" aria-labelledby={`schedule-${id}`}>
      <header>
        <h2 id={`schedule-${id}`}>{name}</h2>
        {enabled ? (
          <Pill look="complete" icon="complete">
            Enabled
          </Pill>
        ) : (
          <Pill look="paused" icon="paused">
            Paused
          </Pill>
        )}
      </header>
      <div>
        <p>
          {words} in {timeZone} <code>{cron}</code>
        </p>
        <p class="muted">{describeRun(schedule)}</p>
      </div>
      <details class="next">
        <summary>
          <NextRun schedule={schedule} now={now} />
        </summary>
        <NextRuns schedule={schedule} now={now} />
      </details>
      <div>
        <TurnSpark turns={turns} name={name} />
        {lastTurn ? <LastTurn turn={lastTurn} /> : <p class="muted">Never run: press Run now to try it.</p>}
      </div>
      <form method="post" class="button-row">
        <button type="submit" class="button" formaction={`${path}/run`} aria-label={`Run now: ${name}`}>
          Run now
        </button>
        <button type="submit" class="button" formaction={`${path}/${enabled ? "pause" : "resume"}`}>
          {enabled ? "Pause" : "Enable"}
        </button>
        <a class="button" href={`${path}#schedule-form-title`} aria-label={`Change ${name}`}>
          Change
        </a>
        <Allowed method="GET" address={`${path}/delete`}>
          <a class="button" href={`${path}/delete`} aria-label={`Delete ${name}`}>
            Delete…
          </a>
        </Allowed>
      </form>
    </section>
  );
};

/** The next runs in the schedule's time zone and in the reader's; `public/app/ui/clock.js` adds the browser's own. */
const NextRuns = ({ schedule, now }: { schedule: ScheduleView; now: number }) => {
  const { nextRuns, timeZone, name } = schedule;
  return (
    <table class="next-runs" aria-label={`Next runs of ${name}`}>
      <tbody>
        {nextRuns.map((at) => (
          <tr>
            <td class="num">{inZone(at, timeZone)}</td>
            <td class="num">
              <Moment at={at} />
            </td>
            <td class="num">
              <Until at={at} now={now} />
            </td>
            <td class="num muted" data-local={String(at)} />
          </tr>
        ))}
      </tbody>
    </table>
  );
};

/** The next run in a few words; opened, it shows the next five. */
const NextRun = ({ schedule: { nextRuns, timeZone, enabled }, now }: { schedule: ScheduleView; now: number }) => {
  const [at] = nextRuns;
  return at === undefined ? (
    <>No further run</>
  ) : (
    <>
      {enabled ? "Next" : "If enabled:"} <span class="num">{inZone(at, timeZone)}</span>, <Until at={at} now={now} />
    </>
  );
};

const CAUSES = { due: "", catch_up: " to catch up with a missed run", by_hand: " manually" } as const;
const OUTCOMES = { started: "Started", skipped: "Skipped", missed: "Missed", refused: "Refused" } as const;

const LastTurn = ({ turn: { dueAt, cause, outcome, note, run } }: { turn: Turn }) => (
  <p class="last-turn">
    {OUTCOMES[outcome]}
    {CAUSES[cause]} <Moment at={dueAt} />
    {run ? (
      <>
        : <a href={`/runs/${run.id}`}>View run</a> <RunState state={run.state} /> {plural(run.complete, "symbol")}{" "}
        complete
        {run.failed > 0 ? `, ${run.failed} failed` : ""}
      </>
    ) : null}
    {note === "" ? null : <span class="muted"> {note}.</span>}
  </p>
);

function describeRun({ mode, interval, provider, scope, symbols, watchlist, onMissed }: ScheduleView): string {
  const what = selectionText({ scope, symbols, watchlist });
  const missed = onMissed === "catch_up" ? "after a missed run, runs once to catch up" : "missed runs are skipped";
  const how = { full: "Full history", incremental: "Incremental", reprocess: "Reprocess", repair: "Repair" }[mode];
  return `${how} · ${interval} · ${provider ?? "default provider"} · ${what} · ${missed}`;
}

type Deleted = Pick<Schedule, "id" | "name">;

/** Confirms the deletion of a schedule. */
export const DeleteSchedulePage = ({ page, schedule }: { page: PageContext; schedule: Deleted }) => (
  <DeletePage page={page} kind="schedule" list="/schedules" of={schedule}>
    It will not run again, and the list of its past runs is deleted. The runs it started stay, and so does all data.
  </DeletePage>
);
