/** A symbol has one active job at an interval; a request for a second one is refused with the run that has it. */

import { Refusal } from "../../domain/errors.ts";
import type { Interval } from "../../domain/market/interval.ts";
import { listSymbols } from "../../domain/market/symbol.ts";
import type { JobState } from "../../domain/runs/states.ts";
import type { Database } from "../../storage/db.ts";
import { activeJobs } from "../../storage/runs/runs.ts";

/** Symbols named in a refusal; more are only counted. */
const NAMED = 5;

/** Those of `symbols` that are queued, running or paused at `interval`. */
export async function activeSymbols(
  db: Database,
  symbols: readonly string[],
  interval: Interval,
): Promise<ReadonlySet<string>> {
  return new Set((await activeJobs(db, symbols, interval)).map(({ symbol }) => symbol));
}

/** @throws Refusal if any of `symbols` is queued, running or paused at `interval` */
export async function refuseActive(db: Database, symbols: readonly string[], interval: Interval): Promise<void> {
  const active = await activeJobs(db, symbols, interval);
  const first = active[0];
  if (first === undefined) return;
  const names = active.map(({ symbol }) => symbol);
  const [verb, it] = active.length === 1 ? ["is", "it"] : ["are", "them"];
  throw new Refusal(
    "conflict",
    `${listSymbols(names, NAMED)} ${verb} already ${describeState(first.state)} at ${interval} in run ${first.runId}: ` +
      `wait for ${it}, or cancel ${it} there first`,
    active.slice(0, 50).map((job) => ({
      path: `symbols.${symbols.indexOf(job.symbol)}`,
      message: `${job.symbol} is ${describeState(job.state)} in run ${job.runId}`,
    })),
  );
}

const describeState = (state: JobState) => (state === "queued" ? "waiting" : state);
