/** A database whose bars, arrivals, gaps and schedules a test sets to the second, and the watch over its promises. */

import type { Clock } from "../../../src/clock.ts";
import type { PromiseEvent } from "../../../src/domain/alerts.ts";
import { CALENDAR } from "../../../src/domain/market/calendar.ts";
import type { FreshnessPromise } from "../../../src/domain/promises/promise.ts";
import type { RunSummary } from "../../../src/domain/runs/run-summary.ts";
import type { JobState } from "../../../src/domain/runs/states.ts";
import type { Provider } from "../../../src/providers/provider.ts";
import type { QuotaState } from "../../../src/providers/quotas/quota-state.ts";
import { findProvider } from "../../../src/providers/registry.ts";
import type { EstimatedCost } from "../../../src/scheduler/promises/planned-work.ts";
import { PromiseService } from "../../../src/scheduler/promises/promise-service.ts";
import { PromiseWatch } from "../../../src/scheduler/promises/promise-watch.ts";
import type { RunRecord } from "../../../src/scheduler/runs/run-records.ts";
import { parseScheduleInput } from "../../../src/scheduler/schedules/schedule-request.ts";
import { type Database, openDatabase } from "../../../src/storage/db.ts";
import { insertSchedule } from "../../../src/storage/schedules.ts";
import { migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";

/** Time passes only when a test sets it; timers never fire. */
class ManualClock implements Clock {
  time = Date.parse("2026-01-15T00:00:00Z");
  now = () => this.time;
  steady = () => this.time;
  after = () => () => {};
}

export const moment = (text: string) => Date.parse(`2026-${text}Z`);
/** Midnight UTC of a date in 2026, epoch seconds. */
export const date = (text: string) => moment(`${text}T00:00:00`) / 1_000;

export async function startWorld() {
  const folder = temporaryFolder();
  const db: Database = await openDatabase(await migratedDatabase(folder));
  const clock = new ManualClock();
  const lines: string[] = [];
  const events: PromiseEvent[] = [];
  const state = {
    quota: undefined as QuotaState | undefined,
    cost: { calls: 10, units: 10, seconds: 60 } as EstimatedCost | null,
    estimates: 0,
    trouble: null as string | null,
    provider: (name: string): Provider | undefined =>
      findProvider(name)?.create({ DEMO_LATENCY_MS: "0", EODHD_API_KEY: "key" }, CALENDAR),
    runs: new Map<string, RunRecord & { summary: RunSummary }>(),
  };
  const known = new Map<string, Provider | undefined>();
  const dependencies = {
    db,
    clock,
    calendar: CALENDAR,
    defaultProvider: "demo",
    provider: (name: string) => known.getOrInsertComputed(name, () => state.provider(name)),
    log: { write: (_: string, message: string) => void lines.push(message) },
    registry: { runs: state.runs, summary: (run: RunRecord) => (run as RunRecord & { summary: RunSummary }).summary },
    quotaOf: () => state.quota,
    estimate: async () => {
      state.estimates += 1;
      return state.cost;
    },
    trouble: () => state.trouble,
    onAlert: () => {},
  };
  /** Starts the watch as a start of the server does. */
  const startWatch = () => {
    const watch = new PromiseWatch(dependencies);
    watch.onEvent((event) => void events.push(event));
    return { watch, service: new PromiseService({ ...dependencies, watch }) };
  };
  let { watch, service } = startWatch();

  return {
    db,
    clock,
    state,
    events,
    lines,
    get watch() {
      return watch;
    },
    get service() {
      return service;
    },
    /** The provider lacks its setting from now on. */
    forget(provider: string) {
      known.set(provider, undefined);
    },
    restart() {
      ({ watch, service } = startWatch());
    },
    /** Sets the time, and checks. */
    async at(text: string) {
      clock.time = moment(text);
      await watch.check();
    },
    async promise(body: object = {}): Promise<FreshnessPromise> {
      const whole = { name: "Mornings", symbols: ["AAPL", "MSFT"], by_time: "07:00", ...body };
      return (await service.save(null, whole)).promise;
    },
    async schedule(body: object = {}): Promise<void> {
      const whole = { name: "Nightly", cron: "30 22 * * *", symbols: ["AAPL", "MSFT"], time_zone: "UTC", ...body };
      await insertSchedule(db, parseScheduleInput(whole), clock.now());
    },
    /** Stores a bar of a series, as a batch that was answered at `arrived`. */
    async bar(
      symbol: string,
      ts: number,
      arrived: number,
      { interval = "1d", provider = "demo", length = 86_400 } = {},
    ) {
      await db.write([
        {
          sql: `INSERT INTO series (symbol, provider, feed, interval, adjustment, sessions)
            SELECT ?1, ?2, 'x', ?3, 'none', 'regular' WHERE NOT EXISTS
            (SELECT 1 FROM series WHERE symbol = ?1 AND provider = ?2 AND interval = ?3)`,
          args: [symbol, provider, interval],
        },
        {
          sql: `INSERT INTO bars SELECT id, ?4, 1, 1, 1, 1, 1 FROM series WHERE symbol = ?1 AND provider = ?2 AND interval = ?3`,
          args: [symbol, provider, interval, ts],
        },
        {
          sql: `INSERT INTO batches (series_id, run_id, from_ts, to_ts, status, rows, fetched_at)
            SELECT id, 'r', ?4, ?5, 'ok', 1, ?6 FROM series WHERE symbol = ?1 AND provider = ?2 AND interval = ?3`,
          args: [symbol, provider, interval, ts, ts + length, arrived],
        },
      ]);
    },
    /** An unfinished run of some symbols, with what it is expected to take. */
    run(
      symbols: readonly string[],
      { asOf, jobs = "running", ...over }: Partial<RunSummary> & { asOf: number; jobs?: JobState },
    ) {
      const row = { id: "r1", provider: "demo", interval: "1d", mode: "incremental", asOf, rangeTo: asOf + 86_400 };
      const summary = { ...row, name: "Catch up", eta: null, blocked: null, years: 2, dates: null, ...over };
      const states = new Map(symbols.map((symbol) => [symbol, { state: jobs }]));
      const run = { row, finishedAt: null, jobs: states, summary };
      // What the forecast reads of a run.
      state.runs.set("r1", run as unknown as RunRecord & { summary: RunSummary });
    },
    async gap(symbol: string, day: number, answers: number) {
      await db.write([
        {
          sql: "INSERT INTO gaps (series_id, date, kind, rows, answers) SELECT id, ?2, 'missing', 0, ?3 FROM series WHERE symbol = ?1",
          args: [symbol, day, answers],
        },
      ]);
    },
    async kinds(): Promise<string[]> {
      return (await db.rows("SELECT key FROM alert_events ORDER BY id", [])).map(([key]) => String(key));
    },
    async [Symbol.asyncDispose]() {
      await watch.close();
      db.close();
      folder[Symbol.dispose]();
    },
  };
}
