/** @jsxImportSource hono/jsx */
/** The page of one symbol in a run. */

import type { Context } from "hono";
import { Refusal } from "../domain/errors.ts";
import { parseSymbol } from "../domain/symbol.ts";
import type { LogLine } from "../domain/telemetry.ts";
import { whyWaiting } from "../domain/waiting.ts";
import { planBatches } from "../pipeline/plan.ts";
import { ledgerOf } from "../storage/coverage.ts";
import { readLog } from "../storage/log.ts";
import { findRun, jobsOfRun, type RunRow } from "../storage/runs.ts";
import { findSeries } from "../storage/series.ts";
import { type CoverageCell, JobDetails, JobPage, type JobView } from "../views/job.tsx";
import type { Frame } from "../views/layout.tsx";
import { LOG_PANEL_LINES } from "../views/log-panel.tsx";
import type { ScreenFeed } from "./feed.ts";
import { frameOf } from "./frame.ts";
import { MONITOR, streamAddress } from "./scene.ts";
import type { Services } from "./services.ts";

/** Cells of a coverage strip; a longer range shows its end. */
const CELLS = 400;

/** Answers `/runs/:id/jobs/:symbol`; with `?details` only the part that asks for itself again. */
export async function answerJobPage(c: Context, services: Services, feed: ScreenFeed, assets: Frame["assets"]) {
  const cursor = feed.cursor();
  const view = await viewOf(services, feed, c.req.param("id") ?? "", c.req.param("symbol") ?? "");
  if (c.req.query("details") !== undefined) return c.html(<JobDetails view={view} />);
  const { run, job } = view;
  const stream = streamAddress({ ...MONITOR, run: run.id, symbol: job.symbol }, cursor);
  return c.html(<JobPage frame={frameOf(c, assets)} view={view} stream={stream} />);
}

/** The log of one symbol in a run as text, oldest line first. */
export async function answerJobLog(c: Context, services: Services) {
  const { db } = services;
  const runId = c.req.param("id") ?? "";
  const symbol = parseSymbol(c.req.param("symbol") ?? "");
  if (symbol === null || (await findRun(db, runId)) === undefined)
    throw new Refusal("not_found", "There is no such log");
  const text = (await logOf(services, services.hub.lines(), runId, symbol, 100_000)).map(
    ({ at, level, message }) => `${new Date(at).toISOString()} ${level} ${message}\n`,
  );
  return c.body(text.join(""), 200, {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Disposition": `attachment; filename="${symbol}.log"`,
  });
}

/** The last lines about a symbol, oldest first: those on disk, then the `recent` ones that may not be there yet. */
async function logOf({ db }: Services, recent: readonly LogLine[], runId: string, symbol: string, limit: number) {
  const before = recent[0]?.at ?? Number.POSITIVE_INFINITY;
  const rows = await readLog(db, { runId, symbol, limit });
  const stored = rows.filter(({ at }) => at < before).map((row) => ({ ...row, level: row.level as LogLine["level"] }));
  return [...stored.reverse(), ...recent.filter((line) => line.runId === runId && line.symbol === symbol)].slice(
    -limit,
  );
}

async function viewOf(services: Services, feed: ScreenFeed, runId: string, text: string): Promise<JobView> {
  const { db, runs } = services;
  const symbol = parseSymbol(text);
  const { run, jobs } = await runs.read(runId);
  const job = jobs.find((each) => each.symbol === symbol);
  const [runRow, jobRows] = await Promise.all([findRun(db, runId), jobsOfRun(db, runId)]);
  const row = jobRows.find((each) => each.symbol === symbol);
  if (job === undefined || row === undefined || runRow === undefined) {
    throw new Refusal("not_found", `The run has no such symbol: ${text.slice(0, 40)}`);
  }
  const series = await findSeries(db, job.symbol, job.interval, run.provider);
  const ledger = series ? await ledgerOf(db, series.id, runId) : [];
  const logs = await logOf(services, feed.said(), runId, job.symbol, LOG_PANEL_LINES);
  return {
    run,
    job,
    waiting: whyWaiting(job, run, jobs),
    coverage: coverageOf(runRow, ledger).slice(-CELLS),
    fetchMs: row.fetchMs,
    attempts: row.attempts,
    deaths: row.deaths,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
    logs: logs.filter(({ level }) => level !== "debug"),
  };
}

/** The batches of a full run in order, those not asked for yet included; of other modes those that were asked for. */
function coverageOf(run: RunRow, ledger: Awaited<ReturnType<typeof ledgerOf>>): CoverageCell[] {
  const known = ledger.map(
    (row): CoverageCell => ({
      from: row.fromTs,
      to: row.toTs,
      status: row.status,
      bars: row.rows,
      rejected: row.rejected,
      attempts: row.attempts,
      error: row.error,
    }),
  );
  if (run.mode !== "full") return known;
  const byWindow = new Map(known.map((cell) => [`${cell.from}-${cell.to}`, cell]));
  return planBatches(run.rangeFrom, run.rangeTo, run.batchDays).map(
    ({ from, to }) =>
      byWindow.get(`${from}-${to}`) ?? { from, to, status: "pending", bars: 0, rejected: 0, attempts: 0, error: null },
  );
}
