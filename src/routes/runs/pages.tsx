/** @jsxImportSource hono/jsx */
/** `/runs`: all runs by filter and page; `/runs/:id`: one run, live while it is open and a report afterwards. */

import { type Context, Hono } from "hono";
import Papa from "papaparse";
import { invalid } from "../../domain/errors.ts";
import { progressToWire, type RunSummary } from "../../domain/runs/run-summary.ts";
import type { JobState } from "../../domain/runs/states.ts";
import { listProviders } from "../../providers/registry.ts";
import { findingsOfRun } from "../../storage/market/quality/findings.ts";
import { failuresOf } from "../../storage/runs/run-list.ts";
import { jobsOfRun } from "../../storage/runs/runs.ts";
import type { FilterView } from "../../views/jobs/filter-bar.tsx";
import { liveFilter, liveReport } from "../../views/live.tsx";
import { RunsPage } from "../../views/runs/run-list-page.tsx";
import { REPORT_SORTS, type ReportRow, type ReportSort, RunPage, RunReportPage } from "../../views/runs/run-page.tsx";
import { compressed } from "../compression.ts";
import { formatCursor, parseCursor } from "../cursor.ts";
import { chosen } from "../http/page-query.ts";
import { answerJobCard, answerJobLog, answerJobPage } from "../jobs/job-page.tsx";
import type { LiveBroadcaster } from "../live/broadcaster.ts";
import { jobsOf, parseViewQuery, streamAddress, type ViewQuery } from "../live/view-query.ts";
import { wantsFragment } from "../page-context.ts";
import type { Services } from "../services.ts";
import { readRunFilter } from "./list-query.ts";
import { filterView, requireSort } from "./monitor.tsx";

/** Runs on a page of the list, and symbols in a report. */
const PAGE_SIZE = 50;
const REPORT_ROWS = 250;
const runAddress = (id: string) => `/runs/${encodeURIComponent(id)}`;
/** Findings that are read for a page. */
const FINDINGS = 50;

export function runPages(services: Pick<Services, "db" | "hub" | "runs" | "settings">, broadcaster: LiveBroadcaster) {
  const { db, runs, settings } = services;
  const pages = new Hono();
  pages.use("/runs/*", compressed);

  pages.get("/runs", async (c) => {
    const { filter, form } = readRunFilter((name) => c.req.query(name));
    const cursor = (name: string) => parseCursor(c.req.query(name) ?? "") ?? undefined;
    const after = cursor("after");
    const page = await runs.list(filter, { limit: PAGE_SIZE, before: after ? undefined : cursor("before"), after });
    const failures = await failuresOf(
      db,
      page.runs.map(({ id }) => id),
    );
    const view = {
      runs: page.runs.map((run) => ({ run, failure: failures.get(run.id) ?? null })),
      form,
      providers: listProviders(settings.values),
      older: page.older && formatCursor(page.older),
      newer: page.newer && formatCursor(page.newer),
    };
    return c.html(<RunsPage page={c.var.page} view={view} />, Object.keys(form.errors).length > 0 ? 422 : 200);
  });

  pages.get("/runs/:id", async (c) => {
    requireSort(c);
    const { query, error } = parseViewQuery(c.req.param("id"), c.req.query());
    const cursor = broadcaster.cursor();
    const { run, jobs } = await runs.read(c.req.param("id"));
    const isLive = run.finishedAt === null;
    const filter = filterView(c.req.query("q") ?? "", error, query, runAddress(run.id));
    c.header("Vary", "HX-Request", { append: true });
    if (!isLive) return answerReport(c, { run, jobs }, query, filter);
    const stream = streamAddress(query, cursor);
    const view = { run, ...jobsOf(query, jobs) };
    if (wantsFragment(c)) return c.html(liveFilter({ filter, runs: [view], strip: null, stream }));
    const findings = await findingsOfRun(db, run.id, FINDINGS);
    return c.html(
      <RunPage page={c.var.page} view={view} findings={findings} filter={filter} stream={stream} />,
      error === null ? 200 : 422,
    );
  });

  pages.get("/runs/:id/jobs/:symbol", (c) => answerJobPage(c, services, broadcaster));
  pages.get("/runs/:id/jobs/:symbol/batches", (c) => answerJobCard(c, services, broadcaster, "batches"));
  pages.get("/runs/:id/jobs/:symbol/why", (c) => answerJobCard(c, services, broadcaster, "why"));
  pages.get("/runs/:id/jobs/:symbol/log", (c) => answerJobLog(c, services));

  /** A finished run from the database, as a page or (`format=csv`) as a download. */
  async function answerReport(
    c: Context,
    { run, jobs }: Awaited<ReturnType<typeof runs.read>>,
    query: ViewQuery,
    filter: FilterView,
  ): Promise<Response> {
    const stored = await jobsOfRun(db, run.id);
    const byId = new Map(jobs.map((job) => [job.symbol, job]));
    const rows = stored.flatMap(({ symbol, attempts, fetchMs, finishedAt, error }): ReportRow[] => {
      const job = byId.get(symbol);
      const row = { attempts, fetchSeconds: fetchMs / 1_000, finishedAt, error };
      return job && query.filter.matches(job) ? [{ job, ...row }] : [];
    });
    const sortParameter = c.req.query("sort") ?? "";
    const column = REPORT_SORTS.find((each) => each === sortParameter.replace(/^-/, ""));
    rows.sort(column === undefined ? failuresFirst : by(column, sortParameter.startsWith("-") ? -1 : 1));
    if (chosen(c, "format", ["csv"]) === "csv") {
      if (filter.error !== null) throw invalid("q", filter.error);
      return csv(c, run, rows);
    }
    const shown = rows.slice(0, REPORT_ROWS);
    const sort = column === undefined ? "" : sortParameter;
    const hidden = rows.length - shown.length;
    const findings = await findingsOfRun(db, run.id, FINDINGS);
    const view = { run, findings, rows: shown, hidden, filter: { ...filter, sort }, sort };
    if (wantsFragment(c)) return c.html(liveReport(view));
    return c.html(<RunReportPage page={c.var.page} view={view} />, filter.error === null ? 200 : 422);
  }

  return pages;
}

const KEYS: Readonly<Record<ReportSort, (row: ReportRow) => number | string>> = {
  symbol: ({ job }) => job.symbol,
  points: ({ job }) => job.dataPoints,
  calls: ({ job }) => job.apiCalls,
  attempts: ({ attempts }) => attempts,
  asking: ({ fetchSeconds }) => fetchSeconds,
  time: ({ job }) => job.duration,
  ended: ({ finishedAt }) => finishedAt ?? 0,
};

const by = (sort: ReportSort, sign: 1 | -1) => (a: ReportRow, b: ReportRow) => {
  const [x, y] = [KEYS[sort](a), KEYS[sort](b)];
  return x < y ? -sign : x > y ? sign : 0;
};

/** Failures first, then skipped and cancelled jobs, then gaps; the rest in the order of the run. */
const failuresFirst = (a: ReportRow, b: ReportRow) => severityOf(b) - severityOf(a);
const SEVERITY: readonly JobState[] = ["cancelled", "skipped", "failed"];
const severityOf = ({ job }: ReportRow) => 1 + SEVERITY.indexOf(job.state) || Math.min(1, job.gaps ?? 0) / 2;

function csv(c: Context, run: RunSummary, rows: readonly ReportRow[]): Response {
  const cells = rows.map(({ job, attempts, fetchSeconds, finishedAt, error }) => {
    const { symbol, data_points, api_calls, duration } = progressToWire(job);
    const ended = finishedAt === null ? "" : new Date(finishedAt).toISOString();
    return [
      symbol,
      job.state,
      data_points,
      api_calls,
      attempts,
      fetchSeconds,
      duration,
      ended,
      job.gaps ?? 0,
      error ?? "",
    ];
  });
  const fields = "symbol,state,data_points,api_calls,attempts,fetch_seconds,duration,ended,gaps,error".split(",");
  // A spreadsheet would evaluate a cell that begins like a formula.
  const text = Papa.unparse([fields, ...cells], { escapeFormulae: true });
  return c.body(`${text}\r\n`, 200, {
    "Content-Type": "text/csv; charset=utf-8",
    "Content-Disposition": `attachment; filename="run-${run.id}.csv"`,
  });
}
