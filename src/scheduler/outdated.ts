/** Profiles whose features an older version of the catalogue computed, engineered again from their stored bars. */

import { MAX_SYMBOLS } from "../domain/market/symbol.ts";
import type { RunSummary } from "../domain/runs/run-summary.ts";
import { CATALOG_VERSION } from "../features/catalog.ts";
import type { Database } from "../storage/db.ts";
import { outdatedProfiles } from "../storage/profiles/profiles.ts";
import { activeJobs } from "../storage/runs/runs.ts";
import type { Runs } from "./runs.ts";

/** Starts a run for each provider and interval that has some; symbols at work already are left to that. */
export async function reprocessOutdated(db: Database, runs: Runs): Promise<RunSummary[]> {
  const started: RunSummary[] = [];
  for (const { provider, interval, symbols } of await outdatedProfiles(db, String(CATALOG_VERSION))) {
    const busy = new Set((await activeJobs(db, symbols, interval)).map(({ symbol }) => symbol));
    const free = symbols.filter((symbol) => !busy.has(symbol));
    for (let at = 0; at < free.length; at += MAX_SYMBOLS) {
      const part = free.slice(at, at + MAX_SYMBOLS);
      started.push(await runs.start({ symbols: part, mode: "reprocess", interval, provider, years: 2, batchDays: 30 }));
    }
  }
  return started;
}
