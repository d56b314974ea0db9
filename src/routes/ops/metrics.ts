/** `GET /metrics`: what is counted while the server runs, and what is measured for each request. */

import { Hono } from "hono";
import { HOST_STATES } from "../../domain/hosts/host-state.ts";
import type { HostSummary } from "../../domain/hosts/host-summary.ts";
import { HEALTHS, type Health, healthClock } from "../../domain/profiles/health.ts";
import { FORECASTS } from "../../domain/promises/promise.ts";
import type { RunSummary } from "../../domain/runs/run-summary.ts";
import { ACTIVE_STATES } from "../../domain/runs/states.ts";
import { type Sample, sample, writeMetrics } from "../../metrics/exposition.ts";
import { processSamples } from "../../metrics/process.ts";
import type { HostList } from "../../scheduler/hosts/host-list.ts";
import { countMails, countNewEvents } from "../../storage/alerts/outbox.ts";
import { spaceOf } from "../../storage/connection/space.ts";
import { pathOf } from "../../storage/db.ts";
import { countResults } from "../../storage/promises/promises.ts";
import { lastSuccesses } from "../../storage/schedules.ts";
import { cachedFor } from "../cached.ts";
import type { LiveBroadcaster } from "../live/broadcaster.ts";
import { quotasInUse } from "../quotas/gauges.ts";
import type { Services } from "../services.ts";

type MetricsServices = Pick<
  Services,
  | "backups"
  | "calendar"
  | "config"
  | "lake"
  | "counters"
  | "db"
  | "hub"
  | "limiter"
  | "pool"
  | "profiles"
  | "promises"
  | "queue"
  | "runs"
  | "usage"
  | "version"
>;

/** How long counts by health are kept, milliseconds: with many profiles they take too long for every scrape. */
const HEALTH_MS = 60_000;

export function metricsRoutes(services: MetricsServices, broadcaster: LiveBroadcaster, hostList: HostList) {
  const readHealths = cachedFor(HEALTH_MS, healthReader(services));
  return new Hono().get("/metrics", async (c) => {
    const samples = [
      ...services.counters.samples(),
      ...serverSamples(services, broadcaster),
      ...hostSamples(hostList.list()),
      ...quotaSamples(services),
      ...(await scheduleSamples(services)),
      ...freshnessSamples(services),
      ...(await resultSamples(services)),
      ...seriesSamples(await readHealths()),
      ...(await alertSamples(services)),
      ...(await spaceSamples(services)),
      ...backupSamples(services),
      ...(await lakeSamples(services)),
      ...(await processSamples()),
    ];
    return c.text(writeMetrics(samples), 200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" });
  });
}

function serverSamples({ hub, pool, queue, runs, version }: MetricsServices, broadcaster: LiveBroadcaster): Sample[] {
  const open = hub.runs().filter(({ finishedAt }) => finishedAt === null);
  const jobs = (state: keyof RunSummary["counts"]) => open.reduce((sum, run) => sum + run.counts[state], 0);
  return [
    sample(
      "barkeep_build_info",
      { version: version.version, commit: version.commit ?? "unknown", bun: Bun.version },
      1,
    ),
    ...ACTIVE_STATES.map((state) => sample("barkeep_jobs_open", { state }, jobs(state))),
    sample("barkeep_queue_oldest_seconds", {}, runs.registry.oldestQueued() / 1_000),
    sample("barkeep_workers", {}, pool.size),
    sample("barkeep_workers_wanted", {}, pool.wanted),
    sample("barkeep_workers_alive", {}, pool.alive),
    sample("barkeep_queue_up", {}, queue.trouble() === null ? 1 : 0),
    sample("barkeep_viewers", {}, broadcaster.connections),
    sample("barkeep_viewers_dropped_total", {}, broadcaster.counts.dropped),
    sample("barkeep_frames_merged_total", {}, broadcaster.counts.merged),
    sample("barkeep_events_total", {}, hub.seq),
  ];
}

/** Two workers of one name are one host. */
function hostSamples(hosts: readonly HostSummary[]): Sample[] {
  const byName = Map.groupBy(
    hosts.filter(({ state }) => state !== "lost"),
    ({ name }) => name,
  );
  const sum = (of: readonly HostSummary[], pick: (host: HostSummary) => number) =>
    of.reduce((total, host) => total + pick(host), 0);
  return [
    ...HOST_STATES.map((status) =>
      sample("barkeep_hosts", { status }, hosts.filter(({ state }) => state === status).length),
    ),
    ...[...byName].flatMap(([host, of]) => [
      sample(
        "barkeep_host_jobs",
        { host },
        sum(of, ({ jobs }) => jobs),
      ),
      sample(
        "barkeep_host_bars_per_second",
        { host },
        sum(of, ({ barsPerSecond }) => barsPerSecond),
      ),
      sample(
        "barkeep_host_jobs_taken",
        { host },
        sum(of, ({ taken }) => taken),
      ),
      // Of hosts that the server hands their jobs there is nothing to say.
      ...(of.some(({ queue }) => queue !== null)
        ? [
            sample(
              "barkeep_host_queue_up",
              { host },
              of.some(({ queue }) => queue === "down" || queue === "other") ? 0 : 1,
            ),
          ]
        : []),
    ]),
  ];
}

/** Providers that nobody uses have limits too: they would be rows of zeros. */
function quotaSamples(services: MetricsServices): Sample[] {
  return quotasInUse(services).flatMap(({ provider, gauges }) =>
    gauges.flatMap(({ period, counts, used, limit }) => {
      const labels = { provider, period, counts };
      return [sample("barkeep_quota_used", labels, used), sample("barkeep_quota_limit", labels, limit)];
    }),
  );
}

async function scheduleSamples({ db }: MetricsServices): Promise<Sample[]> {
  const now = Date.now();
  return (await lastSuccesses(db)).flatMap(({ name: schedule, enabled, at }) => [
    sample("barkeep_schedule_enabled", { schedule }, enabled ? 1 : 0),
    ...(at === null
      ? []
      : [sample("barkeep_schedule_last_success_age_seconds", { schedule }, Math.max(0, now - at) / 1_000)]),
  ]);
}

/** Of enabled promises, as they were at the last check. */
function freshnessSamples({ promises }: MetricsServices): Sample[] {
  return promises.statuses().flatMap(({ name: promise, status }) => {
    const { fresh, missing, unknown, deadline, state } = status;
    return [
      ...Object.entries({ fresh, missing, unknown }).map(([each, count]) =>
        sample("barkeep_freshness_symbols", { promise, state: each }, count),
      ),
      ...(deadline === null
        ? []
        : [sample("barkeep_freshness_deadline_timestamp_seconds", { promise }, deadline / 1_000)]),
      ...FORECASTS.map((forecast) =>
        sample("barkeep_freshness_forecast", { promise, forecast }, forecast === state ? 1 : 0),
      ),
    ];
  });
}

/** From the database, so that they go on counting after a restart. */
async function resultSamples({ db }: MetricsServices): Promise<Sample[]> {
  return (await countResults(db)).map(({ name: promise, outcome, count }) =>
    sample("barkeep_freshness_results_total", { promise, outcome }, count),
  );
}

type HealthCounts = Readonly<Record<Health, number>>;

/** Counts the profiles of each health. */
function healthReader({ calendar, profiles }: MetricsServices): () => Promise<HealthCounts> {
  return async () => {
    const healths = await profiles.healthsOf(await profiles.all(), healthClock(calendar, Date.now()));
    const counts = Object.fromEntries(HEALTHS.map((health) => [health, 0])) as Record<Health, number>;
    for (const health of healths) counts[health] += 1;
    return counts;
  };
}

function seriesSamples(healths: HealthCounts): Sample[] {
  const counts = Object.entries(healths);
  const all = counts.reduce((sum, [, count]) => sum + count, 0);
  return [
    ...counts.map(([health, count]) => sample("barkeep_series", { health }, count)),
    sample("barkeep_profiles", {}, all),
  ];
}

async function alertSamples({ db }: MetricsServices): Promise<Sample[]> {
  const counts = await countMails(db);
  const states = ["waiting", "sending", "failed"] as const;
  return [
    ...states.map((state) => sample("barkeep_outbox_messages", { state }, counts.get(state) ?? 0)),
    sample("barkeep_alert_events_pending", {}, await countNewEvents(db)),
  ];
}

async function spaceSamples({ db, config }: MetricsServices): Promise<Sample[]> {
  const space = db.local ? await spaceOf(pathOf(config.dbUrl)) : null;
  if (space === null) return [];
  return [sample("barkeep_database_size_bytes", {}, space.used), sample("barkeep_disk_free_bytes", {}, space.free)];
}

async function lakeSamples({ lake }: MetricsServices): Promise<Sample[]> {
  if (lake.name === undefined) return [];
  return [
    ...(lake.bytes === null ? [] : [sample("barkeep_lake_size_bytes", {}, lake.bytes)]),
    sample("barkeep_lake_pending_years", {}, await lake.pending()),
    sample("barkeep_lake_failed", {}, lake.failure === null ? 0 : 1),
  ];
}

function backupSamples({ backups }: MetricsServices): Sample[] {
  const { last } = backups;
  if (last === null || !backups.possible) return [];
  return [sample("barkeep_backup_age_seconds", {}, Math.max(0, Date.now() - last.at) / 1_000)];
}
