/** The cells of a job's coverage strip, with what the ledger records for each. */

import { batchesOfCell, MAX_CELLS, worst } from "../../domain/runs/coverage.ts";
import { requests } from "../../domain/runs/refetch.ts";
import { batchesOf } from "../../scheduler/runs/job-batches.ts";
import type { ledgerOf } from "../../storage/runs/batches.ts";
import type { JobRow, RunRow } from "../../storage/runs/runs.ts";
import type { BatchGroup } from "../../views/runs/batch-list.tsx";

const STATES = { ok: "fetched", empty: "empty", failed: "failed", not_in_plan: "not_in_plan" } as const;

export function batchGroups(
  run: RunRow,
  job: JobRow,
  ledger: Awaited<ReturnType<typeof ledgerOf>>,
  most = MAX_CELLS,
): BatchGroup[] {
  const windows = ledger.map(({ fromTs, toTs, status }) => ({ from: fromTs, to: toTs, state: STATES[status] }));
  const rowOf = new Map(ledger.map((row) => [`${row.fromTs}-${row.toTs}`, row]));
  const batches = batchesOf(run, job, windows);
  return Array.from({ length: Math.min(batches.length, most) }, (_, cell) => {
    const { from, to } = batchesOfCell(cell, batches.length, most);
    const part = batches.slice(from, to);
    const rows = part.flatMap((batch) => rowOf.get(`${batch.from}-${batch.to}`) ?? []);
    return {
      from: part[0]!.from,
      to: part.at(-1)!.to,
      batches: part.length,
      state: worst(part.map(({ state }) => state)),
      unanswered: part.filter(({ state }) => requests("unanswered", state)).length,
      bars: rows.reduce((sum, row) => sum + row.rows, 0),
      rejected: rows.reduce((sum, row) => sum + row.rejected, 0),
      attempts: Math.max(0, ...rows.map((row) => row.attempts)),
      error: rows.find((row) => row.error !== null)?.error ?? null,
    };
  });
}
