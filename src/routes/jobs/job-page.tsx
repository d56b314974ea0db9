/** @jsxImportSource hono/jsx */
/** The page of one job, its cards and its log. */

import type { Context } from "hono";
import { Refusal } from "../../domain/errors.ts";
import { type LogLine, lineContains } from "../../domain/log.ts";
import { parseSymbol } from "../../domain/market/symbol.ts";
import { coverageOf, coverageWords } from "../../domain/runs/coverage.ts";
import { isActive } from "../../domain/runs/states.ts";
import { waitConditions } from "../../domain/runs/wait-reason.ts";
import { type LogQuery, readLog } from "../../storage/log.ts";
import { findSeries } from "../../storage/market/series.ts";
import { ledgerOf } from "../../storage/runs/batches.ts";
import { findJob, findRun } from "../../storage/runs/runs.ts";
import { BatchCard } from "../../views/runs/batch-list.tsx";
import { JobDetails, JobPage, type JobView, Waiting } from "../../views/runs/job-page.tsx";
import { LOG_PANEL_LINES } from "../../views/runs/log-panel.tsx";
import { jobAddress } from "../../views/ui/dom.ts";
import type { LiveBroadcaster } from "../live/broadcaster.ts";
import { MONITOR, streamAddress } from "../live/view-query.ts";
import { wantsFragment } from "../page-context.ts";
import type { Services } from "../services.ts";
import { batchGroups } from "./batch-groups.ts";

/** Cells of the coverage strip on the job page; with more batches, a cell stands for several. */
const CELLS = 400;

type JobServices = Pick<Services, "db" | "hub" | "runs">;

/** Answers `/runs/:id/jobs/:symbol`; with `?details` only the part that is polled. */
export async function answerJobPage(c: Context, services: JobServices, broadcaster: LiveBroadcaster) {
  const cursor = broadcaster.cursor();
  const log = searchedFor(c);
  const view = await viewOf(services, broadcaster, c.req.param("id") ?? "", c.req.param("symbol") ?? "", log);
  if (c.req.query("details") !== undefined) return c.html(<JobDetails view={view} />);
  const { run, job } = view;
  const stream = streamAddress({ ...MONITOR, run: run.id, symbol: job.symbol, log }, cursor);
  return c.html(<JobPage page={c.var.page} view={view} stream={stream} />);
}

/** Answers a card of a row: its batches, or why it waits. Without JavaScript, redirects to the job page with both. */
export async function answerJobCard(
  c: Context,
  services: JobServices,
  broadcaster: LiveBroadcaster,
  card: "batches" | "why",
) {
  const view = await viewOf(services, broadcaster, c.req.param("id") ?? "", c.req.param("symbol") ?? "");
  const { run, job, groups, waiting } = view;
  if (!wantsFragment(c)) {
    return c.redirect(`${jobAddress(run.id, job.symbol)}#${card === "why" ? "why" : "coverage"}`, 303);
  }
  if (card === "why") return c.html(<Waiting conditions={waiting} />);
  const words = coverageWords(coverageOf(view.coverage.map(({ state }) => state)));
  return c.html(
    <BatchCard runId={run.id} symbol={job.symbol} words={words} groups={groups} again={!isActive(job.state)} />,
  );
}

/** Longest search in a log, characters. */
const MAX_SEARCH = 200;
const searchedFor = (c: Context) => (c.req.query("log") ?? "").trim().slice(0, MAX_SEARCH);

/** Answers a job's log as text, oldest line first; with `?log=` the lines that contain it. */
export async function answerJobLog(c: Context, services: JobServices) {
  const { db } = services;
  const runId = c.req.param("id") ?? "";
  const symbol = parseSymbol(c.req.param("symbol") ?? "");
  if (symbol === null || (await findRun(db, runId)) === undefined)
    throw new Refusal("not_found", "There is no such log");
  const wanted = { runId, symbol, text: searchedFor(c), debug: true, limit: 100_000 };
  const text = (await logOf(services, services.hub.lines(), wanted)).map(
    ({ at, level, message }) => `${new Date(at).toISOString()} ${level} ${message}\n`,
  );
  return c.body(text.join(""), 200, {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Disposition": `attachment; filename="${symbol}.log"`,
  });
}

type JobLogQuery = Required<Omit<LogQuery, "before">>;

/** The last lines about a symbol, oldest first: stored ones, then `recent` ones that may not be stored yet. */
async function logOf({ db }: JobServices, recent: readonly LogLine[], wanted: JobLogQuery): Promise<LogLine[]> {
  const { runId, symbol, text, debug, limit } = wanted;
  const before = recent[0]?.at ?? Number.POSITIVE_INFINITY;
  const rows = await readLog(db, wanted);
  const stored = rows.filter(({ at }) => at < before).map((row) => ({ ...row, level: row.level as LogLine["level"] }));
  const fresh = recent.filter(
    (line) =>
      line.runId === runId &&
      line.symbol === symbol &&
      (debug || line.level !== "debug") &&
      (text === "" || lineContains(text, line)),
  );
  return [...stored.reverse(), ...fresh].slice(-limit);
}

async function viewOf(
  services: JobServices,
  broadcaster: LiveBroadcaster,
  runId: string,
  text: string,
  log = "",
): Promise<JobView> {
  const { db, runs } = services;
  const symbol = parseSymbol(text);
  const { run, jobs } = await runs.readJob(runId, symbol ?? "");
  const job = jobs.find((each) => each.symbol === symbol);
  const [runRow, row] = await Promise.all([findRun(db, runId), findJob(db, runId, symbol ?? "")]);
  if (job === undefined || row === undefined || runRow === undefined) {
    throw new Refusal("not_found", `The run has no such symbol: ${text.slice(0, 40)}`);
  }
  const series = await findSeries(db, job.symbol, job.interval, run.provider);
  const ledger = series ? await ledgerOf(db, series.id, runId) : [];
  const wanted = { runId, symbol: job.symbol, text: log, debug: false, limit: LOG_PANEL_LINES };
  const groups = batchGroups(runRow, row, ledger);
  const coverage = batchGroups(runRow, row, ledger, CELLS);
  // A run that is not in memory has no coverage yet: it is computed from the ledger.
  const strip = coverage.length === 0 ? null : coverageOf(coverage.map(({ state }) => state));
  return {
    run,
    job: { ...job, coverage: job.coverage ?? strip },
    waiting: waitConditions(job, run, jobs),
    coverage,
    groups,
    fetchMs: row.fetchMs,
    stageMs: row.stageMs,
    attempts: row.attempts,
    workerCrashes: row.workerCrashes,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
    logs: await logOf(services, broadcaster.announced(), wanted),
    searched: log,
  };
}
