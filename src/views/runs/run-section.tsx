/** @jsxImportSource hono/jsx */
/** A run on the monitor: its head, and the table of its jobs. */

import { runTitle } from "../../domain/runs/run-title.ts";
import { BulkBar } from "../jobs/bulk-actions.tsx";
import { Pager, type RunView, Table } from "../jobs/job-table.tsx";
import { dom } from "../ui/dom.ts";
import { RunHead } from "./run-header.tsx";

/** `onMonitor`: whether it is the open one of several; `onPage`: whether it is part of a whole page. */
export const RunSection = ({
  onMonitor = false,
  onPage = false,
  ...view
}: RunView & { onMonitor?: boolean; onPage?: boolean }) => (
  <section class="run" aria-label={`Run: ${runTitle(view.run)}`} id={dom.section(view.run.id)}>
    <RunHead run={view.run} onMonitor={onMonitor} />
    <form method="post" data-actions data-select={view.run.id}>
      <BulkBar run={view.run} matching={view.matching} filter={view.query.filter} />
      <Table label={runTitle(view.run)} run={view.run} jobs={view.jobs} controls={true} view={view} onPage={onPage} />
      <Pager {...view} />
    </form>
  </section>
);
