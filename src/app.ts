/** The only wiring: starts everything in one order and closes it in the reverse order. */

import { AlertWatch } from "./alerts/alert-watch.ts";
import { openAlerts } from "./app/open-alerts.ts";
import { openServerDatabase } from "./app/open-database.ts";
import { openLog } from "./app/open-log.ts";
import { openProviders } from "./app/open-providers.ts";
import { type BeforeRuns, openRuns, type Runs, startJobs } from "./app/open-runs.ts";
import { openWorkers } from "./app/open-workers.ts";
import { type AppOptions, close } from "./app/options.ts";
import { systemClock } from "./clock.ts";
import type { Config } from "./config.ts";
import { versionOf, versionText } from "./installation.ts";
import { reportError } from "./log.ts";
import { DerivedProfiles } from "./pipeline/analysis/derived-profiles.ts";
import { Reports } from "./pipeline/analysis/reports.ts";
import { loadAssets } from "./routes/assets.ts";
import { createRoutes } from "./routes/index.ts";
import type { Services } from "./routes/services.ts";
import { Backups } from "./scheduler/backups/backups.ts";
import { Lake } from "./scheduler/lake.ts";
import { PromiseService } from "./scheduler/promises/promise-service.ts";
import { Rejudging } from "./scheduler/rejudging.ts";
import { ScheduleRunner } from "./scheduler/schedules/schedule-runner.ts";
import { ScheduleService } from "./scheduler/schedules/schedule-service.ts";
import { StoredSeries } from "./scheduler/series/stored-series.ts";
import { Snapshots } from "./scheduler/snapshots.ts";
import { spaceOf } from "./storage/connection/space.ts";
import { pathOf } from "./storage/db.ts";
import { ProfileColumns } from "./storage/profiles/profile-columns.ts";

export type { AppOptions } from "./app/options.ts";

export interface App extends Services {
  /** Answers an HTTP request. */
  fetch(request: Request, server?: object): Response | Promise<Response>;
  /** Ends live streams, lets each worker finish its batch, writes what is pending, and closes. */
  close(): Promise<void>;
}

/** How long a database in trouble may delay the end, milliseconds. */
const LAST_WRITE_MS = 3_000;

/**
 * Starts the app and requeues unfinished work. Constructors have no effects: whatever holds a thread, a timer or a file
 * is adopted by the stack where it is started, so a start that fails closes what it had opened.
 * @throws Error that says what could not be started
 */
export async function createApp(config: Config, options: AppOptions = {}): Promise<App> {
  await using stack = new AsyncDisposableStack();
  const clock = options.clock ?? systemClock;
  // Read while the database is opened; the routes wait for them, and report an error.
  loadAssets().catch(() => {});

  const database = await openServerDatabase(stack, config, options);
  const { db } = database;
  const reporting = await openLog(stack, db, config, options);
  const { hub, log, storage, secrets } = reporting;
  const providers = await openProviders(stack, config, database, reporting);
  const { calendar, settings, usage, limiter, gate, counters } = providers;
  const version = versionOf(config.commit);
  const later = {
    onAlert: () => alerts.notify(),
    queue: () => run.queue,
    dispatcher: () => run.dispatcher,
    runs: () => run.runs,
  };
  const workers = await openWorkers(stack, { config, version, database, reporting, providers }, later, options);
  const { pool, hosts, exporter, analysis, companies } = workers;
  const alerts = await openAlerts(stack, config, { db, clock }, reporting);
  const place = { place: config.lake, features: config.lakeFeatures };
  const lake = stack.adopt(new Lake({ db, log, ...place, settings: workers.settings }), close);

  const before: BeforeRuns = { config, clock, options, database, reporting, providers, workers, alerts, lake };
  const run = await openRuns(stack, before);
  startJobs(stack, before, run);
  const scheduling = await startSchedules(stack, before, run);
  const stored = await openStored(stack, before, run);
  const snapshots = new Snapshots({ db, dbUrl: config.dbUrl, exporter, version: versionText(version) });
  await snapshots.clean(log);

  const services: Services = {
    ...{ config, version, calendar, db, storage, hub, log, counters },
    ownToken: options.ownToken,
    ...{ settings, usage, limiter, gate, provider: providers.find, redact: secrets.redact },
    ...{ pool, hosts, exporter, companies },
    ...{ outbox: alerts.outbox, channels: alerts.channels, mail: alerts.mail },
    ...{ queue: run.queue, dispatcher: run.dispatcher, runs: run.runs, lastHour: run.lastHour },
    ...scheduling,
    ...{ ...stored, lake, snapshots },
    reports: stack.adopt(new Reports(db, analysis), close),
  };
  const routes = stack.adopt(await createRoutes(services), close);

  const owned = stack.move();
  return {
    ...services,
    fetch: routes.fetch,
    close() {
      // What trouble of the database holds up does not hold up the end of the process.
      db.hurry(LAST_WRITE_MS);
      return owned.disposeAsync();
    },
  };
}

/** Starts what works by the clock: schedules, judging again what is stored, the lake, and promises. */
async function startSchedules(
  stack: AsyncDisposableStack,
  { config, clock, database, reporting, providers, workers, alerts, lake }: BeforeRuns,
  { runs, maintenance, promiseWatch }: Runs,
): Promise<Pick<Services, "rejudging" | "schedules" | "promises">> {
  const { db } = database;
  const { log } = reporting;
  const onAlert = () => alerts.notify();
  const defaultProvider = config.provider;
  const scheduleRunner = stack.adopt(new ScheduleRunner({ db, log, runs, defaultProvider, onAlert }, clock), close);
  await scheduleRunner.poll();
  const rejudging = stack.adopt(new Rejudging({ db, log, runs, settings: workers.settings, onAlert }), close);
  await rejudging.start();
  await lake.start();
  await providers.clockChanges.start((by) => {
    maintenance.clockSet(by);
    // What was counted in the future is put right before it is read.
    providers.usage.reload(maintenance.correctClock()).catch(reportError);
    void scheduleRunner.poll();
  });
  const shared = { db, provider: providers.find, clock, defaultProvider };
  const schedules = new ScheduleService({ ...shared, scheduleRunner });
  const promises = new PromiseService({ ...shared, watch: promiseWatch });
  await promiseWatch.check();
  return { rejudging, schedules, promises };
}

/** Opens what reads, watches, backs up and deletes what is stored. */
async function openStored(
  stack: AsyncDisposableStack,
  { config, clock, database, reporting, providers, workers, alerts, lake }: BeforeRuns,
  { runs, maintenance }: Runs,
): Promise<Pick<Services, "profiles" | "derived" | "backups" | "stored">> {
  const { db, writeLock } = database;
  const { log } = reporting;
  const { analysis, settings } = workers;
  const { outbox, channels } = alerts;
  const { dbUrl } = config;
  const onAlert = () => alerts.notify();
  const profiles = new ProfileColumns(db);
  const derived = stack.adopt(new DerivedProfiles(db, profiles, analysis), close);
  const watch = new AlertWatch({
    ...{ db, log, profiles, onAlert },
    calendar: providers.calendar,
    rules: () => [...(outbox.account === null ? [] : [outbox.rules]), ...channels.rules()],
    summary: () => outbox.rules.summary,
    space: async () => (db.local ? spaceOf(pathOf(dbUrl)) : null),
  });
  stack.adopt(watch, close).start();

  const backups = stack.adopt(
    await Backups.open({ db, log, dbUrl, writeLock: writeLock.shared, onAlert }, { clock }),
    close,
  );
  backups.start();
  const parts = { db, log, config, analysis, backups, lake, maintenance, runs, settings };
  const stored = stack.adopt(await StoredSeries.open(parts), close);
  return { profiles, derived, backups, stored };
}
