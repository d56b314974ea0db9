/** @jsxImportSource hono/jsx */
/** The actions of a job: a menu that all rows of a page share, and buttons on the job page. */

import type { JobProgress } from "../../domain/runs/progress.ts";
import { canApply } from "../../domain/runs/states.ts";
import { dom, jobAddress } from "../ui/dom.ts";
import { ACTION_WORDS, ROW_ACTIONS } from "./job-row.ts";

/**
 * One menu for all rows, because 500 of them would double the page. `public/app/jobs/row-menu.js` opens it for a row:
 * it puts the row's address before each `data-path`, and `data-state` selects the entries. Without JavaScript rows link
 * to the job pages with the same actions.
 */
export const JobMenu = () => (
  <form id={dom.jobMenu} class="menu" method="post" popover="auto" data-actions aria-label="Actions">
    {ROW_ACTIONS.map((action) => (
      <button type="submit" class={`on-${action}`} data-path={`/${action}`}>
        {ACTION_WORDS[action]}
      </button>
    ))}
    <button type="submit" class="on-first" data-path="/first">
      Put first in the queue
    </button>
    <a class="on-why" data-path="#why" data-card="why" href="#why">
      Why waiting?
    </a>
    <a class="on-open" data-profile href="/profiles">
      Open profile
    </a>
    <a class="on-details" data-path="" href="/runs">
      Details
    </a>
  </form>
);

/** The actions that apply to one job in its state, as buttons. */
export const JobActions = ({ job }: { job: JobProgress }) => {
  const base = jobAddress(job.runId, job.symbol);
  return (
    <form method="post" class="job-actions" data-actions>
      {ROW_ACTIONS.filter((action) => canApply(action, job.state)).map((action) => (
        <button type="submit" class="button" id={`do-${action}`} formaction={`${base}/${action}`}>
          {ACTION_WORDS[action]}
        </button>
      ))}
      {job.state === "queued" ? (
        <button type="submit" class="button" id="do-first" formaction={`${base}/first`}>
          Put first in the queue
        </button>
      ) : null}
    </form>
  );
};
