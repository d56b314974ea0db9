/** @jsxImportSource hono/jsx */
/** The jobs of a run as a table, and the links to its other pages. */

import type { JobProgress } from "../../domain/runs/progress.ts";
import { type JobSort, nextSort, type SortKey } from "../../domain/runs/queue/job-sort.ts";
import type { RunSummary } from "../../domain/runs/run-summary.ts";
import { dom } from "../ui/dom.ts";
import { formatCount, plural } from "../ui/format.ts";
import { COLUMNS, type Column } from "./columns.ts";
import { JobRow } from "./job-row.ts";
import { type QueueQuery, queueAddress } from "./queue-url.ts";

/** The rows of one run that a page shows. */
export interface RowsView {
  /** In the order in which they are shown. */
  readonly jobs: readonly JobProgress[];
  /** The number of jobs on the pages before. */
  readonly first: number;
  /** The number of jobs that match the filter, on all pages. */
  readonly matching: number;
  /** The number of jobs that do not match. */
  readonly hidden: number;
  readonly pages: number;
  readonly sort: JobSort;
  readonly query: QueueQuery;
}

/** A run and the rows of it that are shown. */
export interface RunView extends RowsView {
  readonly run: RunSummary;
}

/** Rows of one run as a table, inside the form of their actions; `onPage`: as part of a whole page. */
export const Table = (props: {
  label: string;
  run: RunSummary;
  jobs: readonly JobProgress[];
  controls: boolean;
  view?: RowsView;
  onPage?: boolean;
}) => {
  const { label, run, jobs, controls, view, onPage = false } = props;
  return (
    <table class="queue" aria-label={`Symbols of the run of ${label}`}>
      <thead>
        <tr>
          {COLUMNS.map((column) => (
            <Head column={column} controls={controls} view={view} />
          ))}
        </tr>
      </thead>
      <tbody id={dom.jobs(run.id)}>
        {jobs.map((job) => (
          <JobRow job={job} controls={controls} withId={!onPage} />
        ))}
      </tbody>
    </table>
  );
};

/** The head of a column; that of the check boxes selects all rows of the page. */
const Head = (props: { column: Column; controls: boolean; view: RowsView | undefined }) => {
  const { column, controls, view } = props;
  const { key, title, hiddenTitle, numeric, sort } = column;
  return (
    <th scope="col" class={`c-${key}${numeric ? " num" : ""}`} aria-sort={view && sort && sortedBy(view.sort, sort)}>
      {key === "check" && controls ? (
        <input type="checkbox" data-select-all aria-label="Select all rows of this page" autocomplete="off" />
      ) : hiddenTitle ? (
        <span class="visually-hidden">{title}</span>
      ) : view && sort ? (
        <SortLink view={view} title={title} by={sort} />
      ) : (
        title
      )}
    </th>
  );
};

function sortedBy({ key, descending }: JobSort, column: SortKey): "ascending" | "descending" | undefined {
  if (key !== column) return undefined;
  return descending ? "descending" : "ascending";
}

const SortLink = ({ view, title, by }: { view: RowsView; title: string; by: SortKey }) => (
  <a class="sort" href={queueAddress({ ...view.query, sort: nextSort(by, view.sort), page: 1 })}>
    {title}
  </a>
);

/** One row alone, for the job page. */
export const JobTable = ({ label, run, job }: { label: string; run: RunSummary; job: JobProgress }) => (
  <Table label={label} run={run} jobs={[job]} controls={false} />
);

/** Which rows are shown of how many, and the links to the others. */
export const Pager = ({ run, jobs, first, matching, hidden, pages, query }: RunView) => (
  <nav id={dom.pager(run.id)} class="pager" aria-label="Rows" data-matching={matching}>
    {pages > 1 ? (
      <p>
        <PageLink query={query} page={query.page - 1} pages={pages} word="Previous" />
        <span class="num">
          {formatCount(first + 1)}–{formatCount(first + jobs.length)} of {formatCount(matching)}
        </span>
        <PageLink query={query} page={query.page + 1} pages={pages} word="Next" />
      </p>
    ) : null}
    {query.filter !== "" && matching === 0 ? <p>Nothing matches the filter.</p> : null}
    {hidden > 0 ? (
      <p>
        {plural(hidden, "more symbol")} not shown by the filter.{" "}
        <a href={queueAddress({ ...query, filter: "", page: 1 })}>Show all</a>
      </p>
    ) : null}
  </nav>
);

const PageLink = ({ query, page, pages, word }: { query: QueueQuery; page: number; pages: number; word: string }) =>
  page < 1 || page > pages ? (
    <span class="button" aria-disabled="true">
      {word}
    </span>
  ) : (
    <a class="button" href={queueAddress({ ...query, page })} rel={word === "Next" ? "next" : "prev"}>
      {word}
    </a>
  );
