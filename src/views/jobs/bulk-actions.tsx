/** @jsxImportSource hono/jsx */
/** Actions on the selected rows, or on all jobs that match the filter. */

import type { RunSummary } from "../../domain/runs/run-summary.ts";
import { JOB_TRANSITIONS, type JobState } from "../../domain/runs/states.ts";
import { dom } from "../ui/dom.ts";
import { formatCount } from "../ui/format.ts";
import { ACTION_WORDS, ROW_ACTIONS, type RowAction } from "./job-row.ts";

/** The states of jobs that an action applies to. */
const startingStates = (action: RowAction): readonly JobState[] => JOB_TRANSITIONS[action].from;

/** The address of an action on selected jobs of a run; `filter` defines "all". */
const selectedAddress = (runId: string, action: RowAction, filter: string) =>
  `/runs/${encodeURIComponent(runId)}/selected/${action}${filter === "" ? "" : `?q=${encodeURIComponent(filter)}`}`;

/**
 * The bar of the selection. With JavaScript it appears at the bottom of the window with the first selection and offers
 * what applies to it (`public/app/jobs/selection.js`); without, it is above the table.
 */
export const BulkBar = (props: {
  run: RunSummary;
  matching: number;
  filter: string;
  actions?: readonly RowAction[];
}) => (
  <div class="bulk" id={dom.bulk(props.run.id)} data-matching={props.matching}>
    <output class="bulk-count" data-selected>
      Selected symbols
    </output>
    <label class="bulk-all">
      <input type="checkbox" name="all" value="1" autocomplete="off" />
      <span>
        Apply to all <b class="num">{formatCount(props.matching)}</b>{" "}
        {props.filter === "" ? "of the run" : "that match"}
      </span>
    </label>
    {(props.actions ?? ROW_ACTIONS).map((action) => (
      <button
        type="submit"
        class="button"
        data-from={startingStates(action).join(" ")}
        formaction={selectedAddress(props.run.id, action, props.filter)}
      >
        {ACTION_WORDS[action]}
      </button>
    ))}
    <button type="button" class="button quiet" data-select-none>
      Clear
    </button>
    <span class="bulk-carried" hidden />
  </div>
);
