/** The threads that work for the server, the workers on other machines, and what both are told of changed settings. */

import type { Config } from "../config.ts";
import type { StorageTrouble } from "../domain/errors.ts";
import { type Version, versionText } from "../installation.ts";
import { Analysis } from "../pipeline/analysis/analysis.ts";
import { CompanyLoader } from "../pipeline/companies/loader.ts";
import { Exporter } from "../pipeline/exports/exporter.ts";
import type { WorkerSettings } from "../pipeline/messages.ts";
import { WorkerPool } from "../pipeline/workers/pool.ts";
import { quotaRules, secretsOf, valuesForThreads } from "../providers/registry.ts";
import { DrainedNames } from "../scheduler/hosts/drained-names.ts";
import { RemoteHosts } from "../scheduler/hosts/hosts.ts";
import type { Dispatcher } from "../scheduler/queue/dispatcher.ts";
import type { JobQueue } from "../scheduler/queue/job-queue.ts";
import type { RunService } from "../scheduler/runs/run-service.ts";
import { forgetPlans } from "../storage/quotas/plan-facts.ts";
import type { ServerDatabase } from "./open-database.ts";
import type { Reporting } from "./open-log.ts";
import type { Providers } from "./open-providers.ts";
import { type AppOptions, close } from "./options.ts";

export interface Workers {
  readonly pool: WorkerPool;
  readonly hosts: RemoteHosts;
  readonly exporter: Exporter;
  readonly analysis: Analysis;
  readonly companies: CompanyLoader;
  /** What a thread needs to open the database and the providers, as they are set now. */
  settings(): WorkerSettings;
}

/** What is opened after the workers, and called when they work. */
interface Later {
  onAlert(): void;
  queue(): JobQueue;
  dispatcher(): Dispatcher;
  runs(): RunService;
}

interface Opened {
  readonly config: Config;
  readonly version: Version;
  readonly database: ServerDatabase;
  readonly reporting: Reporting;
  readonly providers: Providers;
}

export async function openWorkers(
  stack: AsyncDisposableStack,
  { config, version, database, reporting, providers }: Opened,
  later: Later,
  options: AppOptions,
): Promise<Workers> {
  const { db, lease, writeLock } = database;
  const { log, storage } = reporting;
  const { gate } = providers;
  const settings = (): WorkerSettings => ({
    ...{ dbUrl: config.dbUrl, dbToken: config.dbToken, dbFile: db.file, sessions: config.sessions },
    ...{ lease: lease.value, writeLock: writeLock.shared },
    ...valuesForThreads(providers.settings.values),
  });
  const pool = new WorkerPool(config.workers, settings(), gate, options.workerScript);
  const onStorage = (thread: object, trouble: StorageTrouble | null) => storage.report(thread, trouble);
  const hosts = new RemoteHosts({
    ...{ db, log, pool, onStorage, settings },
    onAlert: () => later.onAlert(),
    drained: await DrainedNames.open(db),
    version: versionText(version),
    leaseMs: options.workerLeaseMs,
    jobQueue: () => later.queue(),
    labelsOf: (key) => later.runs().registry.find(key)?.run.row,
    claim: (key, host) => later.dispatcher().claim(key, host),
  });
  stack.adopt(hosts, close);
  pool.watchStorage(onStorage);
  applySettings(reporting, providers, { db, pool, hosts });

  const exporter = stack.adopt(new Exporter(settings(), undefined, log), close);
  const analysis = stack.adopt(new Analysis(settings()), close);
  const companies = stack.adopt(
    new CompanyLoader({ gate, settings, log: (level, message) => log.write(level, message) }),
    close,
  );
  return { pool, hosts, exporter, analysis, companies, settings };
}

/** Hands on the settings of a provider whenever they are changed. */
function applySettings(
  { log, secrets }: Reporting,
  { settings, cache, limiter, restoreLimiter }: Providers,
  { db, pool, hosts }: Pick<ServerDatabase, "db"> & Pick<Workers, "pool" | "hosts">,
): void {
  settings.onChange(async ({ name, title }, values) => {
    secrets.add(secretsOf(values));
    pool.configure(valuesForThreads(values));
    hosts.configure();
    cache.forget(name);
    const rules = quotaRules(values).find(({ provider }) => provider === name);
    if (rules) limiter.define(rules);
    // Another key has another plan, and so may the same one when it is entered again.
    await forgetPlans(db, name);
    // The new key may have been used earlier today.
    await restoreLimiter();
    log.write("info", `The settings of ${title} were changed`);
  });
}
