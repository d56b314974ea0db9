/**
 * The columns of the queue, each declared once: head and row are made from this list. Their widths are in
 * `public/css/areas/job-table.css`, their places on a narrow page in `public/css/base/responsive.css`.
 */

import { type JobProgress, type Status, waitWords } from "../../domain/runs/progress.ts";
import type { SortKey } from "../../domain/runs/queue/job-sort.ts";
import { isWaiting } from "../../domain/runs/wait-reason.ts";
import { formatDuration, formatExactDuration, utcSecond } from "../../domain/time.ts";
import { jobAddress, profileAddress } from "../ui/dom.ts";
import { formatCount, plural, secondsUntil } from "../ui/format.ts";
import { CoverageStrip } from "./coverage-strip.ts";

/**
 * A job with values that several of its cells need. A row names its symbol as rarely as it can, because each time costs
 * a page of 500 rows a kilobyte: labels of its controls rely on the head of the row, and scripts read its id.
 */
export interface RowView {
  readonly job: JobProgress;
  /** Its symbol, escaped. */
  readonly symbol: string;
  readonly waiting: boolean;
  /** Missing sessions of a complete job: it succeeded, but its data are incomplete. */
  readonly gaps: number;
  /** Whether the check box and the menu are filled; in a push they are empty, and the browser keeps its own. */
  readonly controls: boolean;
}

export function rowView(job: JobProgress, controls: boolean): RowView {
  return {
    job,
    symbol: Bun.escapeHTML(job.symbol),
    waiting: isWaiting(job),
    gaps: job.state === "complete" ? (job.gaps ?? 0) : 0,
    controls,
  };
}

export interface Column {
  /** Its class in head and row is `c-{key}`. */
  readonly key: string;
  readonly title: string;
  /** Whether the title is for screen readers only. */
  readonly hiddenTitle?: boolean;
  /** Whether it holds numbers, aligned to the end. */
  readonly numeric?: boolean;
  /** What a click on the title sorts by. */
  readonly sort?: SortKey;
  /** The whole cell as HTML. Every text in it is escaped here. */
  cell(row: RowView): string;
}

export const COLUMNS: readonly Column[] = [
  {
    key: "check",
    title: "Selection",
    hiddenTitle: true,
    cell: ({ symbol, controls }) => `<td class="c-check" hx-morph-skip>${controls ? checkBox(symbol) : ""}</td>`,
  },
  {
    key: "symbol",
    title: "Symbol",
    sort: "symbol",
    cell: ({ job, symbol }) =>
      `<th scope="row"><a href="${job.state === "complete" ? profileOf(job) : jobOf(job)}">${symbol}</a></th>`,
  },
  { key: "status", title: "Status", sort: "status", cell: statusCell },
  {
    key: "progress",
    title: "Progress",
    sort: "progress",
    cell: ({ job: { progress } }) =>
      `<td class="c-progress"><progress max="100" value="${progress}" aria-label="Progress"></progress>` +
      `<span class="num">${progress}%</span></td>`,
  },
  { key: "strip", title: "Coverage", cell: ({ job }) => `<td class="c-strip">${CoverageStrip({ job })}</td>` },
  { key: "stage", title: "Micro-stage", cell: ({ job }) => `<td class="c-stage">${stageText(job)}</td>` },
  {
    key: "points",
    title: "Data points",
    numeric: true,
    sort: "points",
    cell: ({ job }) => `<td class="c-points num">${formatCount(job.dataPoints)}</td>`,
  },
  {
    key: "calls",
    title: "API calls",
    numeric: true,
    sort: "calls",
    cell: ({ job }) => `<td class="c-calls num">${formatCount(job.apiCalls)}</td>`,
  },
  { key: "time", title: "Duration", numeric: true, sort: "time", cell: timeCell },
  {
    key: "menu",
    title: "Actions",
    hiddenTitle: true,
    cell: ({ job, controls }) => `<td class="c-menu" hx-morph-skip>${controls ? menuButton(job) : ""}</td>`,
  },
];

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

const escaped = Bun.escapeHTML;
const icon = (name: string) => `<svg class="icon icon-${name}" aria-hidden="true"><use href="#i-${name}"/></svg>`;
const profileOf = (job: JobProgress) => escaped(profileAddress(job.symbol, job.interval));
const jobOf = (job: JobProgress) => jobAddress(job.runId, job.symbol);

/** The status of a waiting job opens the reasons. Gaps are shown by shape, colour and text. */
function statusCell({ job, waiting, gaps }: RowView): string {
  const { state, status } = job;
  const missing = gaps > 0 ? plural(gaps, "gap") : "";
  const name = gaps > 0 ? "gaps" : waiting ? "waiting" : STATUS_ICONS[status];
  return (
    `<td class="c-status"${gaps > 0 ? ` title="${missing} in its history"` : ""}>${icon(name)}` +
    `${waiting || state === "queued" || state === "paused" ? reasonButton(job) : status}` +
    `${gaps > 0 ? `<span class="visually-hidden">, with ${missing}</span>` : ""}</td>`
  );
}

const reasonButton = ({ status }: JobProgress) =>
  `<button type="button" class="why" data-card="why" title="Why it waits" aria-label="${status}: why?">${status}</button>`;

/** Characters that the column of micro-stages shows in every layout. */
const SHORT = 20;

/** The micro-stage; the browser counts down the seconds of a wait (`public/app/ui/clock.js`). */
function stageText({ microStage, wait }: JobProgress): string {
  if (wait === null) {
    const stage = escaped(microStage);
    return microStage.length > SHORT ? `<span title="${stage}">${stage}</span>` : `<span>${stage}</span>`;
  }
  const { until } = wait;
  const { before, after } = waitWords(wait);
  const left = `<span data-left="${until}">${secondsUntil(until)}</span>`;
  return `<span title="Until ${utcSecond(until)}">${escaped(before)} in ${left}s${escaped(after)}</span>`;
}

/** The browser counts up from `since` while the job works, in whole seconds. */
function timeCell({ job: { state, duration, since } }: RowView): string {
  const time =
    state === "queued" && duration === 0 ? "" : (since === null ? formatExactDuration : formatDuration)(duration);
  return `<td class="c-time num"${since === null ? "" : ` data-since="${since - (since % 1_000)}"`}>${time}</td>`;
}

const checkBox = (symbol: string) => `<input type="checkbox" name="symbol" aria-label="Select" value="${symbol}">`;

/** Opens the menu, with JavaScript. Without it the symbol leads to the page with its actions, or this where it does not. */
const menuButton = (job: JobProgress) =>
  job.state === "complete"
    ? `<a class="icon-button" data-menu href="${jobOf(job)}" aria-label="Actions"></a>`
    : `<button type="button" class="icon-button" data-menu aria-label="Actions"></button>`;
