/** @jsxImportSource hono/jsx */
/**
 * The fragments of the pages, wrapped for live updates: each `<hx-partial>` names the element it replaces. Rows and
 * heads are morphed, so that focus, selection and open menus stay; one message carries all changes of a frame.
 */

import type { QueueTrouble, StorageTrouble } from "../domain/errors.ts";
import type { LogLine } from "../domain/log.ts";
import type { JobProgress } from "../domain/runs/progress.ts";
import type { RunSummary } from "../domain/runs/run-summary.ts";
import { FilterState, type FilterView, matchingOf } from "./jobs/filter-bar.tsx";
import { JobRow } from "./jobs/job-row.ts";
import { Pager, type RunView } from "./jobs/job-table.tsx";
import { type PanelPromise, PromisePanel } from "./promises/promise-panel.tsx";
import { LastHourPanel, type LastHourView } from "./quotas/last-hour.tsx";
import { QuotaPanel, type QuotaView } from "./quotas/quota-gauges.tsx";
import { LogEntries } from "./runs/log-panel.tsx";
import { Runs } from "./runs/monitor-page.tsx";
import { RunHead } from "./runs/run-header.tsx";
import { ReportCsv, ReportRows, type ReportView } from "./runs/run-page.tsx";
import { RunSection } from "./runs/run-section.tsx";
import { RunCard, RunStrip, StripHead, type StripView } from "./runs/run-strip.tsx";
import { ConfirmDialog, type ConfirmView } from "./ui/confirm-dialog.tsx";
import { dom } from "./ui/dom.ts";
import { Connection, Toast, TroubleText } from "./ui/layout.tsx";

/** Swaps `content` into the element `id`. */
const partial = (id: string, swap: string, content: unknown) =>
  `<hx-partial id="${Bun.escapeHTML(id)}" hx-swap="${swap}">${content}</hx-partial>`;

export const liveJob = (job: JobProgress): string =>
  partial(dom.job(job.runId, job.symbol), "outerMorph", JobRow({ job, controls: false }));

/** @param onMonitor whether the head is one of the monitor, whose links name the run */
export const liveRunHead = (run: RunSummary, onMonitor: boolean): string =>
  partial(dom.runHead(run.id), "outerMorph", <RunHead run={run} onMonitor={onMonitor} />);

/** The strip of runs. */
export const liveStrip = (view: StripView): string => partial(dom.strip, "outerMorph", <RunStrip view={view} />);

/** Those cards of the strip whose runs are named, and the head, which counts them. */
export const liveCards = (view: StripView, ids: readonly string[]): string =>
  partial(dom.stripHead, "outerMorph", <StripHead view={view} />) +
  view.runs
    .filter(({ id }) => ids.includes(id))
    .map((run) => partial(dom.card(run.id), "outerMorph", <RunCard run={run} view={view} />))
    .join("");

/** All runs of the monitor, for a page that is too old for single updates. */
export const liveRuns = (runs: readonly RunView[], onMonitor: boolean): string =>
  partial(dom.runs, "innerMorph", onMonitor ? <Runs runs={runs} /> : runs.map((view) => <RunSection {...view} />));

/** Which rows of a run are shown, and the links to the others. */
export const livePager = (view: RunView): string => partial(dom.pager(view.run.id), "outerMorph", <Pager {...view} />);

/** The ids of a run's rows in their order, and the HTML of those that the browser does not have. */
export const rowsOrder = ({ run, jobs }: RunView, came: readonly JobProgress[]) => ({
  body: dom.jobs(run.id),
  rows: jobs.map(({ symbol }) => dom.job(run.id, symbol)),
  came: came.filter(({ runId }) => runId === run.id).map((job) => `${JobRow({ job, controls: true })}`),
});

/** New log lines, inserted before those on the page. */
export const liveLogLines = (lines: readonly LogLine[]): string =>
  partial(dom.logLines, "afterbegin", <LogEntries lines={lines} />);

/** The whole content of the log panel, for a page whose lines are not known. */
export const liveLog = (lines: readonly LogLine[]): string =>
  partial(dom.logLines, "innerHTML", <LogEntries lines={lines} />);

/** The quotas of the providers in use; `now` in epoch milliseconds. */
export const liveQuota = (quotas: readonly QuotaView[], now: number): string =>
  partial(dom.quota, "outerMorph", <QuotaPanel quotas={quotas} now={now} />);

/** The promises on the monitor. */
export const livePromises = (promises: readonly PanelPromise[]): string =>
  partial(dom.promises, "outerMorph", <PromisePanel promises={promises} />);

/** The panel of the last hour. */
export const liveLastHour = (view: LastHourView | null): string =>
  partial(dom.activity, "outerMorph", <LastHourPanel view={view} />);

/** One sentence for screen readers. */
export const liveAnnouncement = (sentence: string): string =>
  partial(dom.announcer, "textContent", Bun.escapeHTML(sentence));

/** A toast, with a link if there is something to see. */
export const liveToast = (level: "info" | "error", text: string, link?: { address: string; words: string }): string =>
  partial(
    dom.notices,
    "beforeend",
    <Toast level={level}>
      {text} {link === undefined ? null : <a href={link.address}>{link.words}</a>}
    </Toast>,
  );

/** A toast with an Undo button. */
export const liveUndo = (text: string, undo: string): string =>
  partial(
    dom.notices,
    "beforeend",
    <Toast level="info" undo={undo}>
      {text}
    </Toast>,
  );

/** A page of the queue after its filter was changed: its runs, and the connection that follows them. */
export const liveFilter = (view: {
  filter: FilterView;
  runs: readonly RunView[];
  strip: StripView | null;
  stream: string;
}): string =>
  liveRuns(view.runs, view.strip !== null) +
  (view.strip === null ? "" : liveStrip(view.strip)) +
  partial(dom.filterState, "outerMorph", <FilterState filter={view.filter} matching={matchingOf(view.runs)} />) +
  partial(dom.stream, "innerHTML", <Connection address={view.stream} />);

/** A report after its filter was changed. */
export const liveReport = (view: ReportView): string =>
  partial(dom.report, "innerHTML", <ReportRows view={view} />) +
  partial(dom.reportCsv, "outerHTML", <ReportCsv view={view} />) +
  partial(
    dom.filterState,
    "outerMorph",
    <FilterState filter={view.filter} matching={view.rows.length + view.hidden} />,
  );

/** Opens a confirmation dialog; `null` closes it. */
export const liveDialog = (dialog: ConfirmView | null): string =>
  partial(
    dom.question,
    "innerHTML",
    dialog === null ? (
      ""
    ) : (
      <dialog aria-labelledby="question-title">
        <ConfirmDialog dialog={dialog} />
      </dialog>
    ),
  );

/** HTML as one server-sent message without a name, which htmx swaps in; a reconnect sends `id` back. */
const sseMessage = (id: string, markup: string): string =>
  `id: ${id}\ndata: ${/[\r\n]/.test(markup) ? markup.replace(/\r\n?|\n/g, "\ndata: ") : markup}\n\n`;

/**
 * Rows that came, went or moved: a named event, because `public/app/jobs/row-order.js` delays it while the table is in
 * use.
 */
export const sseRows = (orders: readonly ReturnType<typeof rowsOrder>[]): string =>
  `event: rows\ndata: ${JSON.stringify(orders)}\n\n`;

/** The ids of a view's runs in their order, and the sections of the `fresh` ones: named for the same reason. */
export const sseSections = (views: readonly RunView[], fresh: ReadonlySet<string>): string => {
  const came = views
    .filter(({ run }) => fresh.has(run.id))
    .map((view) => `${<RunSection {...view} onMonitor={true} />}`);
  return `event: sections\ndata: ${JSON.stringify({ sections: views.map(({ run }) => dom.section(run.id)), came })}\n\n`;
};

/** Named events and the message that follows them. The message carries the id; without markup the first event does. */
export const sseTogether = (id: string, events: string, markup: string): string =>
  markup === "" && events !== "" ? `id: ${id}\n${events}` : events + sseMessage(id, markup);

/** The heartbeat: a named event for `public/app/live/freshness.js`, and the banner of every page if it has to be sent. */
export const sseHeartbeat = (now: number, banner: string): string =>
  `event: heartbeat\ndata: ${now}\n\n${banner === "" ? "" : `data: ${banner}\n\n`}`;

/** What stops the work of the whole server; empty for nothing. */
export const liveTrouble = (trouble: StorageTrouble | QueueTrouble | null): string =>
  partial(dom.trouble, "innerMorph", trouble === null ? "" : <TroubleText trouble={trouble} />);
