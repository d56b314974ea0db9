/** What the routes answer with, opened and closed by app.ts. A route file takes a `Pick` of what it uses. */

import type { ChannelDispatcher } from "../alerts/channels/channel-dispatcher.ts";
import type { MailDispatcher } from "../alerts/mail-dispatcher.ts";
import type { MailSettings } from "../alerts/mail-settings.ts";
import type { Config } from "../config.ts";
import type { QueueTrouble, StorageTrouble } from "../domain/errors.ts";
import type { Calendar } from "../domain/market/calendar.ts";
import type { ProgressHub } from "../hub.ts";
import type { Version } from "../installation.ts";
import type { Log } from "../log.ts";
import type { Counters } from "../metrics/counters.ts";
import type { DerivedProfiles } from "../pipeline/analysis/derived-profiles.ts";
import type { Reports } from "../pipeline/analysis/reports.ts";
import type { CompanyLoader } from "../pipeline/companies/loader.ts";
import type { Exporter } from "../pipeline/exports/exporter.ts";
import type { Gate } from "../pipeline/workers/gate.ts";
import type { WorkerPool } from "../pipeline/workers/pool.ts";
import type { Provider } from "../providers/provider.ts";
import type { RateLimiter } from "../providers/quotas/rate-limiter.ts";
import type { Backups } from "../scheduler/backups/backups.ts";
import type { RemoteHosts } from "../scheduler/hosts/hosts.ts";
import type { Lake } from "../scheduler/lake.ts";
import type { LastHour } from "../scheduler/live/last-hour.ts";
import type { PromiseService } from "../scheduler/promises/promise-service.ts";
import type { Dispatcher } from "../scheduler/queue/dispatcher.ts";
import type { JobQueue } from "../scheduler/queue/job-queue.ts";
import type { Rejudging } from "../scheduler/rejudging.ts";
import type { RunService } from "../scheduler/runs/run-service.ts";
import type { ScheduleService } from "../scheduler/schedules/schedule-service.ts";
import type { StoredSeries } from "../scheduler/series/stored-series.ts";
import type { ProviderSettings } from "../scheduler/settings/provider-settings.ts";
import type { Snapshots } from "../scheduler/snapshots.ts";
import type { StorageHealth } from "../storage/connection/health.ts";
import type { Database } from "../storage/db.ts";
import type { ProfileColumns } from "../storage/profiles/profile-columns.ts";
import type { UsageStore } from "../storage/quotas/usage.ts";

export interface Services {
  readonly config: Config;
  readonly version: Version;
  /** What the command line in this process sends to be let in. */
  readonly ownToken?: string | undefined;
  /** What is counted for `/metrics`. */
  readonly counters: Counters;
  readonly calendar: Calendar;
  readonly db: Database;
  /** Whether the database can be written. */
  readonly storage: StorageHealth;
  /** Whether jobs can start. */
  readonly queue: Pick<JobQueue, "name" | "trouble" | "watch">;
  readonly hub: ProgressHub;
  readonly log: Log;
  readonly runs: RunService;
  readonly schedules: ScheduleService;
  readonly promises: PromiseService;
  readonly pool: WorkerPool;
  /** The workers on other machines. */
  readonly hosts: RemoteHosts;
  readonly dispatcher: Pick<Dispatcher, "counts" | "poll">;
  readonly usage: UsageStore;
  readonly lastHour: LastHour;
  readonly limiter: RateLimiter;
  /** Grants requests to providers. */
  readonly gate: Gate;
  readonly exporter: Exporter;
  readonly profiles: ProfileColumns;
  /** Profiles at intervals that are not stored. */
  readonly derived: DerivedProfiles;
  /** Statistics and distributions of profiles. */
  readonly reports: Reports;
  readonly companies: CompanyLoader;
  /** Judges what an earlier version has stored. */
  readonly rejudging: Rejudging;
  /** Stored bars as files. */
  readonly lake: Lake;
  /** The stored series, the space they take, and the deletion of their old bars. */
  readonly stored: StoredSeries;
  readonly settings: ProviderSettings;
  readonly backups: Backups;
  readonly snapshots: Snapshots;
  /** Removes every key from a text. */
  redact(text: string): string;
  /** The provider of that name with its present settings; `undefined` if there is none or it lacks a setting. */
  provider(name: string): Provider | undefined;
  readonly outbox: MailDispatcher;
  /** Alerts by other ways than mail. */
  readonly channels: ChannelDispatcher;
  readonly mail: MailSettings;
}

/** What stops the work of the whole server: the database before the queue. */
export const troubleOf = ({
  storage,
  queue,
}: Pick<Services, "storage" | "queue">): StorageTrouble | QueueTrouble | null => storage.current() ?? queue.trouble();
