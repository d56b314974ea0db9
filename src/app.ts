/** The only wiring: opens storage, hub, engine and pool, and closes them in reverse. */

import { hostname } from "node:os";
import { MailDispatcher } from "./alerts/mail-dispatcher.ts";
import { MailSettings } from "./alerts/mail-settings.ts";
import { QuotaAlerts } from "./alerts/quota-alerts.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Config } from "./config.ts";
import { messageOf } from "./domain/errors.ts";
import type { LogLine } from "./domain/log.ts";
import { createCalendar } from "./domain/market/calendar.ts";
import { ProgressHub } from "./hub.ts";
import { createLog } from "./log.ts";
import { CompanyLoader } from "./pipeline/companies/loader.ts";
import { Exporter } from "./pipeline/exports/exporter.ts";
import { WorkerPool } from "./pipeline/workers/pool.ts";
import type { ProviderEntry } from "./providers/entry.ts";
import { ProviderCache } from "./providers/provider-cache.ts";
import type { QuotaRow } from "./providers/quotas/account.ts";
import { RateLimiter } from "./providers/quotas/rate-limiter.ts";
import { quotaRules, secretsOf } from "./providers/registry.ts";
import type { SettingValues } from "./providers/setting.ts";
import { Redactor } from "./redact.ts";
import { createRoutes } from "./routes/index.ts";
import type { Services } from "./routes/services.ts";
import { LastHour } from "./scheduler/live/last-hour.ts";
import { MetricsPublisher } from "./scheduler/live/metrics-publisher.ts";
import { Maintenance } from "./scheduler/maintenance.ts";
import { InProcessQueue } from "./scheduler/queue/in-process-queue.ts";
import { rateLimitGate } from "./scheduler/quotas/rate-limit-gate.ts";
import { symbolHandler } from "./scheduler/runs/job-handler.ts";
import { RunService } from "./scheduler/runs/run-service.ts";
import { ScheduleRunner } from "./scheduler/schedules/schedule-runner.ts";
import { ScheduleService } from "./scheduler/schedules/schedule-service.ts";
import { ProviderSettings } from "./scheduler/settings/provider-settings.ts";
import { migrateDatabase, openDatabase } from "./storage/db.ts";
import { takeLease } from "./storage/lease.ts";
import { LogStore } from "./storage/log.ts";
import { readQuotas, saveLimiterState } from "./storage/quotas/limiter-state.ts";
import { UsageStore } from "./storage/quotas/usage.ts";

export interface App extends Services {
  /** Answers an HTTP request. */
  fetch(request: Request): Response | Promise<Response>;
  /** Ends live streams, lets each worker finish its batch, writes what is pending, and closes. */
  close(): Promise<void>;
}

export interface AppOptions {
  /** The worker's module, where a test puts another in its place. */
  readonly workerScript?: URL;
  /** Where log lines are printed; stderr by default. */
  readonly print?: (text: string) => void;
  /** The clock of the schedules, where a test brings its own. */
  readonly clock?: Clock;
}

/** Opens everything and puts unfinished work back to work. */
export async function createApp(config: Config, options: AppOptions = {}): Promise<App> {
  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const db = await openDatabase(config.dbUrl, config.dbToken);
    closers.push(() => db.close());
    await migrateDatabase(db);
    closers.push(await takeLease(db, hostname()));

    const hub = new ProgressHub();
    closers.push(() => hub.close());
    // Not through the log: it could not be kept either.
    const reportError = (error: unknown) =>
      void process.stderr.write(`cannot write to the database: ${messageOf(error)}\n`);
    const logStore = new LogStore(db, reportError);
    closers.push(() => logStore.flush());
    const secrets = new Redactor();
    secrets.learn([config.secret, config.password, config.dbToken, ...secretsOf(config.providerValues)]);
    const { redact } = secrets;
    const keep = (line: LogLine) => logStore.keep(line);
    const log = createLog({ level: config.logLevel, hub, keep, redact, print: options.print });
    const usage = await UsageStore.open(db, reportError);
    closers.push(() => usage.flush());

    const settings = await ProviderSettings.open({ db, config, onChange: applySettings }, log);
    secrets.learn(secretsOf(settings.values));
    const { dbUrl, dbToken, sessions } = config;
    const workerSettings = () => ({ dbUrl, dbToken, sessions, providerValues: settings.values });
    const limiter = new RateLimiter(quotaRules(settings.values), { persist: (rows) => saveLimiterState(db, rows) });
    limiter.restore((await readQuotas(db)) as QuotaRow[]);
    closers.push(() => limiter.close());
    const gate = rateLimitGate(limiter, usage);
    const pool = new WorkerPool(config.workers, workerSettings(), gate, options.workerScript);
    const exporter = new Exporter(workerSettings());
    closers.push(() => exporter.close());
    const providers = new ProviderCache(() => settings.values, createCalendar(sessions));
    const companies = new CompanyLoader({
      gate,
      settings: workerSettings,
      log: (level, message) => log.write(level, message),
    });
    closers.push(() => companies.close());
    /** A change on the settings page holds from the next request on. */
    async function applySettings({ name, title }: ProviderEntry, values: SettingValues) {
      secrets.learn(secretsOf(values));
      pool.configure(values);
      providers.forget(name);
      const rules = quotaRules(values).find(({ provider }) => provider === name);
      if (rules) limiter.define(rules);
      // A key that was used before today has spent what it has spent.
      limiter.restore((await readQuotas(db)) as QuotaRow[]);
      log.write("info", `The settings of ${title} were changed`);
    }
    const clock = options.clock ?? systemClock;
    const onAlert = () => outbox.notify();
    const outbox = await MailDispatcher.open({ db, log, clock });
    const mail = await MailSettings.open({
      db,
      config,
      log,
      async onChange(account, passwords, unreadable) {
        secrets.learn(passwords);
        await outbox.use(account, unreadable);
      },
    });
    closers.push(() => outbox.close());
    const queue = new InProcessQueue(({ key }, error) => log.write("error", `${key}: ${messageOf(error)}`));
    const lastHour = new LastHour();
    const runs = new RunService({
      db,
      hub,
      log,
      queue,
      provider: (name) => providers.find(name),
      defaults: { provider: config.provider, maxWorkers: config.workers },
      onAlert,
      onBars: (bars) => lastHour.countBars(bars),
      quotaOf: (name) => limiter.snapshot().find(({ provider }) => provider === name),
      stopWork: (jobId, reason) => pool.stop(jobId, reason),
    });
    const { logDays, runDays } = config;
    const maintenance = new Maintenance({ db, log, queue, retention: { logDays, runDays } });
    closers.push(() => maintenance.close());
    maintenance.start();
    const quotaAlerts = new QuotaAlerts({ db, log, outbox });
    const metricsPublisher = new MetricsPublisher({ hub, runs, usage, limiter: limiter, queue, quotaAlerts, lastHour });
    closers.push(() => metricsPublisher.close());
    metricsPublisher.start();
    closers.push(() => runs.close());
    closers.push(async () => {
      const idle = queue.close();
      await pool.close();
      await idle;
    });
    await runs.recover();
    queue.work(symbolHandler({ db, log, runs, pool, onAlert }), pool.size);
    const defaultProvider = config.provider;
    const scheduleRunner = new ScheduleRunner({ db, log, runs, defaultProvider, onAlert }, clock);
    closers.push(() => scheduleRunner.close());
    await scheduleRunner.poll();
    const schedules = new ScheduleService({
      db,
      scheduleRunner,
      clock,
      defaultProvider,
      provider: (name) => providers.find(name),
    });
    const services = {
      config,
      db,
      hub,
      log,
      runs,
      schedules,
      pool,
      usage,
      lastHour,
      limiter: limiter,
      exporter,
      outbox,
      mail,
      companies,
      settings,
      redact,
      provider: (name: string) => providers.find(name),
    };
    const routes = await createRoutes(services);
    closers.push(() => routes.close());
    return { ...services, fetch: routes.fetch, close };
  } catch (error) {
    await close();
    throw error;
  }
}
