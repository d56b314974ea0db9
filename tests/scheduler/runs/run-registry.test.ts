import { expect, test } from "bun:test";
import type { LogLevel } from "../../../src/domain/log.ts";
import { ProgressHub } from "../../../src/hub.ts";
import { createLog } from "../../../src/log.ts";
import type { Provider } from "../../../src/providers/provider.ts";
import { RunRegistry } from "../../../src/scheduler/runs/run-registry.ts";
import { runRow } from "../../../src/scheduler/runs/run-request.ts";
import type { JobRow } from "../../../src/storage/runs/runs.ts";

const REQUEST = { symbols: [], mode: "full", interval: "1d", years: 2, batchDays: 30 } as const;
const JOB = { id: 1, symbol: "AAPL", state: "running", progress: 0, dataPoints: 0, apiCalls: 0, gaps: null };

/** A registry with one job at work, and what it prints. */
function startRegistry(level: LogLevel) {
  const hub = new ProgressHub();
  const printed: string[] = [];
  const log = createLog({
    level,
    hub,
    print: (line) => void printed.push(line.replace(/^.*(info|debug) +AAPL: /, "")),
  });
  const registry = new RunRegistry({ hub, log });
  const row = runRow(REQUEST, { name: "acme" } as Provider, 2, Date.now());
  const run = registry.open(row, [{ ...JOB, runId: row.id } as unknown as JobRow], () => null);
  return { hub, registry, job: run.jobs.get("AAPL")!, printed };
}

const engineer = (done: number, first?: number) =>
  ({ stage: "engineer", done, total: 200, ...(first !== undefined && { first }) }) as const;

test("a report of several features is one event of each for a stream, and one line at debug", async () => {
  const { hub, registry, job, printed } = startRegistry("debug");
  const stream = hub.stream();
  registry.stage(job, engineer(3, 1));
  registry.stage(job, engineer(4));
  registry.stage(job, engineer(200, 199));
  const { events } = (await stream.next(0))!;
  const features = ["1/200: 0%", "2/200: 1%", "3/200: 1%", "4/200: 2%", "199/200: 99%", "200/200: 100%"];
  expect(events.flatMap((event) => (event.type === "progress" ? event.job.microStage : []))).toEqual(
    features.map((feature) => `Feature ${feature}`),
  );
  expect(printed).toEqual(
    features.map((feature, at) => `Engineering features - Feature ${feature} (${[50, 50, 50, 50, 64, 65][at]}%)`),
  );
  stream.close();
});

test("of several features that nobody follows, the first of the stage and the last are told", () => {
  const { hub, registry, job, printed } = startRegistry("info");
  const before = hub.seq;
  registry.stage(job, engineer(23, 1));
  registry.stage(job, engineer(140, 24));
  registry.stage(job, engineer(200, 141));
  expect(printed).toEqual([
    "Engineering features - Feature 1/200: 0% (50%)",
    "Engineering features - Feature 200/200: 100% (65%)",
  ]);
  const told = 4;
  const lines = 2;
  expect(hub.seq - before).toBe(told + lines);
  expect(hub.jobByKey(`${job.run.row.id}:AAPL`)?.microStage).toBe("Feature 200/200: 100%");
});
