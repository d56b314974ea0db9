/** One job as one table row: the hot path of the live screen, and so a plain template (1 µs) where the rest is JSX. */

import { type HtmlEscapedString, raw } from "hono/utils/html";
import type { JobProgress, Status } from "../../domain/runs/progress.ts";
import { JOB_ACTIONS, type JobAction } from "../../domain/runs/states.ts";
import { isWaiting, WAIT } from "../../domain/runs/wait-reason.ts";
import { formatDuration, utcSecond } from "../../domain/time.ts";
import { dom, jobAddress, profileAddress } from "../ui/dom.ts";
import { formatCount, plural, secondsUntil } from "../ui/format.ts";
import { CoverageStrip } from "./coverage-strip.ts";

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

/** What a person can do with a job from a row: fetching again is asked about first. */
export const ROW_ACTIONS = [...JOB_ACTIONS, "refetch"] as const;
export type RowAction = JobAction | "refetch";

export const ACTION_WORDS: Readonly<Record<RowAction, string>> = {
  pause: "Pause",
  resume: "Resume",
  cancel: "Cancel",
  skip: "Skip",
  retry: "Retry",
  refetch: "Fetch again…",
};

const escaped = Bun.escapeHTML;
const icon = (name: string) => `<svg class="icon icon-${name}" aria-hidden="true"><use href="#i-${name}"/></svg>`;

/**
 * The row of `job`. Every text in it is escaped here.
 *
 * The first cell holds the box that selects it, the last the way to its actions. The browser keeps both as they are
 * (`hx-morph-skip`), so that they stay checked and focused while the row changes; a push therefore leaves them empty
 * (`controls: false`).
 */
export function JobRow({ job, controls }: { job: JobProgress; controls: boolean }): HtmlEscapedString {
  const { state, progress, duration, since } = job;
  const waiting = isWaiting(job);
  // The job went well, its data did not: said by shape, colour and words.
  const gaps = state === "complete" ? (job.gaps ?? 0) : 0;
  const stands = waiting || state === "queued" || state === "paused";
  const symbol = escaped(job.symbol);
  const stage = escaped(job.microStage);
  const name = state === "complete" ? `<a href="${profileOf(job)}">${symbol}</a>` : `<span>${symbol}</span>`;
  const time = state === "queued" && duration === 0 ? "" : formatDuration(duration, since === null);
  return raw(
    `<tr id="${escaped(dom.job(job.runId, job.symbol))}" data-state="${state}"${waiting ? " data-held" : ""}>` +
      `<td class="c-check" hx-morph-skip>${controls ? checkOf(job) : ""}</td>` +
      `<th scope="row">${name}</th>` +
      `<td class="c-status"${gaps > 0 ? ` title="${plural(gaps, "gap")} in its history"` : ""}>` +
      `${icon(gaps > 0 ? "gaps" : waiting ? "waiting" : STATUS_ICONS[job.status])}${stands ? whyOf(job) : job.status}` +
      `${gaps > 0 ? `<span class="visually-hidden">, with ${plural(gaps, "gap")}</span>` : ""}</td>` +
      `<td class="c-progress"><progress max="100" value="${progress}" aria-label="${symbol}"></progress>` +
      `<span class="num">${progress}%</span></td>` +
      `<td class="c-strip">${CoverageStrip({ job })}</td>` +
      `<td class="c-stage">${job.until === undefined ? `<span title="${stage}">${stage}</span>` : waitOf(stage, job.until)}</td>` +
      `<td class="c-points num">${formatCount(job.dataPoints)}</td>` +
      `<td class="c-calls num">${formatCount(job.apiCalls)}</td>` +
      `<td class="c-time num"${since === null ? "" : ` data-since="${since}"`}>${time}</td>` +
      `<td class="c-menu" hx-morph-skip>${controls ? menuOf(job) : ""}</td></tr>`,
  );
}

/** A micro-stage that names seconds to wait, which the browser counts down (`public/app/ui/clock.js`). */
function waitOf(stage: string, until: number): string {
  const counted = stage.replace(WAIT, ` in <span data-left="${until}">${secondsUntil(until)}</span>s`);
  return `<span title="Until ${utcSecond(until)}">${counted}</span>`;
}

const profileOf = (job: JobProgress) => escaped(profileAddress(job.symbol, job.interval));

/** The status of a job that does not move, a link to the reasons. */
function whyOf({ runId, symbol, status }: JobProgress): string {
  const base = jobAddress(runId, symbol);
  return (
    `<a class="why" href="${base}#why" data-card="why" title="Why it waits" ` +
    `aria-label="${status}: why?">${status}</a>`
  );
}

/** The box that selects a job. The browser keeps it as it is. */
const checkOf = ({ symbol }: JobProgress) =>
  `<input type="checkbox" name="symbol" value="${escaped(symbol)}" aria-label="Select ${escaped(symbol)}">`;

/** Leads to the page of the job, where its actions are; with JavaScript it opens the menu of the page instead. */
const menuOf = ({ runId, symbol }: JobProgress) =>
  `<a class="icon-button" data-menu aria-haspopup="menu" href="${jobAddress(runId, symbol)}" ` +
  `aria-label="Actions for ${escaped(symbol)}">${icon("more")}</a>`;
