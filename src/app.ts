/** The only wiring: starts everything in one order and closes it in the reverse order. */

import { hostname } from "node:os";
import { AlertWatch } from "./alerts/alert-watch.ts";
import { ChannelDispatcher } from "./alerts/channels/channel-dispatcher.ts";
import { MailDispatcher } from "./alerts/mail-dispatcher.ts";
import { MailSettings } from "./alerts/mail-settings.ts";
import { QuotaAlerts } from "./alerts/quota-alerts.ts";
import { type Clock, systemClock } from "./clock.ts";
import { placeSecrets } from "./config/places.ts";
import type { Config } from "./config.ts";
import { MAX_AT_WORK, MAX_ELSEWHERE } from "./domain/defaults.ts";
import { messageOf, type StorageTrouble } from "./domain/errors.ts";
import type { LogLine } from "./domain/log.ts";
import { createCalendar } from "./domain/market/calendar.ts";
import { ProgressHub } from "./hub.ts";
import { versionOf, versionText } from "./installation.ts";
import { createLog, plainPrinter, reportError } from "./log.ts";
import { countersFromZero } from "./metrics/counters.ts";
import { Analysis } from "./pipeline/analysis/analysis.ts";
import { DerivedProfiles } from "./pipeline/analysis/derived-profiles.ts";
import { Reports } from "./pipeline/analysis/reports.ts";
import { CompanyLoader } from "./pipeline/companies/loader.ts";
import { Exporter } from "./pipeline/exports/exporter.ts";
import { WorkerPool } from "./pipeline/workers/pool.ts";
import { ProviderCache } from "./providers/provider-cache.ts";
import type { QuotaRow } from "./providers/quotas/quota-state.ts";
import { RateLimiter } from "./providers/quotas/rate-limiter.ts";
import { listProviders, quotaRules, secretsOf, valuesForThreads } from "./providers/registry.ts";
import { Redactor } from "./redact.ts";
import { loadAssets } from "./routes/assets.ts";
import { createRoutes } from "./routes/index.ts";
import { previewOf } from "./routes/runs/cost-preview.tsx";
import type { Services } from "./routes/services.ts";
import { Backups } from "./scheduler/backups/backups.ts";
import { ClockChanges } from "./scheduler/clock-changes.ts";
import { DrainedNames } from "./scheduler/hosts/drained-names.ts";
import { RemoteHosts } from "./scheduler/hosts/hosts.ts";
import { Lake } from "./scheduler/lake.ts";
import { LastHour } from "./scheduler/live/last-hour.ts";
import { MetricsPublisher } from "./scheduler/live/metrics-publisher.ts";
import { Maintenance } from "./scheduler/maintenance/maintenance.ts";
import { PromiseService } from "./scheduler/promises/promise-service.ts";
import { PromiseWatch } from "./scheduler/promises/promise-watch.ts";
import { Admission } from "./scheduler/queue/admission.ts";
import { Dispatcher } from "./scheduler/queue/dispatcher.ts";
import { openJobQueue, type QueueTimes } from "./scheduler/queue/open-queue.ts";
import { rateLimitGate } from "./scheduler/quotas/rate-limit-gate.ts";
import { spendRecord } from "./scheduler/quotas/spend-record.ts";
import { Rejudging } from "./scheduler/rejudging.ts";
import { symbolHandler } from "./scheduler/runs/job-handler.ts";
import type { RunRequest } from "./scheduler/runs/run-request.ts";
import { RunService } from "./scheduler/runs/run-service.ts";
import { ScheduleRunner } from "./scheduler/schedules/schedule-runner.ts";
import { ScheduleService } from "./scheduler/schedules/schedule-service.ts";
import { StoredSeries } from "./scheduler/series/stored-series.ts";
import { ProviderSettings } from "./scheduler/settings/provider-settings.ts";
import { Snapshots } from "./scheduler/snapshots.ts";
import { WriteLock } from "./storage/connection/file/write-lock.ts";
import { StorageHealth } from "./storage/connection/health.ts";
import { takeLease } from "./storage/connection/lease.ts";
import { spaceOf } from "./storage/connection/space.ts";
import { hasTable, openDatabase, pathOf, refuseNewerSchema } from "./storage/db.ts";
import { correctFutureMoments } from "./storage/future-moments.ts";
import { LogStore } from "./storage/log.ts";
import { emptyLog } from "./storage/maintenance.ts";
import { ProfileColumns } from "./storage/profiles/profile-columns.ts";
import { readQuotas } from "./storage/quotas/limiter-state.ts";
import { forgetPlans } from "./storage/quotas/plan-facts.ts";
import { UsageStore } from "./storage/quotas/usage.ts";
import { openCipher } from "./storage/settings.ts";
import { upgradeDatabase } from "./storage/upgrade.ts";

export interface App extends Services {
  /** Answers an HTTP request. */
  fetch(request: Request, server?: object): Response | Promise<Response>;
  /** Ends live streams, lets each worker finish its batch, writes what is pending, and closes. */
  close(): Promise<void>;
}

export interface AppOptions {
  /** The worker's module; tests replace it. */
  readonly workerScript?: URL;
  /** Where log lines are printed; stderr by default. */
  readonly print?: (text: string) => void;
  /** Called when another server has taken the database over: nothing can be written any more. */
  readonly onLeaseLost?: () => void;
  /** What the command line sends to be let in, when the app runs in its process. */
  readonly ownToken?: string;
  /** How long a worker on another machine may be silent, milliseconds. */
  readonly workerLeaseMs?: number;
  /** Times of a job queue in another process; tests shorten them. */
  readonly queueTimes?: QueueTimes;
  /** The clock of schedules and mails; tests replace it. */
  readonly clock?: Clock;
}

/** Pages of the write-ahead log (of 4 KiB) that the main thread leaves to the workers. */
const MAX_LOG_PAGES = 20_000;

/** How long a database in trouble may delay the end, milliseconds. */
const LAST_WRITE_MS = 3_000;

const close = (each: { close(): void | Promise<void> }) => each.close();

/**
 * Starts the app and requeues unfinished work. Constructors have no effects: whatever holds a thread, a timer or a file
 * is adopted by the stack where it is started, so a start that fails closes what it had opened.
 * @throws Error that says what could not be started
 */
export async function createApp(config: Config, options: AppOptions = {}): Promise<App> {
  await using stack = new AsyncDisposableStack();
  const { dbUrl, dbToken, sessions, logDays, runDays, provider: defaultProvider } = config;
  const clock = options.clock ?? systemClock;
  // Read while the database is opened; the routes wait for them, and report an error.
  loadAssets().catch(() => {});

  const writeLock = new WriteLock();
  const db = stack.adopt(await openDatabase(dbUrl, dbToken, writeLock), close);
  // The file alone is then whole: who copies it after a clean stop leaves nothing behind.
  stack.defer(() => emptyLog(db));
  await refuseNewerSchema(db);
  const print = plainPrinter(config.logFormat, options.print);
  const onLost = options.onLeaseLost ?? (() => {});
  const hold = async () => {
    const lease = await takeLease(db, { host: hostname(), print, onLost });
    stack.defer(() => lease.release());
    return lease;
  };
  // Before anything is changed; only a new database has no place for a lease yet.
  const held = (await hasTable(db, "settings")) ? await hold() : null;
  await upgradeDatabase(db, print);
  // The workers move the write-ahead log into the file: this thread would block while the disk is slow.
  if (db.local) await db.script(`PRAGMA wal_autocheckpoint = ${MAX_LOG_PAGES}`);
  const lease = held ?? (await hold());

  const hub = stack.adopt(new ProgressHub(), close);
  const secrets = new Redactor();
  secrets.add([config.secret, config.password, config.token, dbToken, ...secretsOf(config.providerValues)]);
  secrets.add(placeSecrets(config));
  const { redact } = secrets;
  const logStore = stack.adopt(new LogStore(db, reportError), close);
  const save = (line: LogLine) => logStore.save(line);
  const log = createLog({ level: config.logLevel, format: config.logFormat, hub, save, redact, print: options.print });
  for (const line of await correctFutureMoments(db, Date.now())) log.write("warn", line);
  const reactions: { onTrouble(isOver: boolean): void } = { onTrouble() {} };
  const storage = stack.adopt(
    new StorageHealth({ db, log, onChange: (trouble) => reactions.onTrouble(trouble === null) }),
    close,
  );
  const usage = stack.adopt(await UsageStore.open(db, reportError), close);

  const settings = await ProviderSettings.open(db, config, log);
  secrets.add(secretsOf(settings.values));
  const workerSettings = () => ({
    dbUrl,
    dbToken,
    dbFile: db.file,
    sessions,
    lease: lease.value,
    writeLock: writeLock.shared,
    ...valuesForThreads(settings.values),
  });
  const calendar = createCalendar(sessions);
  const providers = new ProviderCache(() => settings.values, calendar);
  const findProvider = (name: string) => providers.find(name);

  const clockChanges = stack.adopt(new ClockChanges({ db, log, clock: systemClock }), close);
  const spends = spendRecord(db, usage, clockChanges);
  const limiter = stack.adopt(new RateLimiter(quotaRules(settings.values), spends), close);
  const restoreLimiter = async (clockSet = 0) => limiter.restore((await readQuotas(db)) as QuotaRow[], clockSet);
  const clockSetBy = await clockChanges.sinceLastStart(limiter);
  await restoreLimiter(clockSetBy);
  const quotaOf = (provider: string) => limiter.state(provider);
  const counters = countersFromZero(listProviders(config.providerValues).map(({ name }) => name));
  const gate = rateLimitGate(limiter, usage, counters, () => lease.confirm());
  const pool = new WorkerPool(config.workers, workerSettings(), gate, options.workerScript);

  const onStorage = (thread: object, trouble: StorageTrouble | null) => storage.report(thread, trouble);
  const version = versionOf(config.commit);
  const about = { version: versionText(version), settings: workerSettings, leaseMs: options.workerLeaseMs };
  const hosting = { db, log, pool, onStorage, onAlert: () => onAlert(), drained: await DrainedNames.open(db) };
  const keys = { jobQueue: () => queue, labelsOf: (key: string) => runs.registry.find(key)?.run.row };
  const claim = (key: string, host: object) => dispatcher.claim(key, host);
  const hosts = stack.adopt(new RemoteHosts({ ...hosting, ...about, ...keys, claim }), close);
  pool.watchStorage(onStorage);
  settings.onChange(async ({ name, title }, values) => {
    secrets.add(secretsOf(values));
    pool.configure(valuesForThreads(values));
    hosts.configure();
    providers.forget(name);
    const rules = quotaRules(values).find(({ provider }) => provider === name);
    if (rules) limiter.define(rules);
    // Another key has another plan, and so may the same one when it is entered again.
    await forgetPlans(db, name);
    // The new key may have been used earlier today.
    await restoreLimiter();
    log.write("info", `The settings of ${title} were changed`);
  });

  const exporter = stack.adopt(new Exporter(workerSettings(), undefined, log), close);
  const analysis = stack.adopt(new Analysis(workerSettings()), close);
  const companies = stack.adopt(
    new CompanyLoader({ gate, settings: workerSettings, log: (level, message) => log.write(level, message) }),
    close,
  );

  const outbox = stack.adopt(await MailDispatcher.open({ db, log, clock }), close);
  const channels = stack.adopt(
    await ChannelDispatcher.open({
      db,
      log,
      clock,
      cipher: config.secret === undefined ? null : await openCipher(db, config.secret),
      onSecrets: (found) => secrets.add(found),
    }),
    close,
  );
  const onAlert = () => {
    outbox.notify();
    channels.notify();
  };
  const mail = await MailSettings.open({
    db,
    config,
    log,
    async onChange(account, passwords, unreadable) {
      secrets.add(passwords);
      await outbox.use(account, unreadable);
    },
  });

  const lake = stack.adopt(
    new Lake({ db, log, place: config.lake, features: config.lakeFeatures, settings: workerSettings }),
    close,
  );
  const queue = stack.adopt(await openJobQueue(config.queue, { db, log, onAlert, times: options.queueTimes }), close);
  const dispatcher = new Dispatcher(queue, ({ key }, error) => log.write("error", `${key}: ${messageOf(error)}`));
  const lastHour = new LastHour();
  const runs = new RunService({
    db,
    hub,
    log,
    dispatcher,
    provider: findProvider,
    defaults: { provider: defaultProvider, maxWorkers: MAX_AT_WORK },
    onAlert,
    onBars: (bars) => lastHour.countBars(bars),
    onEnd: ({ state, run }) => {
      counters.add("barkeep_jobs_finished_total", { provider: run.row.provider, outcome: state });
      lake.notify();
    },
    quotaOf,
    onRunEnd: (runId) => {
      pool.forgetRun(runId);
      promiseWatch.notify();
    },
    stopWork: (jobId, reason) => pool.stop(jobId, reason),
  });
  const retention = { logDays, runDays };
  const maintenance = stack.adopt(new Maintenance({ db, log, dispatcher, retention, settings: workerSettings }), close);
  maintenance.clockSet(clockSetBy);
  maintenance.start();
  const quotaAlerts = new QuotaAlerts({ db, log, outbox });
  stack.adopt(new MetricsPublisher({ hub, runs, usage, limiter, dispatcher, quotaAlerts, lastHour }), close).start();
  const shared = { db, provider: findProvider, clock, defaultProvider };
  const estimate = (request: RunRequest) =>
    previewOf({ calendar, config, db, limiter, provider: findProvider, settings }, request);
  const trouble = () => storage.current()?.what ?? null;
  const watching = { ...shared, calendar, log, registry: runs.registry, quotaOf, estimate, trouble, onAlert };
  const promiseWatch = stack.adopt(new PromiseWatch(watching), close);
  // Before anything is fetched: what is stored now was stored when the server ended.
  await promiseWatch.judgePassed();
  await stack.adopt(runs, close).recover();

  // Both at once: the dispatcher is idle when the pool has stopped its jobs, and the pool must not get new ones.
  stack.defer(async () => void (await Promise.all([dispatcher.close(), pool.close()])));
  const admission = stack.adopt(
    new Admission({
      get threads() {
        return pool.threads;
      },
      get most() {
        return MAX_AT_WORK + hosts.capacity;
      },
      providerOf: (runId) => findProvider(runs.registry.runs.get(runId)?.row.provider ?? ""),
      counts: pool.counts,
      quotaOf,
      canStore: () => storage.current() === null,
      place: () => hosts.keys.place(),
      poll: () => dispatcher.poll(),
    }),
    close,
  );
  pool.counts.watch((provider) => admission.changed(provider));
  const handler = symbolHandler({
    ...{ db, log, runs, pool, counters, onAlert },
    provider: findProvider,
    hasOthers: () => dispatcher.counts().active > 1,
    onStorageError: (error) => storage.note(error),
  });
  dispatcher.work(handler, MAX_AT_WORK + MAX_ELSEWHERE + pool.size, admission);
  reactions.onTrouble = (isOver) => {
    if (!isOver) return;
    pool.storageRecovered();
    hosts.storageRecovered();
    dispatcher.poll();
  };

  const dependencies = { db, log, runs, defaultProvider, onAlert };
  const scheduleRunner = stack.adopt(new ScheduleRunner(dependencies, clock), close);
  await scheduleRunner.poll();
  const rejudging = stack.adopt(new Rejudging({ db, log, runs, settings: workerSettings, onAlert }), close);
  await rejudging.start();
  await lake.start();
  await clockChanges.start((by) => {
    maintenance.clockSet(by);
    // What was counted in the future is put right before it is read.
    usage.reload(maintenance.correctClock()).catch(reportError);
    void scheduleRunner.poll();
  });
  const schedules = new ScheduleService({ ...shared, scheduleRunner });
  const promises = new PromiseService({ ...shared, watch: promiseWatch });
  await promiseWatch.check();

  const profiles = new ProfileColumns(db);
  const derived = stack.adopt(new DerivedProfiles(db, profiles, analysis), close);
  const watch = new AlertWatch({
    db,
    log,
    profiles,
    calendar,
    rules: () => [...(outbox.account === null ? [] : [outbox.rules]), ...channels.rules()],
    summary: () => outbox.rules.summary,
    space: async () => (db.local ? spaceOf(pathOf(dbUrl)) : null),
    onAlert,
  });
  stack.adopt(watch, close).start();

  const backups = stack.adopt(
    await Backups.open({ db, log, dbUrl, writeLock: writeLock.shared, onAlert }, { clock }),
    close,
  );
  backups.start();
  const seriesParts = { db, log, config, analysis, backups, lake, maintenance, runs, settings: workerSettings };
  const stored = stack.adopt(await StoredSeries.open(seriesParts), close);

  const snapshots = new Snapshots({ db, dbUrl, exporter, version: versionText(version) });
  await snapshots.clean(log);

  const services: Services = {
    config,
    calendar,
    version,
    ownToken: options.ownToken,
    counters,
    db,
    storage,
    queue,
    hub,
    log,
    runs,
    schedules,
    promises,
    pool,
    hosts,
    dispatcher,
    usage,
    lastHour,
    limiter,
    gate,
    exporter,
    profiles,
    derived,
    reports: stack.adopt(new Reports(db, analysis), close),
    companies,
    rejudging,
    lake,
    stored,
    settings,
    backups,
    snapshots,
    redact,
    provider: findProvider,
    outbox,
    channels,
    mail,
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
