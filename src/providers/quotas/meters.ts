/** Meters for a provider's limits: a sliding minute, and hours, days and months on the vendor's clock. */

import type { QuotaPeriod, QuotaReport } from "../provider.ts";

/** One limit of a provider. */
export interface QuotaLimit {
  readonly period: QuotaPeriod;
  /** Whether every request counts as one, or with its cost. */
  readonly counts: "requests" | "units";
  readonly limit: number;
  /** Whether the user set it: a vendor that reports a higher limit does not raise it. */
  readonly fixed?: boolean;
  /** When the vendor's day begins, in seconds after midnight UTC. */
  readonly dayStart?: number;
}

/** No vendor's limit or count is larger. */
export const MAX_UNITS = 1e12;

/** A number from outside, if it is one from `least` to `most`. */
export const within = (value: number | undefined, least: number, most: number): number | undefined =>
  value !== undefined && value >= least && value <= most ? value : undefined;

/** A period that the provider says is spent, but that has no meter that would wait for its end. */
export function unmetered(
  used: QuotaReport["used"] = {},
  meters: readonly { readonly rule: QuotaLimit }[] = [],
): QuotaPeriod | null {
  const metered = meters.map(({ rule }) => rule.period);
  const spent = (Object.keys(used) as QuotaPeriod[]).filter((period) => used[period] === Number.POSITIVE_INFINITY);
  return spent.find((period) => !metered.includes(period)) ?? null;
}

const MINUTE = 60_000;
/** A request without an answer for this long (ms) counts as answered; longer than any request may take. */
const LOST_AFTER_MS = 125_000;

/** One request in the meter of the minute. */
export interface Slot {
  readonly cost: number;
  grantedAt: number;
}

/**
 * The last minute, as the vendor may count it. A slot is taken from the grant until a minute after the answer: the
 * request reached the vendor somewhere in between, so no minute of the vendor's clock exceeds the limit, however long
 * requests take. All times are steady milliseconds (`Clock.steady`).
 */
export class SlidingMinute {
  limit: number;
  readonly #inFlight = new Set<Slot>();
  /** Answered requests in the order in which their slots end. */
  readonly #answered: { endsAt: number; cost: number }[] = [];
  #used = 0;
  #seenAt = Number.NEGATIVE_INFINITY;

  constructor(readonly rule: QuotaLimit) {
    this.limit = rule.limit;
  }

  weigh(cost: number): number {
    return this.rule.counts === "units" ? cost : 1;
  }

  used(now: number): number {
    this.#follow(now);
    for (const slot of this.#inFlight) if (now - slot.grantedAt > LOST_AFTER_MS) this.answered(slot, now);
    let expired = 0;
    while (expired < this.#answered.length && this.#answered[expired]!.endsAt <= now)
      this.#used -= this.#answered[expired++]!.cost;
    if (expired > 0) this.#answered.splice(0, expired);
    return this.#used;
  }

  /** A clock that is set back does not make any slot last longer. */
  #follow(now: number): void {
    if (now < this.#seenAt) {
      for (const slot of this.#inFlight) slot.grantedAt = Math.min(slot.grantedAt, now);
      for (const slot of this.#answered) slot.endsAt = Math.min(slot.endsAt, now + MINUTE);
    }
    this.#seenAt = now;
  }

  fits(cost: number, now: number): boolean {
    return this.used(now) + this.weigh(cost) <= this.limit;
  }

  take(cost: number, now: number): Slot {
    this.#follow(now);
    const slot = { cost: this.weigh(cost), grantedAt: now };
    this.#inFlight.add(slot);
    this.#used += slot.cost;
    return slot;
  }

  /** The request was answered: its slot ends a minute from now. */
  answered(slot: Slot, now: number): void {
    if (this.#inFlight.delete(slot)) this.#answered.push({ endsAt: now + MINUTE, cost: slot.cost });
  }

  /** The request was never sent. */
  unsent(slot: Slot): void {
    if (this.#inFlight.delete(slot)) this.#used -= slot.cost;
  }

  /** The request is sent only now: until then it was not under way. */
  sent(slot: Slot, now: number): void {
    // One that waited for so long that it counted as lost is under way again.
    if (!this.#inFlight.has(slot)) this.#used += slot.cost;
    this.#inFlight.add(slot);
    slot.grantedAt = now;
  }

  /** The vendor counted more: the difference is taken until a minute from now. */
  atLeast(used: number, now: number): void {
    this.restore(Math.min(used, this.limit), now);
  }

  /** So much was taken within the last minute, perhaps under a higher limit. */
  restore(used: number, now: number): void {
    const more = used - this.used(now);
    if (more <= 0) return;
    this.#used += more;
    this.#answered.push({ endsAt: now + MINUTE, cost: more });
  }

  /** When the waiting request at `place` (from 0, all of `cost`) may be sent, if those before it take the free slots. */
  freeAt(place: number, cost: number, now: number): number {
    const free = Math.floor((this.limit - this.used(now)) / this.weigh(cost));
    if (place < free) return now;
    const ahead = (place - Math.max(0, free)) * this.weigh(cost);
    const round = Math.floor(ahead / Math.max(1, this.limit));
    let left = ahead % Math.max(1, this.limit);
    let at = now + MINUTE;
    for (const { endsAt, cost: freed } of this.#answered) {
      at = endsAt;
      left -= freed;
      if (left < 0) break;
    }
    return at + round * MINUTE;
  }

  /** When the next slot becomes free, or `null` if only an answer can free one. */
  nextChange(now: number): number | null {
    this.used(now);
    return this.#answered[0]?.endsAt ?? null;
  }
}

/** An hour, day or month on the vendor's clock; the count starts from zero at each reset. */
export class FixedPeriod {
  limit: number;
  #startedAt = Number.NEGATIVE_INFINITY;
  #used = 0;

  constructor(readonly rule: QuotaLimit) {
    this.limit = rule.limit;
  }

  /** The start of the current period, epoch milliseconds. */
  startedAt(now: number): number {
    const start = periodStart(this.rule, now);
    // A clock that is set back into an earlier period keeps the count: the vendor's own may include it.
    if (start > this.#startedAt) this.#used = 0;
    this.#startedAt = start;
    return start;
  }

  used(now: number): number {
    this.startedAt(now);
    return this.#used;
  }

  resetsAt(now: number): number {
    return periodEnd(this.rule, this.startedAt(now));
  }

  weigh(cost: number): number {
    return this.rule.counts === "units" ? cost : 1;
  }

  fits(cost: number, now: number): boolean {
    return this.used(now) + this.weigh(cost) <= this.limit;
  }

  take(cost: number, now: number): void {
    this.startedAt(now);
    this.#used += this.weigh(cost);
  }

  /** Returns (or, if negative, takes) units of a request that was granted in the period begun at `startedAt`. */
  refund(units: number, startedAt: number, now: number): void {
    if (this.startedAt(now) === startedAt) this.#used = Math.max(0, this.#used - units);
  }

  atLeast(used: number, now: number): void {
    this.startedAt(now);
    this.#used = Math.max(this.#used, Math.min(used, this.limit));
  }
}

/** A clock that differs from the steady one by this much more than before was set, milliseconds. */
export const CLOCK_SET_MS = 2_000;
/** Clocks that count at a time. */
const MAX_CLOCKS = 3;

/** A period as one clock has it: `offset` is that clock's time less the steady one, milliseconds. */
interface ClockView {
  readonly offset: number;
  readonly period: FixedPeriod;
}

/** The periods in which a request was counted, and when each began by its own clock. */
export type PeriodStarts = readonly {
  readonly period: FixedPeriod;
  readonly startedAt: number;
  readonly offset: number;
}[];

/**
 * A fixed period when the machine's clock may be set. Whether the old or the new time is right is not known, so every
 * request counts by both, and the period is over when it is over by both: a clock that is set, forwards or back, allows no
 * request more. Times are steady milliseconds (`Clock.steady`).
 */
export class ClockedPeriod {
  /** The newest last. */
  #views: ClockView[];

  constructor(
    readonly rule: QuotaLimit,
    offset: number,
  ) {
    this.#views = [{ offset, period: new FixedPeriod(rule) }];
  }

  get limit(): number {
    return this.#newest.period.limit;
  }

  set limit(limit: number) {
    for (const { period } of this.#views) period.limit = limit;
  }

  weigh(cost: number): number {
    return this.#newest.period.weigh(cost);
  }

  /** The machine's clock was set: from now on its time is the steady one and `offset`. */
  clockSet(offset: number, now: number): void {
    const used = this.used(now);
    const known = this.#views.find((view) => Math.abs(view.offset - offset) < CLOCK_SET_MS);
    const view = known ?? { offset, period: new FixedPeriod(this.rule) };
    view.period.limit = this.limit;
    this.#views = [...this.#views.filter((each) => each !== view), view].slice(-MAX_CLOCKS);
    view.period.atLeast(used, now + view.offset);
  }

  used(now: number): number {
    return Math.max(...this.#views.map(({ offset, period }) => period.used(now + offset)));
  }

  fits(cost: number, now: number): boolean {
    return this.#views.every(({ offset, period }) => period.fits(cost, now + offset));
  }

  /** When the next period begins, by the clock that has counted most. */
  resetsAt(now: number): number {
    const used = this.used(now);
    const full = this.#views.filter(({ offset, period }) => period.used(now + offset) === used);
    return Math.max(...full.map(({ offset, period }) => period.resetsAt(now + offset) - offset));
  }

  /** The start of the current period by the newest clock, epoch milliseconds. */
  startedAt(now: number): number {
    const { offset, period } = this.#newest;
    return period.startedAt(now + offset);
  }

  take(cost: number, now: number): PeriodStarts {
    return this.#views.map(({ offset, period }) => {
      period.take(cost, now + offset);
      return { period, offset, startedAt: period.startedAt(now + offset) };
    });
  }

  /** Returns (or, if negative, takes) units of a request where it was counted. */
  refund(units: number, starts: PeriodStarts, now: number): void {
    for (const { period, offset, startedAt } of starts) period.refund(units, startedAt, now + offset);
  }

  atLeast(used: number, now: number): void {
    for (const { offset, period } of this.#views) period.atLeast(used, now + offset);
  }

  /**
   * Continues a count that was stored for the period begun at `startedAt` (epoch milliseconds). One that has not begun yet
   * shows that the clock was set back since: it counts now.
   */
  restore(startedAt: number, used: number, now: number): void {
    if (startedAt >= this.startedAt(now)) this.atLeast(used, now);
  }

  get #newest(): ClockView {
    return this.#views[this.#views.length - 1]!;
  }
}

function periodStart({ period, dayStart = 0 }: QuotaLimit, now: number): number {
  const date = new Date(now - dayStart * 1000);
  const [year, month, day, hour] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate(), date.getUTCHours()];
  if (period === "hour") return Date.UTC(year, month, day, hour) + dayStart * 1000;
  if (period === "month") return Date.UTC(year, month, 1) + dayStart * 1000;
  return Date.UTC(year, month, day) + dayStart * 1000;
}

function periodEnd({ period, dayStart = 0 }: QuotaLimit, start: number): number {
  if (period === "hour") return start + 3_600_000;
  if (period === "day") return start + 86_400_000;
  const date = new Date(start - dayStart * 1000);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) + dayStart * 1000;
}
