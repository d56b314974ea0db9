/** Run control: the job queue, the runs, and everything that happens while they work. */

import { QuotaAlerts } from "../alerts/quota-alerts.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { MAX_AT_WORK, MAX_ELSEWHERE } from "../domain/defaults.ts";
import { messageOf } from "../domain/errors.ts";
import { previewOf } from "../routes/runs/cost-preview.tsx";
import type { Lake } from "../scheduler/lake.ts";
import { LastHour } from "../scheduler/live/last-hour.ts";
import { MetricsPublisher } from "../scheduler/live/metrics-publisher.ts";
import { Maintenance } from "../scheduler/maintenance/maintenance.ts";
import { PromiseWatch } from "../scheduler/promises/promise-watch.ts";
import { Admission } from "../scheduler/queue/admission.ts";
import { Dispatcher } from "../scheduler/queue/dispatcher.ts";
import type { JobQueue } from "../scheduler/queue/job-queue.ts";
import { openJobQueue } from "../scheduler/queue/open-queue.ts";
import { symbolHandler } from "../scheduler/runs/job-handler.ts";
import { RunService } from "../scheduler/runs/run-service.ts";
import type { Alerts } from "./open-alerts.ts";
import type { ServerDatabase } from "./open-database.ts";
import type { Reporting } from "./open-log.ts";
import type { Providers } from "./open-providers.ts";
import type { Workers } from "./open-workers.ts";
import { type AppOptions, close } from "./options.ts";

export interface Runs {
  readonly queue: JobQueue;
  readonly dispatcher: Dispatcher;
  readonly runs: RunService;
  readonly lastHour: LastHour;
  readonly maintenance: Maintenance;
  readonly promiseWatch: PromiseWatch;
}

/** What runs are opened with. */
export interface BeforeRuns {
  readonly config: Config;
  readonly clock: Clock;
  readonly options: AppOptions;
  readonly database: ServerDatabase;
  readonly reporting: Reporting;
  readonly providers: Providers;
  readonly workers: Workers;
  readonly alerts: Alerts;
  readonly lake: Lake;
}

/** Opens run control; what a restart interrupted is queued again, and waits for `startJobs`. */
export async function openRuns(stack: AsyncDisposableStack, before: BeforeRuns): Promise<Runs> {
  const { config, clock, options, database, reporting, providers, workers, alerts } = before;
  const { db } = database;
  const { hub, log, storage } = reporting;
  const { calendar, limiter, usage, settings, find: provider, quotaOf } = providers;
  const onAlert = () => alerts.notify();
  const { queueTimes: times } = options;
  const queue = stack.adopt(await openJobQueue(config.queue, { db, log, onAlert, times }), close);
  const dispatcher = new Dispatcher(queue, ({ key }, error) => log.write("error", `${key}: ${messageOf(error)}`));
  const lastHour = new LastHour();
  const runs = createRuns(before, { dispatcher, lastHour, onRunEnd: () => promiseWatch.notify() });

  const retention = { logDays: config.logDays, runDays: config.runDays };
  const maintenance = new Maintenance({ db, log, dispatcher, retention, settings: workers.settings });
  stack.adopt(maintenance, close);
  maintenance.clockSet(providers.clockSetBy);
  maintenance.start();
  const quotaAlerts = new QuotaAlerts({ db, log, outbox: alerts.outbox });
  stack.adopt(new MetricsPublisher({ hub, runs, usage, limiter, dispatcher, quotaAlerts, lastHour }), close).start();

  const promiseWatch = new PromiseWatch({
    ...{ db, log, clock, calendar, provider, quotaOf, onAlert },
    defaultProvider: config.provider,
    registry: runs.registry,
    estimate: (request) => previewOf({ calendar, config, db, limiter, provider, settings }, request),
    trouble: () => storage.current()?.what ?? null,
  });
  stack.adopt(promiseWatch, close);
  // Before anything is fetched: what is stored now was stored when the server ended.
  await promiseWatch.judgePassed();
  await stack.adopt(runs, close).recover();
  return { queue, dispatcher, runs, lastHour, maintenance, promiseWatch };
}

function createRuns(
  { config, database, reporting, providers, workers, alerts, lake }: BeforeRuns,
  { dispatcher, lastHour, onRunEnd }: Pick<Runs, "dispatcher" | "lastHour"> & { onRunEnd(): void },
): RunService {
  const { pool } = workers;
  return new RunService({
    db: database.db,
    hub: reporting.hub,
    log: reporting.log,
    dispatcher,
    provider: providers.find,
    defaults: { provider: config.provider, maxWorkers: MAX_AT_WORK },
    onAlert: () => alerts.notify(),
    onBars: (bars) => lastHour.countBars(bars),
    onEnd: ({ state, run }) => {
      providers.counters.add("barkeep_jobs_finished_total", { provider: run.row.provider, outcome: state });
      lake.notify();
    },
    quotaOf: providers.quotaOf,
    onRunEnd: (runId) => {
      pool.forgetRun(runId);
      onRunEnd();
    },
    stopWork: (jobId, reason) => pool.stop(jobId, reason),
  });
}

/** Lets queued jobs start. */
export function startJobs(
  stack: AsyncDisposableStack,
  { database, reporting, providers, workers, alerts }: BeforeRuns,
  { dispatcher, runs }: Runs,
): void {
  const { log, storage } = reporting;
  const { pool, hosts } = workers;
  // Both at once: the dispatcher is idle when the pool has stopped its jobs, and the pool must not get new ones.
  stack.defer(async () => void (await Promise.all([dispatcher.close(), pool.close()])));
  const admission = new Admission({
    get threads() {
      return pool.threads;
    },
    get most() {
      return MAX_AT_WORK + hosts.capacity;
    },
    providerOf: (runId) => providers.find(runs.registry.runs.get(runId)?.row.provider ?? ""),
    counts: pool.counts,
    quotaOf: providers.quotaOf,
    canStore: () => storage.current() === null,
    place: () => hosts.keys.place(),
    poll: () => dispatcher.poll(),
  });
  stack.adopt(admission, close);
  pool.counts.watch((provider) => admission.changed(provider));
  const handler = symbolHandler({
    ...{ db: database.db, log, runs, pool },
    counters: providers.counters,
    onAlert: () => alerts.notify(),
    provider: providers.find,
    hasOthers: () => dispatcher.counts().active > 1,
    onStorageError: (error) => storage.note(error),
  });
  dispatcher.work(handler, MAX_AT_WORK + MAX_ELSEWHERE + pool.size, admission);
  reporting.onRecovery(() => {
    pool.storageRecovered();
    hosts.storageRecovered();
    dispatcher.poll();
  });
}
