/** Which runs and schedules will bring the missing symbols of a promise up to date before its deadline. */

import { RUN_DEFAULTS } from "../../domain/defaults.ts";
import type { Allowance, MissingGroup, PlannedWork } from "../../domain/promises/forecast.ts";
import type { FreshnessPromise } from "../../domain/promises/promise.ts";
import type { RunSummary } from "../../domain/runs/run-summary.ts";
import { runTitle } from "../../domain/runs/run-title.ts";
import type { Mode } from "../../domain/runs/states.ts";
import type { Schedule } from "../../domain/schedules.ts";
import type { QuotaState } from "../../providers/quotas/quota-state.ts";
import { findProvider, whyNotUsable } from "../../providers/registry.ts";
import { keyRefusedAt } from "../../storage/promises/freshness.ts";
import { readSchedules } from "../../storage/schedules.ts";
import type { RunRegistry } from "../runs/run-registry.ts";
import type { RunRequest } from "../runs/run-request.ts";
import { readCron } from "../schedules/cron.ts";
import { symbolsFor } from "../schedules/turn.ts";
import type { FreshnessDependencies, MissingSymbol } from "./freshness.ts";

/** What a run would cost. */
export interface EstimatedCost {
  readonly calls: number;
  readonly units: number;
  /** Seconds from now to its end, waits for quotas included; `null`: it cannot be estimated. */
  readonly seconds: number | null;
}

export interface PlanDependencies extends FreshnessDependencies {
  readonly registry: Pick<RunRegistry, "runs" | "summary">;
  /** The cost of a run if it started now; `null` if its provider lacks a setting. */
  estimate(request: RunRequest): Promise<EstimatedCost | null>;
  quotaOf(provider: string): QuotaState | undefined;
}

/** How much longer than estimated a run that has not begun may take. */
const WORST = 1.5;
/** How long an estimate is used, milliseconds. */
const ESTIMATE_MS = 10 * 60_000;
/** How long a refused key counts, milliseconds. */
const REFUSED_MS = 3 * 86_400_000;

/** The modes that bring new bars. */
const FETCHES: readonly Mode[] = ["full", "incremental"];

/** A schedule that fetches, with the symbols that it would run now. */
interface FetchingSchedule {
  readonly schedule: Schedule;
  readonly provider: string;
  readonly symbols: ReadonlySet<string>;
}

export class PlannedWorks {
  readonly #estimates = new Map<string, { readonly at: number; readonly cost: EstimatedCost | null }>();

  constructor(private readonly dependencies: PlanDependencies) {}

  /** The schedules that fetch bars, for all promises of one check. */
  async schedules(): Promise<FetchingSchedule[]> {
    const { db, defaultProvider } = this.dependencies;
    const found: FetchingSchedule[] = [];
    for (const schedule of await readSchedules(db)) {
      if (!FETCHES.includes(schedule.mode)) continue;
      const provider = schedule.provider ?? defaultProvider;
      found.push({ schedule, provider, symbols: new Set(await symbolsFor(db, schedule, provider)) });
    }
    return found;
  }

  /** The missing symbols by what will bring them up to date. @param deadline epoch milliseconds, as is `now` */
  async groups(
    promise: Pick<FreshnessPromise, "interval" | "provider">,
    missing: readonly MissingSymbol[],
    schedules: readonly FetchingSchedule[],
    { now, deadline }: { readonly now: number; readonly deadline: number },
  ): Promise<MissingGroup[]> {
    const works = new Map<string, { work: PlannedWork | null; paused: string; symbols: number; of: MissingSymbol }>();
    const fitting = schedules.filter(({ schedule }) => schedule.interval === promise.interval);
    const active = this.#activeRuns(promise);
    const times = new Map<string, number | null>();
    for (const each of missing) {
      const run = active.find((candidate) => candidate.brings(each));
      const covering = fitting.filter(
        ({ provider, symbols }) => provider === each.provider && symbols.has(each.symbol),
      );
      const next = run === undefined ? earliest(covering, each.readyAt, times, { now, deadline }) : null;
      const paused = covering.find(({ schedule }) => !schedule.enabled)?.schedule.name ?? "";
      const what = run?.key ?? (next === null ? `none ${paused}` : `${next.schedule.schedule.id} ${next.at}`);
      const key = `${each.provider} ${each.readyAt} ${what}`;
      const known = works.get(key);
      if (known !== undefined) {
        known.symbols += 1;
        continue;
      }
      const work =
        run !== undefined ? run.work(now) : next === null ? null : await this.#workOf(next.schedule, next.at, now);
      works.set(key, { work, paused, symbols: 1, of: each });
    }
    const groups: MissingGroup[] = [];
    for (const { work, paused, symbols, of } of works.values()) {
      groups.push({
        ...{ symbols, work, pausedSchedule: paused, readyAt: of.readyAt },
        ...(await this.#providerOf(of.provider, now)),
      });
    }
    return groups;
  }

  async #providerOf(name: string, now: number) {
    const { db } = this.dependencies;
    const quota = this.dependencies.quotaOf(name);
    const limits: readonly Allowance[] = quota?.gauges ?? [];
    return {
      provider: findProvider(name)?.title ?? name,
      unusable: this.dependencies.provider(name) === undefined ? whyNotUsable(name) : null,
      refusedAt: await keyRefusedAt(db, name, now - REFUSED_MS),
      hold: quota?.hold ?? null,
      limits,
    };
  }

  /** Unfinished runs that fetch at the interval; `brings` says whether one fetches the bar of a symbol once it is final. */
  #activeRuns({ interval }: Pick<FreshnessPromise, "interval">) {
    const { registry } = this.dependencies;
    return [...registry.runs.values()]
      .filter(({ row, finishedAt }) => finishedAt === null && row.interval === interval && FETCHES.includes(row.mode))
      .flatMap((run) =>
        [false, true].map((isPaused) => ({
          key: `run ${run.row.id} ${isPaused}`,
          brings({ symbol, provider, readyAt, ts }: MissingSymbol): boolean {
            const state = run.jobs.get(symbol)?.state;
            const isThis = isPaused ? state === "paused" : state === "queued" || state === "running";
            const { row } = run;
            return isThis && row.provider === provider && row.asOf >= readyAt && row.rangeTo > ts;
          },
          work: (now: number) => ({ ...runWork(registry.summary(run), now), isPaused }),
        })),
      );
  }

  async #workOf({ schedule, provider, symbols }: FetchingSchedule, at: number, now: number): Promise<PlannedWork> {
    const cost = await this.#costOf(schedule, provider, symbols, now);
    const startsAt = at / 1_000;
    // The estimate is for now: what it waits for until then is over when the run starts.
    const expected = cost?.seconds == null ? null : cost.seconds;
    return {
      by: "schedule",
      name: schedule.name,
      startsAt,
      seconds: expected === null ? null : { expected, worst: WORST * expected },
      needs: cost === null ? null : { requests: cost.calls, units: cost.units },
      isPaused: false,
      limitedBy: "speed",
    };
  }

  async #costOf(schedule: Schedule, provider: string, symbols: ReadonlySet<string>, now: number) {
    const { interval, mode, years } = schedule;
    const key = `${schedule.id} ${provider} ${interval} ${mode} ${years} ${symbols.size}`;
    const known = this.#estimates.get(key);
    if (known !== undefined && now >= known.at && now - known.at < ESTIMATE_MS) return known.cost;
    const request = { symbols: [...symbols], mode, interval, years, provider, batchDays: RUN_DEFAULTS.batchDays };
    const cost = await this.dependencies.estimate(request);
    if (this.#estimates.size > 100) this.#estimates.clear();
    this.#estimates.set(key, { at: now, cost });
    return cost;
  }
}

/** What an unfinished run still does. */
function runWork(summary: RunSummary, now: number): PlannedWork {
  const { eta, blocked } = summary;
  const own = { by: "run", name: runTitle(summary), startsAt: now / 1_000, needs: null, isPaused: false } as const;
  if (eta !== null) return { ...own, seconds: { expected: eta.seconds, worst: eta.high }, limitedBy: eta.limitedBy };
  if (blocked === null) return { ...own, seconds: null, limitedBy: "speed" };
  // It goes on when the provider lets it, and how long it takes from then on is not known.
  const wait = Math.max(0, blocked.until - now / 1_000);
  return { ...own, seconds: { expected: wait, worst: wait }, limitedBy: blocked.by };
}

/** The first run of an enabled schedule after `readyAt` (epoch seconds) and before the deadline. */
function earliest(
  schedules: readonly FetchingSchedule[],
  readyAt: number,
  times: Map<string, number | null>,
  { now, deadline }: { readonly now: number; readonly deadline: number },
): { schedule: FetchingSchedule; at: number } | null {
  const from = Math.max(now, readyAt * 1_000);
  let best: { schedule: FetchingSchedule; at: number } | null = null;
  for (const each of schedules) {
    const { id, cron, timeZone, enabled } = each.schedule;
    if (!enabled) continue;
    const at = times.getOrInsertComputed(`${id} ${from}`, () => {
      // The expression leaves out the moment itself.
      const next = readCron(cron, timeZone).next(from - 1_000, 2);
      return next.find((time) => time >= from && time < deadline) ?? null;
    });
    if (at !== null && (best === null || at < best.at)) best = { schedule: each, at };
  }
  return best;
}
