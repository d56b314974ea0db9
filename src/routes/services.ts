/** What the routes are given to answer with: opened and closed by app.ts. */

import type { Outbox } from "../alerts/mail-dispatcher.ts";
import type { MailSettings } from "../alerts/mail-settings.ts";
import type { Config } from "../config.ts";
import type { ProgressHub } from "../hub.ts";
import type { Log } from "../log.ts";
import type { CompanyLoader } from "../pipeline/companies/loader.ts";
import type { Exporter } from "../pipeline/exports/exporter.ts";
import type { WorkerPool } from "../pipeline/workers/pool.ts";
import type { Provider } from "../providers/provider.ts";
import type { Quota } from "../providers/quotas/rate-limiter.ts";
import type { Activity } from "../scheduler/live/last-hour.ts";
import type { Runs } from "../scheduler/runs/run-service.ts";
import type { Schedules } from "../scheduler/schedules/schedule-service.ts";
import type { ProviderSettings } from "../scheduler/settings/provider-settings.ts";
import type { Database } from "../storage/db.ts";
import type { UsageStore } from "../storage/quotas/usage.ts";

export interface Services {
  readonly config: Config;
  readonly db: Database;
  readonly hub: ProgressHub;
  readonly log: Log;
  readonly runs: Runs;
  readonly schedules: Schedules;
  readonly pool: WorkerPool;
  readonly usage: UsageStore;
  readonly activity: Activity;
  readonly quota: Quota;
  readonly exporter: Exporter;
  readonly companies: CompanyLoader;
  readonly settings: ProviderSettings;
  /** Takes every key out of a text. */
  redact(text: string): string;
  /** The provider of that name, with its present settings; `undefined` if there is none, or it lacks a setting. */
  provider(name: string): Provider | undefined;
  readonly outbox: Outbox;
  readonly mail: MailSettings;
}
