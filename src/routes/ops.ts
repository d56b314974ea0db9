/** For supervisors: liveness, readiness and Prometheus metrics. */

import { Hono } from "hono";
import type { RunSummary } from "../domain/runs/run-summary.ts";
import { JOB_STATES } from "../domain/runs/states.ts";
import { formatMetrics, type Metric } from "../metrics.ts";
import type { LiveBroadcaster } from "./live/broadcaster.ts";
import type { Services } from "./services.ts";

type OpsServices = Pick<Services, "db" | "hub" | "limiter" | "pool" | "usage">;

export const opsRoutes = (services: OpsServices, broadcaster: LiveBroadcaster) =>
  new Hono()
    .get("/healthz", (c) => c.json({ status: "ok" }))
    .get("/readyz", async (c) => {
      const { db, pool } = services;
      const database = await db.rows("SELECT 1", []).then(
        // A deleted file can still be read by who has it open.
        () => db.fault() === null,
        () => false,
      );
      const workers = { alive: pool.alive, wanted: pool.size };
      const ready = database && workers.alive === workers.wanted;
      return c.json({ status: ready ? "ready" : "not ready", database, workers }, ready ? 200 : 503);
    })
    .get("/metrics", (c) =>
      c.text(formatMetrics(measure(services, broadcaster)), 200, {
        "Content-Type": "text/plain; version=0.0.4; charset=utf-8",
      }),
    );

function measure({ hub, pool, usage, limiter }: OpsServices, broadcaster: LiveBroadcaster): Metric[] {
  const gauge = (name: string, help: string, samples: Metric["samples"]): Metric => ({
    name,
    help,
    type: "gauge",
    samples,
  });
  const counter = (name: string, help: string, value: number): Metric => ({
    name,
    help,
    type: "counter",
    samples: [{ value }],
  });
  const runs = hub.runs();
  const jobs = JOB_STATES.map((state) => ({
    labels: { state },
    value: runs.reduce((sum, run) => sum + run.counts[state], 0),
  }));
  const open = runs.filter(({ finishedAt }) => finishedAt === null);
  const rate = (what: string, help: string, pick: (run: RunSummary) => number) =>
    gauge(`barkeep_${what}_per_minute`, `${help} a minute by open runs, over the last five minutes`, [
      { value: open.reduce((sum, run) => sum + pick(run), 0) },
    ]);
  const gauges = limiter.snapshot().flatMap(({ provider, gauges }) => gauges.map((each) => ({ provider, ...each })));
  return [
    gauge("barkeep_jobs", "Jobs of the open and the latest runs by state", jobs),
    rate("symbols", "Symbols completed", (run) => run.symbolsPerMinute),
    rate("bars", "Bars taken in", (run) => run.barsPerMinute),
    rate("requests", "Requests sent", (run) => run.requestsPerMinute),
    gauge("barkeep_workers_alive", "Worker threads that are up", [{ value: pool.alive }]),
    counter("barkeep_events_total", "Events since the server started", hub.seq),
    gauge("barkeep_viewers", "Open live connections of pages", [{ value: broadcaster.connections }]),
    counter("barkeep_frames_merged_total", "Updates merged because a connection was slow", broadcaster.counts.merged),
    counter(
      "barkeep_viewers_dropped_total",
      "Connections closed because they accepted nothing",
      broadcaster.counts.dropped,
    ),
    gauge(
      "barkeep_requests_today",
      "Requests to a provider since midnight UTC",
      usage.usage().map(({ provider, today }) => ({ labels: { provider }, value: today.requests })),
    ),
    gauge(
      "barkeep_quota_used",
      "What is used of a provider's limit",
      gauges.map(({ provider, period, used }) => ({ labels: { provider, period }, value: used })),
    ),
    gauge(
      "barkeep_quota_limit",
      "A provider's limit",
      gauges.map(({ provider, period, limit }) => ({ labels: { provider, period }, value: limit })),
    ),
    gauge("barkeep_memory_bytes", "Resident memory of the process", [{ value: process.memoryUsage.rss() }]),
  ];
}
