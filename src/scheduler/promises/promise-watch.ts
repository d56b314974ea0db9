/** Judges deadlines that have passed, forecasts the next ones, and reports what is at risk, missed or recovered. */

import type { Clock } from "../../clock.ts";
import type { PromiseEvent } from "../../domain/alerts.ts";
import { messageOf } from "../../domain/errors.ts";
import { type BurnDownStep, burnDown } from "../../domain/promises/burn-down.ts";
import { deadlinesBetween, nextDeadline } from "../../domain/promises/deadlines.ts";
import { type Forecast, forecast } from "../../domain/promises/forecast.ts";
import {
  type FreshnessCounts,
  type FreshnessPromise,
  NAMED_SYMBOLS,
  type PromiseInput,
  type PromiseResult,
} from "../../domain/promises/promise.ts";
import { utcMinute } from "../../domain/time.ts";
import type { Log } from "../../log.ts";
import { isRecorded, recordStatements } from "../../storage/alerts/outbox.ts";
import { withoutWaitLimit } from "../../storage/connection/wait-limit.ts";
import {
  isNotJudged,
  isStillMissed,
  readPromises,
  recoveryWrite,
  resultsOf,
  resultWrites,
  setPromiseChecked,
} from "../../storage/promises/promises.ts";
import { type KnownArrivals, readFreshness, readGaps } from "./freshness.ts";
import { eventOf, judge } from "./judge.ts";
import { type PlanDependencies, PlannedWorks } from "./planned-work.ts";

/** Time between two checks, milliseconds. */
const CHECK_MS = 2 * 60_000;
/** Time from the end of a run to a check, milliseconds: several may end together. */
const SOON_MS = 2_000;
/**
 * How long after a deadline it is judged, milliseconds: what arrived before it may still be on its way into the database.
 */
const SETTLE_MS = 2_000;
/** Deadlines of one promise that are judged at most: those of months in which the server did not run. */
const MAX_JUDGED = 100;
/** A promise that was checked further ahead than this (ms) was so by a clock that was set back since. */
const AHEAD_MS = 60_000;

export interface PromiseStatus extends FreshnessCounts, Forecast {
  /** The next deadline, epoch milliseconds; `null` if none is near. */
  readonly deadline: number | null;
  readonly gaps: { readonly open: number; readonly confirmed: number };
  /** The first of the missing symbols. */
  readonly symbols: readonly string[];
  /** When the first of the sessions ends that are needed, epoch milliseconds. */
  readonly from: number;
  /** How many symbols were missing from then on, up to now; empty before. */
  readonly burnDown: readonly BurnDownStep[];
  /** When it was read, epoch milliseconds. */
  readonly at: number;
}

interface Dependencies extends PlanDependencies {
  readonly log: Log;
  readonly clock: Clock;
  /** What keeps the database from being written, in one sentence; `null` if nothing does. */
  trouble(): string | null;
  /** An alert event was recorded. */
  onAlert(): void;
}

export class PromiseWatch {
  readonly #plans: PlannedWorks;
  readonly #statuses = new Map<number, PromiseStatus>();
  #names: readonly Pick<FreshnessPromise, "id" | "name">[] = [];
  /** Arrivals by promise and deadline. */
  readonly #known = new Map<string, KnownArrivals>();
  /** The deadlines that were reported to be at risk, by promise. */
  readonly #warned = new Map<number, number>();
  readonly #listeners = new Set<(event: PromiseEvent) => void>();
  #cancelTimer: (() => void) | null = null;
  #dueAt = Number.POSITIVE_INFINITY;
  #closed = false;
  #hasFailed = false;
  #checking: Promise<void> = Promise.resolve();

  constructor(private readonly dependencies: Dependencies) {
    this.#plans = new PlannedWorks(dependencies);
  }

  /** What is known of all enabled promises since the last check, in the order of their names. */
  statuses(): { readonly id: number; readonly name: string; readonly status: PromiseStatus }[] {
    return this.#names.flatMap(({ id, name }) => {
      const status = this.#statuses.get(id);
      return status === undefined ? [] : [{ id, name, status }];
    });
  }

  /** What is known of a promise since the last check; `undefined` before the first, and for a paused one. */
  statusOf(id: number): PromiseStatus | undefined {
    return this.#statuses.get(id);
  }

  /** Follows what is reported; returns the function that stops it. */
  onEvent(listener: (event: PromiseEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Judges, forecasts and reports now, and sets the timer for the next check. */
  check(): Promise<void> {
    return withoutWaitLimit(() => {
      this.#checking = this.#checking.then(() => this.#check());
      return this.#checking;
    });
  }

  /** Judges the deadlines that have passed, before anything is fetched after a start. */
  judgePassed(): Promise<void> {
    return withoutWaitLimit(() => {
      this.#checking = this.#checking.then(() => this.#attempt(() => this.#judgeAll()));
      return this.#checking;
    });
  }

  /** Checks soon, because something has changed. */
  notify(): void {
    if (!this.#closed) this.#checkIn(SOON_MS);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    await this.#checking;
  }

  #checkIn(milliseconds: number): void {
    const dueAt = this.dependencies.clock.steady() + milliseconds;
    if (dueAt >= this.#dueAt) return;
    this.#cancelTimer?.();
    this.#dueAt = dueAt;
    this.#cancelTimer = this.dependencies.clock.after(milliseconds, () => {
      this.#dueAt = Number.POSITIVE_INFINITY;
      void this.check();
    });
  }

  async #check(): Promise<void> {
    if (this.#closed) return;
    await this.#attempt(async () => {
      await this.#judgeAll();
      await this.#forecastAll();
    });
    if (this.#closed) return;
    const now = this.dependencies.clock.now();
    const deadlines = [...this.#statuses.values()].flatMap(({ deadline }) => deadline ?? []);
    this.#checkIn(Math.max(1, Math.min(CHECK_MS, ...deadlines.map((at) => at + SETTLE_MS - now))));
  }

  /** Does `work`; a failure is logged once until it succeeds again. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed)
        this.dependencies.log.write("warn", `Promises could not be checked and will be again: ${messageOf(error)}`);
      this.#hasFailed = true;
    }
  }

  async #judgeAll(): Promise<void> {
    const { db, calendar, clock } = this.dependencies;
    for (const found of await readPromises(db)) {
      if (!found.enabled) continue;
      const promise = await this.#notInFuture(found);
      const range = { after: promise.checkedAt, until: clock.now() - SETTLE_MS, limit: MAX_JUDGED };
      for (const deadline of deadlinesBetween(promise, calendar, range)) await this.#judge(promise, deadline);
    }
  }

  /** A promise that was last checked in the future, because the clock was set back, counts from now on. */
  async #notInFuture(promise: FreshnessPromise): Promise<FreshnessPromise> {
    const { db, clock, log } = this.dependencies;
    const now = clock.now();
    if (promise.checkedAt <= now + AHEAD_MS) return promise;
    log.write("warn", `Promise ${promise.name} was last checked in the future: the clock was set back`);
    await setPromiseChecked(db, promise.id, now);
    return { ...promise, checkedAt: now };
  }

  async #judge(promise: FreshnessPromise, deadline: number): Promise<void> {
    const { db, clock, log } = this.dependencies;
    const before = this.#statuses.get(promise.id);
    const why = before?.deadline === deadline ? whyOf(before) : "";
    const now = clock.now();
    const known = this.#knownOf(promise, deadline);
    const result = await judge(this.dependencies, promise, { deadline, now, known, why });
    const missed = result.outcome === "missed" ? [missedEvent(promise, result)] : [];
    await db.write([
      ...recordStatements(missed, isNotJudged(promise.id, deadline)),
      ...resultWrites(promise.id, result),
      // What an earlier deadline lacked is there, too, if a later one is kept.
      ...(result.outcome === "kept" ? await this.#recoveries(promise, deadline, now) : []),
    ]);
    const level = result.outcome === "missed" ? "warn" : "info";
    const note = result.note === "" ? "" : `: ${result.note}`;
    log.write(level, `Promise ${promise.name}: the deadline of ${utcMinute(deadline)} was ${said(result)}${note}`);
    this.#report(missed);
  }

  /** The statements that record that the last missed deadline has recovered, if there is one that has not. */
  async #recoveries(promise: FreshnessPromise, until: number, now: number) {
    const last = await this.#lastMissed(promise);
    if (last === undefined || last.deadline > until) return [];
    const event = eventOf(
      "freshness_recovered",
      promise,
      { ...last, missing: 0, symbols: [] },
      { at: now, reason: "" },
    );
    return [
      ...recordStatements([event], isStillMissed(promise.id, last.deadline)),
      recoveryWrite(promise.id, last.deadline, now),
    ];
  }

  /** The newest result, if it was missed and has not recovered. */
  async #lastMissed({ id }: FreshnessPromise): Promise<PromiseResult | undefined> {
    const [last] = (await resultsOf(this.dependencies.db, [id], 1)).get(id) ?? [];
    return last?.outcome === "missed" && last.recoveredAt === null ? last : undefined;
  }

  async #forecastAll(): Promise<void> {
    const { db } = this.dependencies;
    const promises = (await readPromises(db)).filter(({ enabled }) => enabled);
    this.#names = promises;
    const ids = new Set(promises.map(({ id }) => id));
    for (const id of this.#statuses.keys()) if (!ids.has(id)) this.#statuses.delete(id);
    if (promises.length === 0) return;
    const schedules = await this.#plans.schedules();
    for (const promise of promises) {
      if (this.#isSettling(promise)) continue;
      const status = await this.#statusOf(promise, schedules);
      this.#statuses.set(promise.id, status);
      await this.#warn(promise, status);
      await this.#recover(promise);
    }
  }

  /** Whether a deadline has passed that is not judged yet: what was forecast of it is still needed. */
  #isSettling({ id, checkedAt }: FreshnessPromise): boolean {
    const deadline = this.#statuses.get(id)?.deadline ?? Number.POSITIVE_INFINITY;
    const since = this.dependencies.clock.now() - deadline;
    return deadline > checkedAt && since >= 0 && since < SETTLE_MS;
  }

  /** What a promise means now, whether it is stored or not. */
  async preview(promise: PromiseInput): Promise<PromiseStatus> {
    return this.#statusOf({ ...promise, id: 0, checkedAt: 0 }, await this.#plans.schedules());
  }

  async #statusOf(
    promise: FreshnessPromise,
    schedules: Awaited<ReturnType<PlannedWorks["schedules"]>>,
  ): Promise<PromiseStatus> {
    const { db, calendar, clock } = this.dependencies;
    const now = clock.now();
    const deadline = nextDeadline(promise, calendar, now);
    const needed = deadline ?? now;
    const known = promise.id === 0 ? new Map() : this.#knownOf(promise, needed);
    const freshness = await readFreshness(this.dependencies, promise, needed, { known });
    const gaps = await readGaps(db, freshness.seriesIds, promise, needed);
    const { total, fresh, missing, unknown, from } = freshness;
    const groups = await this.#plans.groups(promise, freshness.missingSymbols, schedules, { now, deadline: needed });
    const found = forecast({
      now: now / 1_000,
      deadline: needed / 1_000,
      counts: freshness,
      groups,
      gaps: { ...gaps, most: promise.maxGaps },
      trouble: this.dependencies.trouble(),
    });
    return {
      ...{ deadline, total, fresh, missing, unknown, gaps, from, at: now },
      ...found,
      symbols: freshness.missingSymbols.slice(0, NAMED_SYMBOLS).map(({ symbol }) => symbol),
      burnDown: from > now ? [] : burnDown(freshness.arrivals.values(), { total: total - unknown, from, until: now }),
    };
  }

  /** Reports a deadline at risk, once, from the promise's hours before it on. */
  async #warn(promise: FreshnessPromise, status: PromiseStatus): Promise<void> {
    const { deadline, state, at } = status;
    if (deadline === null || (state !== "at_risk" && state !== "will_be_missed")) return;
    if (deadline - at > promise.warnHours * 3_600_000 || this.#warned.get(promise.id) === deadline) return;
    const event = eventOf("freshness_at_risk", promise, { ...status, deadline }, { at, reason: whyOf(status) });
    const { db, log } = this.dependencies;
    this.#warned.set(promise.id, deadline);
    // An earlier start of the server has reported it.
    if (await isRecorded(db, event)) return;
    await db.write(recordStatements([event]));
    const what = state === "at_risk" ? "is at risk" : "will be missed";
    log.write("warn", `Promise ${promise.name}: the deadline of ${utcMinute(deadline)} ${what}: ${event.reason}`);
    this.#report([event]);
  }

  /** Reports that all is there which the last missed deadline needed. */
  async #recover(promise: FreshnessPromise): Promise<void> {
    const last = await this.#lastMissed(promise);
    if (last === undefined) return;
    const { db, log, clock } = this.dependencies;
    const known = this.#knownOf(promise, last.deadline);
    const { seriesIds, ...counts } = await readFreshness(this.dependencies, promise, last.deadline, { known });
    if (counts.missing > 0 || counts.unknown > 0 || counts.total === 0) return;
    const { open, confirmed } = await readGaps(db, seriesIds, promise, last.deadline);
    if (open + confirmed > promise.maxGaps) return;
    await db.write(await this.#recoveries(promise, last.deadline, clock.now()));
    log.write("info", `Promise ${promise.name}: all that the deadline of ${utcMinute(last.deadline)} needed is stored`);
    this.dependencies.onAlert();
  }

  #knownOf({ id, interval, provider }: FreshnessPromise, deadline: number): KnownArrivals {
    const key = `${id} ${interval} ${provider} ${deadline}`;
    const known = this.#known.get(key) ?? new Map();
    // The newest stay: of each promise its next deadline, and perhaps a missed one.
    this.#known.delete(key);
    this.#known.set(key, known);
    if (this.#known.size > MAX_JUDGED) this.#known.delete(this.#known.keys().next().value!);
    return known;
  }

  #report(events: readonly PromiseEvent[]): void {
    if (events.length === 0) return;
    this.dependencies.onAlert();
    for (const event of events) for (const listener of this.#listeners) listener(event);
  }
}

const missedEvent = (promise: FreshnessPromise, result: PromiseResult): PromiseEvent =>
  eventOf("freshness_missed", promise, result, { at: result.judgedAt, reason: result.note });

const said = ({ outcome }: PromiseResult) => (outcome === "unknown" ? "neither proved kept nor missed" : outcome);

/** Why a deadline is in danger: the worst reason, and how many others there are. */
function whyOf({ reasons }: Pick<PromiseStatus, "reasons">): string {
  const [first, ...others] = reasons.filter(({ state }) => state === "at_risk" || state === "will_be_missed");
  if (first === undefined) return "";
  return others.length === 0 ? first.text : `${first.text} (and ${others.length} more)`;
}
