/** @jsxImportSource hono/jsx */
/** The page of one run: live while it is open, a report once it is finished. */

import type { Child } from "hono/jsx";
import { describeFinding, type Finding } from "../../domain/market/anomalies/scale-changes.ts";
import type { JobProgress } from "../../domain/runs/progress.ts";
import type { RunSummary } from "../../domain/runs/run-summary.ts";
import { runTitle } from "../../domain/runs/run-title.ts";
import { canApply } from "../../domain/runs/states.ts";
import { formatExactDuration } from "../../domain/time.ts";
import { BulkBar } from "../jobs/bulk-actions.tsx";
import { FilterBar, type FilterView } from "../jobs/filter-bar.tsx";
import { ACTION_WORDS } from "../jobs/job-row.ts";
import type { RunView } from "../jobs/job-table.tsx";
import { Crumbs, Icon, Moment, SelectAllHead, STATE_ICONS, Zoned } from "../ui/components.tsx";
import { dom, jobAddress, profileAddress } from "../ui/dom.ts";
import { formatCount, plural } from "../ui/format.ts";
import { Reason } from "../ui/forms/form-field.tsx";
import { Layout, type PageContext } from "../ui/layout.tsx";
import { matchingAddress, RunHead } from "./run-header.tsx";
import { RunSection } from "./run-section.tsx";

/** The actions of a symbol of a finished run. */
const REPORT_ACTIONS = ["retry", "refetch"] as const;

/** The page of an open run. */
export const RunPage = (props: {
  page: PageContext;
  view: RunView;
  findings: readonly SymbolFinding[];
  filter: FilterView;
  stream: string;
}) => {
  const { page, view, findings, filter, stream } = props;
  return (
    <Layout page={page} title={runTitle(view.run)} stream={stream}>
      <PageHead run={view.run} />
      <Findings run={view.run} findings={findings} />
      <FilterBar filter={filter} matching={view.matching} />
      <div id={dom.runs} class="runs">
        <RunSection {...view} onPage={true} />
      </div>
    </Layout>
  );
};

const PageHead = ({ run, report }: { run: RunSummary; report?: ReportView }) => (
  <header class="page-head">
    <Crumbs trail={[["Runs", "/runs"]]} />
    <h1>{runTitle(run)}</h1>
    <code class="muted">{run.id}</code>
    {run.finishedAt === null ? <PauseForReason run={run} /> : null}
    {report === undefined ? null : <ReportCsv view={report} />}
  </header>
);

/** Pauses the run with a reason for the audit; the button in the run's head needs none. */
const PauseForReason = ({ run }: { run: RunSummary }) => (
  <>
    <button type="button" class="button" popovertarget="pause-why">
      Pause for a reason…
    </button>
    <form
      id="pause-why"
      class="pause-why"
      popover="auto"
      method="post"
      action={matchingAddress(run.id, "pause", "")}
      data-actions
    >
      <Reason of="pause" />
      <button type="submit" class="button primary">
        Pause the run
      </button>
    </form>
  </>
);

/** A finding and its symbol. */
export type SymbolFinding = Finding & { readonly symbol: string };

/** Findings that are shown. */
const FINDINGS = 10;

/** What contradicts each other in the series of the run. */
const Findings = ({ run, findings }: { run: RunSummary; findings: readonly SymbolFinding[] }) =>
  findings.length === 0 ? null : (
    <ul class="run-left-out run-findings" aria-label="Prices and actions that contradict each other">
      {findings.slice(0, FINDINGS).map((finding) => (
        <li>
          <a href={profileAddress(finding.symbol, run.interval)}>{finding.symbol}</a>: {describeFinding(finding)}
        </li>
      ))}
      {findings.length > FINDINGS ? (
        <li>
          <a href="/profiles?health=suspicious">All suspicious profiles</a>
        </li>
      ) : null}
    </ul>
  );

/** The result of one symbol. */
export interface ReportRow {
  readonly job: JobProgress;
  readonly attempts: number;
  /** Seconds of its duration spent on requests to the provider. */
  readonly fetchSeconds: number;
  /** Epoch milliseconds. */
  readonly finishedAt: number | null;
  readonly error: string | null;
}

/** What a report can be sorted by; by default failures come first. */
export const REPORT_SORTS = ["symbol", "points", "calls", "attempts", "asking", "time", "ended"] as const;
export type ReportSort = (typeof REPORT_SORTS)[number];

export interface ReportView {
  readonly run: RunSummary;
  readonly findings: readonly SymbolFinding[];
  readonly rows: readonly ReportRow[];
  /** The number of rows that are not shown. */
  readonly hidden: number;
  readonly filter: FilterView;
  /** One of `REPORT_SORTS`, with `-` before it for descending; empty for failures first. */
  readonly sort: string;
}

/** The page of a finished run. Its buttons lead to the run that is open again, so it needs no stream. */
export const RunReportPage = ({ page, view }: { page: PageContext; view: ReportView }) => (
  <Layout page={page} title={runTitle(view.run)}>
    <PageHead run={view.run} report={view} />
    <FilterBar filter={view.filter} matching={view.rows.length + view.hidden} />
    <section class="run" aria-label={`Run: ${runTitle(view.run)}`}>
      <RunHead run={view.run} plain={true} />
      <Findings run={view.run} findings={view.findings} />
    </section>
    <div id={dom.report}>
      <ReportRows view={view} />
    </div>
  </Layout>
);

/** The link to the rows that match as a file. */
export const ReportCsv = ({ view }: { view: ReportView }) => (
  <a id={dom.reportCsv} href={reportAddress(view, { format: "csv" })}>
    CSV
  </a>
);

/** The rows of a report that match its filter, and the actions for them. */
export const ReportRows = ({ view }: { view: ReportView }) => (
  <>
    <form method="post" data-select="">
      <BulkBar
        run={view.run}
        matching={view.rows.length + view.hidden}
        filter={view.filter.error ? "" : view.filter.text}
        actions={REPORT_ACTIONS}
      />
      <section class="scroll" tabindex={0} aria-label="Symbols">
        <table class="list report">
          <thead>
            <tr>
              <SelectAllHead />
              <SortHead view={view} sort="symbol" title="Symbol" />
              <th scope="col" aria-sort={view.sort === "" ? "descending" : undefined}>
                <a href={reportAddress(view, { sort: "" })}>Status</a>
              </th>
              <SortHead view={view} sort="points" title="Data points" />
              <SortHead view={view} sort="calls" title="API calls" />
              <SortHead view={view} sort="attempts" title="Attempts" />
              <SortHead view={view} sort="asking" title="Provider time" hint="Time spent on requests to the provider" />
              <SortHead view={view} sort="time" title="Duration" />
              <SortHead view={view} sort="ended" title={<Zoned title="Ended" />} />
              <th scope="col">
                <span class="visually-hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {view.rows.map((row) => (
              <ReportLine row={row} />
            ))}
          </tbody>
        </table>
      </section>
    </form>
    {view.hidden > 0 ? (
      <p class="report-more">
        {plural(view.hidden, "more symbol")} not shown: filter, or take the{" "}
        <a href={reportAddress(view, { format: "csv" })}>CSV</a>.
      </p>
    ) : null}
  </>
);

const ReportLine = ({ row: { job, attempts, fetchSeconds, finishedAt, error } }: { row: ReportRow }) => {
  const gaps = job.state === "complete" ? (job.gaps ?? 0) : 0;
  return (
    <tr data-state={job.state}>
      <td class="c-pick">
        <input type="checkbox" name="symbol" value={job.symbol} aria-label={`Select ${job.symbol}`} />
      </td>
      <th scope="row">
        <a href={jobAddress(job.runId, job.symbol)}>{job.symbol}</a>
      </th>
      <td class="result">
        <Icon name={gaps > 0 ? "gaps" : STATE_ICONS[job.state]} /> {job.status}
        {gaps > 0 ? `, ${plural(gaps, "gap")}` : ""}
        {error === null ? null : <span class="error">{error}</span>}
      </td>
      <td class="num">{formatCount(job.dataPoints)}</td>
      <td class="num">{formatCount(job.apiCalls)}</td>
      <td class="num">{formatCount(attempts)}</td>
      <td class="num">{formatExactDuration(fetchSeconds)}</td>
      <td class="num">{formatExactDuration(job.duration)}</td>
      <td class="num">{finishedAt === null ? "–" : <Moment at={finishedAt} style="column" />}</td>
      <td class="report-actions">
        {REPORT_ACTIONS.filter((action) => canApply(action, job.state)).map((action) => (
          <button type="submit" class="button" formaction={`${jobAddress(job.runId, job.symbol)}/${action}`}>
            {ACTION_WORDS[action]}
            <span class="visually-hidden"> {job.symbol}</span>
          </button>
        ))}
        {job.state === "complete" ? (
          <a href={profileAddress(job.symbol, job.interval)}>
            Profile<span class="visually-hidden"> of {job.symbol}</span>
          </a>
        ) : null}
      </td>
    </tr>
  );
};

/** The head of a column: a link that sorts by it, largest first, then smallest first. */
const SortHead = (props: { view: ReportView; sort: ReportSort; title: Child; hint?: string }) => {
  const { view, sort, title, hint } = props;
  const down = view.sort === `-${sort}`;
  const sorted = down ? "descending" : view.sort === sort ? "ascending" : undefined;
  const next = sort === "symbol" ? (sorted === "ascending" ? "-symbol" : "symbol") : down ? sort : `-${sort}`;
  return (
    <th scope="col" class={sort === "symbol" ? "" : "num"} aria-sort={sorted} title={hint}>
      <a href={reportAddress(view, { sort: next })}>
        {title}
        {sorted ? <span aria-hidden="true">{down ? " ↓" : " ↑"}</span> : null}
      </a>
    </th>
  );
};

/** The address of the report with its filter and sort, with parameters added or replaced. */
function reportAddress({ run, filter, sort }: ReportView, more: Readonly<Record<string, string>>): string {
  const given = Object.entries({ q: filter.text, sort, ...more }).filter(([, value]) => value !== "");
  const path = `/runs/${encodeURIComponent(run.id)}`;
  return given.length > 0 ? `${path}?${new URLSearchParams(given)}` : path;
}
