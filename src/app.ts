/** The only wiring: opens storage, hub, engine and pool, and closes them in reverse. */

import { hostname } from "node:os";
import type { Config } from "./config.ts";
import { createCalendar } from "./domain/calendar.ts";
import { messageOf } from "./domain/errors.ts";
import { ProgressHub } from "./hub.ts";
import { createLog } from "./log.ts";
import { Exporter } from "./pipeline/exporter.ts";
import { WorkerPool } from "./pipeline/pool.ts";
import { missingSettings } from "./providers/entry.ts";
import type { Provider } from "./providers/provider.ts";
import { Quota } from "./providers/quota.ts";
import type { QuotaRow } from "./providers/quota-account.ts";
import { createProvider, findProvider, quotaRules } from "./providers/registry.ts";
import { createRoutes } from "./routes/index.ts";
import type { Services } from "./routes/services.ts";
import { EmbeddedEngine } from "./scheduler/embedded.ts";
import { quotaGate } from "./scheduler/gate.ts";
import { Housekeeping } from "./scheduler/housekeeping.ts";
import { symbolHandler } from "./scheduler/jobs.ts";
import { Runs } from "./scheduler/runs.ts";
import { Telemetry } from "./scheduler/telemetry.ts";
import { migrateDatabase, openDatabase } from "./storage/db.ts";
import { takeLease } from "./storage/lease.ts";
import { LogStore } from "./storage/log.ts";
import { keepQuotas, readQuotas } from "./storage/quotas.ts";
import { UsageStore } from "./storage/usage.ts";

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
    const complain = (error: unknown) =>
      void process.stderr.write(`cannot write to the database: ${messageOf(error)}\n`);
    const logStore = new LogStore(db, complain);
    closers.push(() => logStore.flush());
    const log = createLog({ level: config.logLevel, hub, keep: (line) => logStore.keep(line), print: options.print });
    const usage = await UsageStore.open(db, complain);
    closers.push(() => usage.flush());

    const { dbUrl, dbToken, providerValues, sessions } = config;
    const quota = new Quota(quotaRules(providerValues), { persist: (rows) => keepQuotas(db, rows) });
    quota.restore((await readQuotas(db)) as QuotaRow[]);
    closers.push(() => quota.close());
    const pool = new WorkerPool(
      config.workers,
      { dbUrl, dbToken, providerValues, sessions },
      quotaGate(quota, usage),
      options.workerScript,
    );
    const exporter = new Exporter({ dbUrl, dbToken, providerValues, sessions });
    closers.push(() => exporter.close());
    const engine = new EmbeddedEngine(({ key }, error) => log.write("error", `${key}: ${messageOf(error)}`));
    const runs = new Runs({
      db,
      hub,
      log,
      engine,
      provider: providersOf(config),
      defaults: { provider: config.provider, maxWorkers: config.workers },
      stopWork: (jobId, reason) => pool.stop(jobId, reason),
    });
    const { logDays, runDays } = config;
    const housekeeping = new Housekeeping({ db, log, engine, retention: { logDays, runDays } });
    closers.push(() => housekeeping.close());
    const telemetry = new Telemetry({ hub, runs, usage, quota, engine });
    closers.push(() => telemetry.close());
    closers.push(() => runs.close());
    closers.push(async () => {
      const idle = engine.close();
      await pool.close();
      await idle;
    });
    await runs.recover();
    engine.work(symbolHandler({ db, log, runs, pool }), pool.size);
    const services = { config, db, hub, log, runs, pool, usage, quota, exporter };
    const routes = await createRoutes(services);
    closers.push(() => routes.close());
    return { ...services, fetch: routes.fetch, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Looks providers up by name, each built once; one whose variables are missing counts as unknown. */
function providersOf(config: Config): (name: string) => Provider | undefined {
  const built = new Map<string, Provider>();
  return (name) => {
    const entry = findProvider(name);
    if (entry === undefined || missingSettings(entry, config.providerValues).length > 0) return undefined;
    const provider = built.get(name) ?? createProvider(name, config.providerValues, createCalendar(config.sessions));
    built.set(name, provider);
    return provider;
  };
}
