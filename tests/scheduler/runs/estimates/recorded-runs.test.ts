import { expect, test } from "bun:test";
import type { Stage } from "../../../../src/domain/runs/progress.ts";
import { ProgressHub } from "../../../../src/hub.ts";
import { createLog } from "../../../../src/log.ts";
import type { Provider } from "../../../../src/providers/provider.ts";
import { RunRegistry } from "../../../../src/scheduler/runs/run-registry.ts";
import { runRow } from "../../../../src/scheduler/runs/run-request.ts";
import { VirtualClock } from "../../../helpers/virtual-clock.ts";
import recorded from "./recorded-runs.json";
import { storedJob } from "./stored-job.ts";

const START = Date.UTC(2026, 0, 5, 12);

/** A report of a recording: `s` began, `f3/12` batches fetched, `en` engineer, `cr` create, `st` store, `co` complete. */
function stageOf(code: string): Stage {
  const [, done, total] = /^f(\d+)\/(\d+)$/.exec(code) ?? [];
  if (done !== undefined) return { stage: "fetch", done: Number(done), total: Number(total) };
  if (code === "en") return { stage: "engineer", done: 0, total: 200 };
  if (code === "cr") return { stage: "create" };
  return code === "st" ? { stage: "store" } : { stage: "complete", seconds: 1 };
}

/** The estimates of a recorded run: when each was made, and what it said, in milliseconds, once `after` batches were done. */
async function estimatesOf(run: { symbols: number; computeMs: number; events: (string | number)[][] }, after: number) {
  const clock = new VirtualClock(START);
  const hub = new ProgressHub();
  const log = createLog({ level: "error", hub, save: () => {}, redact: (text) => text, print: () => {} });
  const registry = new RunRegistry({ hub, log, now: () => clock.now() });
  const order = { symbols: [], mode: "full", interval: "1d", years: 1, batchDays: 30 } as const;
  const row = runRow(order, { name: "acme" } as Provider, 64, START);
  const rows = Array.from({ length: run.symbols }, (_, id) => storedJob({ id, runId: row.id, symbol: `S${id}` }));
  const record = registry.open(row, rows, () => ({ cells: "", total: 12, answered: 0, failed: 0 }));
  record.meter.expect(run.computeMs);
  const jobs = [...record.jobs.values()];
  const made: { at: number; left: number; low: number; high: number }[] = [];
  for (const [at, symbol, code] of run.events as [number, number, string][]) {
    await clock.advance(at - (clock.now() - START));
    const job = jobs[symbol]!;
    if (code === "s") {
      job.state = "running";
      registry.startWork(job);
    } else if (code === "co") {
      registry.stopWork(job);
      job.state = "complete";
      registry.stage(job, stageOf(code));
    } else registry.stage(job, stageOf(code));
    const { eta } = registry.summary(record);
    if (record.meter.batches >= after && eta !== null) {
      made.push({ at, left: eta.seconds * 1_000, low: eta.low * 1_000, high: eta.high * 1_000 });
    }
  }
  registry.close();
  hub.close();
  return { made, end: run.events.at(-1)![0] as number };
}

test.each(Object.entries(recorded))(
  "after eight batches the end of the recorded run %s is within 20 %%",
  async (_name, run) => {
    const { made, end } = await estimatesOf(run, 8);
    const first = made[0]!;
    expect(Math.abs(first.at + first.left - end) / end).toBeLessThan(0.2);
    // And from then on, nearly always: at the end of a wave of symbols the estimate may be off for a moment.
    const errors = made.map(({ at, left }) => Math.abs(at + left - end) / end).sort((a, b) => a - b);
    expect(errors[Math.floor(0.95 * errors.length)]).toBeLessThan(0.2);
    expect(first.low).toBeLessThanOrEqual(end - first.at);
    expect(first.high).toBeGreaterThanOrEqual(end - first.at);
  },
);
