/** One turn of a schedule: selects its symbols, starts the run, and records the result or why none was started. */

import type { AlertEvent } from "../../domain/alerts.ts";
import { RUN_DEFAULTS } from "../../domain/defaults.ts";
import { Refusal } from "../../domain/errors.ts";
import { listSymbols } from "../../domain/market/symbol.ts";
import type { Schedule, Turn, TurnCause } from "../../domain/schedules.ts";
import { utcMinute } from "../../domain/time.ts";
import type { Log } from "../../log.ts";
import { recordStatements } from "../../storage/alerts/outbox.ts";
import { symbolsOf } from "../../storage/companies/watchlists.ts";
import { type Database, StorageUnavailable, type Write } from "../../storage/db.ts";
import { storedSymbols, turnWrites, unfinishedRun } from "../../storage/schedules.ts";
import { activeSymbols } from "../runs/active-jobs.ts";
import type { RunService } from "../runs/run-service.ts";

/** Symbols named in a remark; further ones are counted. */
const NAMED = 5;
/** Further tries when another run takes some of the symbols at the same moment. */
const TRIES = 3;

export interface TurnDependencies {
  readonly db: Database;
  readonly log: Log;
  readonly runs: RunService;
  /** The provider of schedules that name none. */
  readonly defaultProvider: string;
  /** An alert event was recorded. */
  onAlert?(): void;
}

/** A turn to run: when it was due, its cause, and a remark. */
export interface DueTurn {
  readonly dueAt: number;
  readonly at: number;
  readonly cause: TurnCause;
  readonly note?: string;
}

/**
 * Starts the run of a schedule, or records why not. The turn is written in the transaction of its run. Symbols with an
 * active job are left out; while the schedule's last run is unfinished, nothing is started.
 */
export async function runTurn(dependencies: TurnDependencies, schedule: Schedule, due: DueTurn): Promise<Turn> {
  for (let left = TRIES; ; left--) {
    try {
      return await tryTurn(dependencies, schedule, due);
    } catch (error) {
      if (!(error instanceof Refusal) || error instanceof StorageUnavailable) throw error;
      if (error.kind === "conflict" && left > 1) continue;
      return await closeTurn(dependencies, schedule, due, "refused", error.message);
    }
  }
}

async function tryTurn(dependencies: TurnDependencies, schedule: Schedule, due: DueTurn): Promise<Turn> {
  const { db, log, runs } = dependencies;
  const { id, interval, mode, years, name } = schedule;
  const provider = schedule.provider ?? dependencies.defaultProvider;
  const unfinished = await unfinishedRun(db, id);
  if (unfinished !== undefined) {
    return closeTurn(dependencies, schedule, due, "skipped", `Its last run (${unfinished}) is not finished`);
  }
  const wanted = await symbolsFor(db, schedule, provider);
  if (wanted.length === 0) return closeTurn(dependencies, schedule, due, "skipped", whyEmpty(schedule, provider));
  const active = await activeSymbols(db, wanted, interval);
  const symbols = wanted.filter((symbol) => !active.has(symbol));
  const busy = active.size > 0 ? `${listSymbols([...active], NAMED)} left out: at work in other runs` : "";
  if (symbols.length === 0) return closeTurn(dependencies, schedule, due, "skipped", busy);
  const note = [due.note, busy].filter(Boolean).join(". ");
  const turn = { ...due, outcome: "started", note, run: null } as const;
  const request = { name, symbols, mode, interval, years, provider, batchDays: RUN_DEFAULTS.batchDays };
  const run = await runs.start(request, (runId) => writesOf(db, schedule, turn, runId));
  if (isMissed(turn)) dependencies.onAlert?.();
  log.write("info", `Schedule ${name}: started run ${run.id}${note === "" ? "" : `. ${note}`}`, run.id);
  return { ...turn, run: { id: run.id, state: run.state, complete: 0, failed: 0, seconds: null } };
}

/** Records a turn that starts nothing, also in the log. */
export async function closeTurn(
  { db, log, onAlert }: Pick<TurnDependencies, "db" | "log" | "onAlert">,
  schedule: Schedule,
  due: DueTurn,
  outcome: Exclude<Turn["outcome"], "started">,
  why: string,
): Promise<Turn> {
  const turn: Turn = { ...due, outcome, note: [due.note, why].filter(Boolean).join(". "), run: null };
  // A manual run reports its error to the caller; only scheduled turns are recorded.
  if (due.cause !== "by_hand") {
    await db.write(writesOf(db, schedule, turn));
    if (isMissed(turn)) onAlert?.();
    const level = outcome === "refused" ? "error" : "warn";
    log.write(level, `Schedule ${schedule.name}: the turn of ${utcMinute(due.dueAt)} was ${outcome}. ${turn.note}`);
  }
  return turn;
}

/** Whether no run was started at its time: the server was down, or the run was refused. */
const isMissed = ({ cause, outcome }: Turn) => cause === "catch_up" || (cause === "due" && outcome !== "started");

/** The statements that record a turn; a missed one also records an alert event. */
function writesOf(db: Database, schedule: Schedule, turn: Turn, runId: string | null = null): Write[] {
  const { at, dueAt, cause, outcome, note } = turn;
  const caughtUp = cause === "catch_up" && outcome === "started";
  const { id, name } = schedule;
  const events: AlertEvent[] = isMissed(turn)
    ? [{ kind: "schedule_missed", at, scheduleId: String(id), name, dueAt, caughtUp, reason: note }]
    : [];
  return [...turnWrites(db, id, turn, runId), ...recordStatements(events)];
}

/** The symbols that a turn of a schedule would run now. */
export async function symbolsFor(db: Database, schedule: Schedule, provider: string): Promise<readonly string[]> {
  switch (schedule.scope) {
    case "symbols":
      return schedule.symbols;
    case "watchlist":
      return schedule.watchlistId === null ? [] : symbolsOf(db, schedule.watchlistId);
    case "stored":
      return storedSymbols(db, schedule.interval, provider);
  }
}

function whyEmpty({ scope, watchlistId, interval }: Schedule, provider: string): string {
  if (scope === "stored") return `There is no stored ${interval} profile from ${provider} to bring up to date`;
  return watchlistId === null ? "Its watchlist was deleted: choose another" : "Its watchlist is empty";
}
