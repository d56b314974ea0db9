/** Meters for a provider's limits: a sliding minute, and hours, days and months on the vendor's clock. */

import type { QuotaPeriod } from "../provider.ts";

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
 * requests take. All times are epoch milliseconds.
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

  /** The vendor counted more: the difference is taken until a minute from now. */
  atLeast(used: number, now: number): void {
    const more = Math.min(used, this.limit) - this.used(now);
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
