/** One job as one table row: rendered for every update, and so a plain template (1 µs) where other views are JSX. */

import { type HtmlEscapedString, raw } from "hono/utils/html";
import type { JobProgress } from "../../domain/runs/progress.ts";
import { JOB_ACTIONS, type JobAction } from "../../domain/runs/states.ts";
import { dom } from "../ui/dom.ts";
import { COLUMNS, rowView } from "./columns.ts";

/** The actions of a row. Fetching again is confirmed first. */
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

/**
 * The row of `job`. The browser keeps the cells of the check box and the menu (`hx-morph-skip`), so that they stay
 * checked and focused while the row changes; a push leaves them empty (`controls: false`). A page leaves out the ids, which
 * scripts add (`public/app/jobs/row-ids.js`): in 500 rows they are a kilobyte.
 */
export function JobRow(props: { job: JobProgress; controls: boolean; withId?: boolean }): HtmlEscapedString {
  const { job, controls, withId = true } = props;
  const row = rowView(job, controls);
  const id = withId ? ` id="${Bun.escapeHTML(dom.job(job.runId, job.symbol))}"` : "";
  let markup = `<tr${id} data-state="${job.state}"${row.waiting ? " data-held" : ""}>`;
  for (const column of COLUMNS) markup += column.cell(row);
  return raw(`${markup}</tr>`);
}
