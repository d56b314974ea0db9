/** The limiter of one provider and key: which request may be sent next, and when. */

import type { Clock } from "../../clock.ts";
import { messageOf, ProviderError } from "../../domain/errors.ts";
import { utcMinute } from "../../domain/time.ts";
import type { Permit, QuotaReport } from "../provider.ts";
import { FairQueue } from "./fair-queue.ts";
import type {
  AccountHooks,
  Block,
  Grant,
  LeasedPermit,
  LeaseRequest,
  QuotaRequest,
  SentRequest,
  Waiting,
} from "./grant.ts";
import { Hold } from "./hold.ts";
import { CLOCK_SET_MS, ClockedPeriod, MAX_UNITS, type QuotaLimit, SlidingMinute, unmetered, within } from "./meters.ts";
import type { QuotaGauge, QuotaRow, QuotaState } from "./quota-state.ts";
import { RecentRequests } from "./recent-requests.ts";

/** Changes of the expected end below this (ms) are not reported. */
const MIN_CHANGE_MS = 1_000;
/** Permits are leased ahead up to this part of every limit: what lies unused must not be missed by others. */
const SPARE = 0.5;

export class LimiterAccount {
  readonly #queue = new FairQueue<Waiting>();
  readonly #minutes: SlidingMinute[];
  readonly #periods: ClockedPeriod[];
  readonly #recent = new RecentRequests();
  #unsettled = 0;
  readonly #hold = new Hold();
  /** A restored one may lie before the start of the process, where its steady clock begins. */
  #lastGrant: number | null = null;
  #cancelTimer: (() => void) | null = null;
  /** The same account with other limits, since it has replaced this one. */
  #next: LimiterAccount | null = null;
  /** Epoch milliseconds less steady ones: what the machine's clock says now. */
  #offset: number;

  constructor(
    readonly provider: string,
    readonly account: string,
    limits: readonly QuotaLimit[],
    readonly clock: Clock,
    readonly hooks: AccountHooks,
  ) {
    this.#offset = clock.now() - clock.steady();
    this.#minutes = limits.filter(({ period }) => period === "minute").map((rule) => new SlidingMinute(rule));
    this.#periods = limits
      .filter(({ period }) => period !== "minute")
      .map((rule) => new ClockedPeriod(rule, this.#offset));
  }

  /** Steady milliseconds, in which all times of an account are; a clock that was set is noticed here. */
  #now(): number {
    const now = this.clock.steady();
    const offset = this.clock.now() - now;
    if (Math.abs(offset - this.#offset) >= CLOCK_SET_MS) this.#useClock(offset, now);
    this.#offset = offset;
    return now;
  }

  /** Epoch milliseconds of a steady time. */
  #epoch(time: number): number {
    return time + this.#offset;
  }

  acquire(request: QuotaRequest): Promise<Permit> {
    const { signal, cost } = request;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const never = [...this.#minutes, ...this.#periods].find((meter) => meter.weigh(cost) > meter.limit);
    if (never) {
      const { period } = never.rule;
      const message = `${this.provider}: one request costs ${cost} units, the ${period}'s limit is ${never.limit}`;
      return Promise.reject(new ProviderError("plan", message));
    }
    return new Promise((resolve, reject) => {
      const stop = () => {
        if (this.#queue.remove(waiting)) reject(signal?.reason);
      };
      const waiting: Waiting = { ...request, resolve, reject, stop, reported: Number.NEGATIVE_INFINITY };
      signal?.addEventListener("abort", stop, { once: true });
      this.#queue.push(waiting);
      const now = this.#now();
      // The waits of the others do not change; only the new request's has to be reported.
      if (!this.#grant(now).has(waiting)) this.#reportWait(waiting, this.#queue.size - 1, now);
      this.#setTimer(now);
      this.hooks.onChange?.();
    });
  }

  /** Grants as many requests ahead as its limits can spare. @throws Error if that cannot be stored */
  async lease({ count, ...request }: LeaseRequest): Promise<LeasedPermit[]> {
    const now = this.#now();
    const grants: Grant[] = [];
    while (grants.length < count && this.#canSpare(request.cost, now)) grants.push(this.#take(request, now, true));
    if (grants.length === 0) return [];
    // One object each: a permit that is returned takes back its own.
    const sent = grants.map((): SentRequest => ({ ...request }));
    try {
      await this.hooks.persist?.(this.rows(), sent);
    } catch (error) {
      for (const grant of grants) this.#revert(grant);
      throw error;
    }
    this.hooks.onChange?.();
    return grants.map((grant, i) => {
      this.#markSent(grant);
      return {
        settle: (report) => this.#settle(grant, report),
        unsent: () => {
          this.#revert(grant);
          this.hooks.unsent?.(sent[i]!);
        },
      };
    });
  }

  #canSpare(cost: number, now: number): boolean {
    if (this.#queue.size > 0 || this.#blockOf(cost, now) !== null) return false;
    return [...this.#minutes, ...this.#periods].every(
      (meter) => meter.used(now) + meter.weigh(cost) <= SPARE * meter.limit,
    );
  }

  /** Grants what may be sent, reports the waits of the others, and sets the timer for the next change. */
  #pump(): void {
    const now = this.#now();
    this.#grant(now);
    let place = 0;
    for (const waiting of [...this.#queue.candidates()]) this.#reportWait(waiting, place++, now);
    this.#setTimer(now);
    this.hooks.onChange?.();
  }

  #grant(now: number): Set<Waiting> {
    const granted: { waiting: Waiting; permit: Grant }[] = [];
    for (let next = this.#nextInTurn(now); next; next = this.#nextInTurn(now)) {
      this.#queue.serve(next);
      next.signal?.removeEventListener("abort", next.stop);
      granted.push({ waiting: next, permit: this.#take(next, now, false) });
    }
    if (granted.length > 0) this.#deliver(granted);
    return new Set(granted.map(({ waiting }) => waiting));
  }

  #nextInTurn(now: number): Waiting | null {
    for (const waiting of this.#queue.candidates()) {
      const block = this.#blockOf(waiting.cost, now);
      if (!block) return waiting;
      if (block.cause !== "quota") return null;
    }
    return null;
  }

  #blockOf(cost: number, now: number): Block | null {
    if (this.#hold.isOn(now)) return { cause: "hold", until: this.#hold.until, reason: this.#hold.reason };
    const spent = this.#periods.filter((period) => !period.fits(cost, now));
    if (spent.length > 0) {
      const period = spent.reduce((a, b) => (b.resetsAt(now) > a.resetsAt(now) ? b : a));
      const { counts } = period.rule;
      const reason = `the ${period.rule.period}'s quota of ${period.limit} ${counts} is used up`;
      return { cause: "quota", until: period.resetsAt(now), reason };
    }
    const minute = this.#minutes.find((meter) => !meter.fits(cost, now));
    return minute ? { cause: "rate", until: minute.freeAt(0, cost, now), reason: "requests a minute" } : null;
  }

  #take({ cost, run }: Pick<QuotaRequest, "cost" | "run">, now: number, isAhead: boolean): Grant {
    const slots = this.#minutes.map((minute) => ({ minute, slot: minute.take(cost, now) }));
    const starts = this.#periods.map((period) => ({ period, starts: period.take(cost, now) }));
    this.#unsettled += cost;
    this.#lastGrant = now;
    this.#recent.spend(run, cost, this.#epoch(now));
    return { cost, run, at: now, slots, starts, isAhead, answered: false, charged: cost };
  }

  /** Resolves the permits once they are stored, so that a crash in between loses no count. */
  async #deliver(granted: readonly { waiting: Waiting; permit: Grant }[]): Promise<void> {
    try {
      const sent = granted.map(({ waiting }) => waiting);
      const stored = this.hooks.persist?.(this.rows(), sent);
      if (stored) await stored;
    } catch (error) {
      for (const { waiting, permit } of granted) {
        this.#revert(permit);
        waiting.reject(new Error(`The quota of ${this.provider} could not be stored: ${messageOf(error)}`));
      }
      return;
    }
    for (const { waiting, permit } of granted) {
      if (waiting.signal?.aborted) {
        this.#revert(permit);
        this.hooks.unsent?.(waiting);
        waiting.reject(waiting.signal.reason);
      } else {
        this.#markSent(permit);
        waiting.resolve({ settle: (report) => this.#settle(permit, report) });
      }
    }
  }

  /** Storing may have waited for the database: the minute of a request begins when it is sent. */
  #markSent(grant: Grant): void {
    const now = this.#now();
    grant.at = now;
    for (const { minute, slot } of grant.slots) minute.sent(slot, now);
  }

  /** Reverts a grant that was never used. */
  #revert(grant: Grant): void {
    for (const { minute, slot } of grant.slots) minute.unsent(slot);
    this.#settle(grant, { charged: 0 });
  }

  #settle(grant: Grant, report: QuotaReport): void {
    const now = this.#now();
    if (!grant.answered) {
      grant.answered = true;
      this.#unsettled -= grant.cost;
      for (const { minute, slot } of grant.slots) minute.answered(slot, now);
      // A request that was not charged did not come as far as the provider.
      const latency = grant.isAhead ? report.ended && report.ended.seconds * 1_000 : now - grant.at;
      if (report.charged !== 0 && latency !== undefined) this.#recent.measure(latency, grant.cost);
    }
    if (report.charged !== undefined && report.charged !== grant.charged) {
      for (const { period, starts } of grant.starts) {
        period.refund(
          period.weigh(grant.charged) - (report.charged === 0 ? 0 : period.weigh(report.charged)),
          starts,
          now,
        );
      }
      this.#recent.spend(grant.run, report.charged - grant.charged, this.#epoch(now));
      grant.charged = report.charged;
    }
    this.report(report);
  }

  /** Applies the provider's report about its quota; its counts replace smaller ones. */
  report(report: QuotaReport): void {
    if (this.#next !== null) return void this.#next.report(report);
    const now = this.#now();
    for (const meter of [...this.#minutes, ...this.#periods]) {
      const { period, fixed, limit } = meter.rule;
      const stated = within(report.limits?.[period], 1, MAX_UNITS);
      if (stated !== undefined) meter.limit = fixed ? Math.min(limit, stated) : stated;
      const used = within(report.used?.[period], 0, Number.POSITIVE_INFINITY);
      if (used === undefined) continue;
      // The vendor has not counted requests in flight; the minute's meter counts them itself.
      meter.atLeast(period === "minute" ? used : used + this.#unsettled, now);
    }
    if (report.accepted) this.#hold.accepted();
    const spent = unmetered(report.used, [...this.#minutes, ...this.#periods]);
    const asked = "the provider asked for a pause";
    const hasChanged =
      report.holdSeconds !== undefined
        ? this.#hold.extend(report.holdSeconds, report.reason ?? asked, now)
        : spent !== null && this.#hold.extend(0, `the ${spent}'s quota is used up, and its limit is not set`, now);
    // Stored at once: the next grant, which would store it too, is what a hold prevents.
    if (hasChanged) void this.#store();
    this.#pump();
  }

  /** Ends a hold. It stays if that cannot be stored: a restart would bring it back. */
  async liftHold(): Promise<void> {
    const startedAt = Math.floor(this.#epoch(this.#now()) / 1_000);
    const ended: QuotaRow = { account: this.account, period: "hold", startedAt, used: 0 };
    await this.hooks.persist?.([...this.rows().filter(({ period }) => period !== "hold"), ended], []);
    this.#hold.lift();
    this.#pump();
  }

  async #store(): Promise<void> {
    try {
      await this.hooks.persist?.(this.rows(), []);
    } catch {
      // The next grant stores it, or is refused because nothing can be stored.
    }
  }

  /** Reports the expected wait of the request at `place` (from 0), or refuses it if that exceeds its `maxWait`. */
  #reportWait(waiting: Waiting, place: number, now: number): void {
    const block = this.#blockOf(waiting.cost, now);
    const long = block && block.cause !== "rate" ? block : null;
    if (long && waiting.maxWait !== undefined && long.until - now > waiting.maxWait * 1000) {
      this.#refuse(waiting, long, now);
    } else if (waiting.onWait) {
      const turn = Math.max(now, ...this.#minutes.map((minute) => minute.freeAt(place, waiting.cost, now)));
      const until = long?.until ?? turn;
      const end = this.#epoch(until);
      if (Math.abs(end - waiting.reported) < MIN_CHANGE_MS) return;
      waiting.reported = end;
      const { cause, reason } = block ?? { cause: "rate", reason: "requests a minute" };
      waiting.onWait({ cause, until: Math.ceil(end / 1_000) * 1_000 }, reason);
    }
  }

  #refuse(waiting: Waiting, block: Block, now: number): void {
    this.#queue.remove(waiting);
    waiting.signal?.removeEventListener("abort", waiting.stop);
    const kind = block.cause === "quota" ? "quota_exceeded" : "rate_limited";
    const message = `${this.provider}: ${block.reason}; resuming at ${utcMinute(this.#epoch(block.until))}`;
    waiting.reject(new ProviderError(kind, message, Math.ceil((block.until - now) / 1000)));
  }

  #setTimer(now: number): void {
    this.close();
    if (this.#queue.size === 0) return;
    const changes = [
      ...this.#minutes.map((minute) => minute.nextChange(now) ?? now + 5_000),
      ...this.#periods.map((period) => period.resetsAt(now)),
    ];
    const next = this.#hold.isOn(now) ? this.#hold.until : Math.min(...changes);
    this.#cancelTimer = this.clock.after(Math.max(1, next - now), () => this.#pump());
  }

  state(): QuotaState {
    const now = this.#now();
    const gauge = (meter: SlidingMinute | ClockedPeriod): QuotaGauge => ({
      period: meter.rule.period,
      counts: meter.rule.counts,
      used: meter.used(now),
      limit: meter.limit,
      resetsAt: meter instanceof ClockedPeriod ? Math.round(this.#epoch(meter.resetsAt(now)) / 1000) : null,
    });
    return {
      provider: this.provider,
      gauges: [...this.#minutes, ...this.#periods].map(gauge),
      hold: this.#hold.isOn(now)
        ? { until: Math.ceil(this.#epoch(this.#hold.until) / 1000), reason: this.#hold.reason }
        : null,
      waiting: this.#queue.size,
      latencyMs: this.#recent.latencyMs,
      unitsPerRequest: this.#recent.unitsPerRequest,
      spenders: this.#recent.spenders,
    };
  }

  /** The rows to store, for `restore` after a restart. */
  rows(): QuotaRow[] {
    const now = this.#now();
    const row = (period: QuotaRow["period"], startedAt: number, used: number): QuotaRow => ({
      account: this.account,
      period,
      startedAt: Math.ceil(startedAt / 1000),
      used,
    });
    const rows = this.#minutes.map((minute) => row("minute", this.#epoch(this.#lastGrant ?? 0), minute.used(now)));
    rows.push(...this.#periods.map((period) => row(period.rule.period, period.startedAt(now), period.used(now))));
    if (this.#hold.isOn(now)) rows.push(row("hold", this.#epoch(this.#hold.until), this.#hold.secondsLeft(now)));
    return rows;
  }

  /** @param clockSet how far the machine's clock was set since the rows were stored, milliseconds */
  restore(rows: readonly QuotaRow[], clockSet = 0): void {
    const now = this.#now();
    const offset = this.#offset;
    // First by the clock that they were stored by, then by the present one.
    this.#useClock(offset - clockSet, now);
    for (const { period, startedAt, used } of rows) {
      const age = this.#epoch(now) - startedAt * 1000;
      if (period === "minute" && age < 60_000) {
        // It is not known which of the last minute's requests were answered: all count for a minute from now.
        for (const minute of this.#minutes) minute.restore(used, now);
        this.#lastGrant = Math.max(this.#lastGrant ?? Number.NEGATIVE_INFINITY, now - Math.max(0, age));
      }
      if (period === "hold" && age < 0) this.#hold.restore(now - age, now, used);
      for (const meter of this.#periods) if (meter.rule.period === period) meter.restore(startedAt * 1000, used, now);
    }
    this.#useClock(offset, now);
    this.#pump();
  }

  #useClock(offset: number, now: number): void {
    if (offset !== this.#offset) for (const period of this.#periods) period.clockSet(offset, now);
    this.#offset = offset;
  }

  /** Moves all waiting requests to `next`, which replaces this account. */
  moveTo(next: LimiterAccount): void {
    if (next.account === this.account) this.#next = next;
    for (const waiting of [...this.#queue.candidates()]) {
      this.#queue.remove(waiting);
      waiting.signal?.removeEventListener("abort", waiting.stop);
      next.acquire(waiting).then(waiting.resolve, waiting.reject);
    }
    if (this.#queue.size > 0) this.moveTo(next);
    else this.close();
  }

  close(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }
}
