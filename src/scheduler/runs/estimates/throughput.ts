/** The speed of a run: over the last five minutes while it is open, on average once it is finished. */

import { SlidingSum } from "../../../domain/sliding-sum.ts";

/** Length of the window in seconds, with one bucket for each. */
const WINDOW = 300;
/** Shortest idle time (ms); a shorter pause, as between two symbols, counts as work. */
const MIN_IDLE_MS = 2_000;

export interface Rates {
  readonly symbolsPerMinute: number;
  readonly barsPerMinute: number;
  readonly requestsPerMinute: number;
}

export class Throughput {
  readonly #symbols: SlidingSum;
  readonly #bars: SlidingSum;
  readonly #requests: SlidingSum;
  readonly #whole = { symbols: 0, bars: 0, requests: 0 };
  #working = 0;
  /** Milliseconds worked on all symbols together, until `#busyAt`. */
  #busyMs = 0;
  #busyAt: number;
  #idleSince: number;
  #idleMs = 0;

  /** @param startedAt epoch milliseconds; `progress` the mean progress (0..100) that the run had by then */
  constructor(
    private readonly startedAt: number,
    readonly progress: number,
  ) {
    this.#idleSince = this.#busyAt = startedAt;
    this.#symbols = new SlidingSum(1_000, WINDOW, startedAt);
    this.#bars = new SlidingSum(1_000, WINDOW, startedAt);
    this.#requests = new SlidingSum(1_000, WINDOW, startedAt);
  }

  /** A worker has started a symbol. */
  begin(now: number): void {
    if (this.#working === 0) this.#idleMs += this.#idleFor(now);
    this.#addBusy(now);
    this.#working += 1;
  }

  /** A worker has ended a symbol. */
  end(now: number): void {
    this.#addBusy(now);
    this.#working -= 1;
    if (this.#working === 0) this.#idleSince = now;
  }

  /** Adds work that was done. A negative count, as after a retry, is ignored. */
  count(done: { readonly symbols: number; readonly bars: number; readonly requests: number }, now: number): void {
    const [symbols, bars, requests] = [done.symbols, Math.max(0, done.bars), Math.max(0, done.requests)];
    this.#symbols.add(symbols, now);
    this.#bars.add(bars, now);
    this.#requests.add(requests, now);
    this.#whole.symbols += symbols;
    this.#whole.bars += bars;
    this.#whole.requests += requests;
  }

  /** Milliseconds worked on the run: without the time in which all of it was paused or parked. */
  worked(now: number): number {
    const idle = this.#working === 0 ? this.#idleFor(now) : 0;
    return Math.max(0, now - this.startedAt - this.#idleMs - idle);
  }

  /** Bars that were fetched; `null` where the run had begun before this process. */
  get newBars(): number | null {
    return this.progress === 0 ? this.#whole.bars : null;
  }

  /** Symbols at work at once, on average while any was. */
  atOnce(now: number): number {
    const worked = this.worked(now);
    return worked > 0 ? (this.#busyMs + this.#working * (now - this.#busyAt)) / worked : this.#working;
  }

  #addBusy(now: number): void {
    this.#busyMs += this.#working * (now - this.#busyAt);
    this.#busyAt = now;
  }

  /** Over the last five minutes. */
  lately(now: number): Rates {
    return ratesPerMinute(this.#symbols.perMinute(now), this.#bars.perMinute(now), this.#requests.perMinute(now));
  }

  /** Over all the time that this process has worked on it. */
  onAverage(now: number): Rates {
    const { symbols, bars, requests } = this.#whole;
    const minutes = this.worked(now) / 60_000;
    return minutes > 0
      ? ratesPerMinute(symbols / minutes, bars / minutes, requests / minutes)
      : ratesPerMinute(0, 0, 0);
  }

  #idleFor(now: number): number {
    const idle = now - this.#idleSince;
    return idle < MIN_IDLE_MS ? 0 : idle;
  }
}

/** Rates, rounded: symbols and requests to a tenth, bars to whole numbers. */
export function ratesPerMinute(symbols: number, bars: number, requests: number): Rates {
  const tenth = (value: number) => Math.round(value * 10) / 10;
  return { symbolsPerMinute: tenth(symbols), barsPerMinute: Math.round(bars), requestsPerMinute: tenth(requests) };
}
