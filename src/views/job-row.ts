/** One job as one table row: the hot path of the live screen, and so a plain template (1 µs) where the rest is JSX. */

import { type HtmlEscapedString, raw } from "hono/utils/html";
import type { JobProgress, Status } from "../domain/progress.ts";
import { JOB_ACTIONS, type JobAction } from "../domain/run.ts";
import { isHeldUp } from "../domain/waiting.ts";
import { Strip } from "./strip.ts";
import { dom, formatCount, formatDuration, jobAddress, plural, profileAddress } from "./ui.tsx";

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

export const ACTION_WORDS: Readonly<Record<JobAction, string>> = {
  pause: "Pause",
  resume: "Resume",
  cancel: "Cancel",
  skip: "Skip",
  retry: "Retry",
};

/** What a row can be handled with: its menu, and the box that selects it. */
export type Controls = "none" | "menu" | "all";

const escaped = Bun.escapeHTML;
const icon = (name: string) => `<svg class="icon icon-${name}" aria-hidden="true"><use href="#i-${name}"/></svg>`;

/**
 * The row of `job`. Every text in it is escaped here.
 *
 * The first cell holds the box that selects it, the last its menu. The browser keeps both as they are
 * (`hx-morph-skip`), so that they stay checked, open and focused while the row changes; a push therefore leaves them
 * empty. Which entries of the menu show is decided by the row's `data-state`.
 */
export function JobRow({ job, controls }: { job: JobProgress; controls: Controls }): HtmlEscapedString {
  const { state, progress, duration, since } = job;
  const held = isHeldUp(job);
  // The job went well, its data did not: said by shape, colour and words.
  const gaps = state === "complete" ? (job.gaps ?? 0) : 0;
  const stands = held || state === "queued" || state === "paused";
  const symbol = escaped(job.symbol);
  const stage = escaped(job.microStage);
  const name = state === "complete" ? `<a href="${profileOf(job)}">${symbol}</a>` : `<span>${symbol}</span>`;
  const time = state === "queued" && duration === 0 ? "" : formatDuration(duration, since === null);
  return raw(
    `<tr id="${escaped(dom.job(job.runId, job.symbol))}" data-state="${state}"${held ? " data-held" : ""}>` +
      `<td class="c-check" hx-morph-skip>${controls === "all" ? checkOf(job) : ""}</td>` +
      `<th scope="row">${name}</th>` +
      `<td class="c-status"${gaps > 0 ? ` title="${plural(gaps, "gap")} in its history"` : ""}>` +
      `${icon(gaps > 0 ? "gaps" : held ? "waiting" : STATUS_ICONS[job.status])}${stands ? whyOf(job) : job.status}` +
      `${gaps > 0 ? `<span class="visually-hidden">, with ${plural(gaps, "gap")}</span>` : ""}</td>` +
      `<td class="c-progress"><progress max="100" value="${progress}" aria-label="${symbol}"></progress>` +
      `<span class="num">${progress}%</span></td>` +
      `<td class="c-strip">${Strip({ job })}</td>` +
      `<td class="c-stage"><span title="${stage}">${stage}</span></td>` +
      `<td class="c-points num">${formatCount(job.dataPoints)}</td>` +
      `<td class="c-calls num">${formatCount(job.apiCalls)}</td>` +
      `<td class="c-time num"${since === null ? "" : ` data-since="${since}"`}>${time}</td>` +
      `<td class="c-menu" hx-morph-skip>${controls === "none" ? "" : menuOf(job)}</td></tr>`,
  );
}

const profileOf = (job: JobProgress) => escaped(profileAddress(job.symbol, job.interval));

/** The status of a job that does not move, a link to the reasons. */
function whyOf({ runId, symbol, status }: JobProgress): string {
  const base = jobAddress(runId, symbol);
  return (
    `<a class="why" href="${base}#why" data-card="${base}/why" title="Why it waits" ` +
    `aria-label="${status}: why?">${status}</a>`
  );
}

/** The box that selects a job. The browser keeps it as it is, like the menu. */
const checkOf = ({ symbol }: JobProgress) =>
  `<input type="checkbox" name="symbol" value="${escaped(symbol)}" aria-label="Select ${escaped(symbol)}">`;

/** What can be done with a job. All entries are there at all times; the row's state shows those that apply. */
function menuOf(job: JobProgress): string {
  const id = escaped(dom.jobMenu(job.runId, job.symbol));
  const base = jobAddress(job.runId, job.symbol);
  const buttons = JOB_ACTIONS.map(
    (action) => `<button class="on-${action}" formaction="${base}/${action}">${ACTION_WORDS[action]}</button>`,
  );
  buttons.push(`<button class="on-refetch" formaction="${base}/refetch">Fetch again…</button>`);
  buttons.push(`<a class="on-why" href="${base}#why" data-card="${base}/why">Why waiting?</a>`);
  return (
    `<button type="button" class="icon-button" popovertarget="${id}" aria-label="Actions for ${escaped(job.symbol)}">` +
    `${icon("more")}</button><div id="${id}" class="menu" popover>${buttons.join("")}` +
    `<a class="on-open" href="${profileOf(job)}">Open profile</a><a class="on-details" href="${base}">Details</a></div>`
  );
}
