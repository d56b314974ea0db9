/** How fast a run goes: over the last minutes while it works, and over all of its work when it is done. */

import { SlidingSum } from "../../domain/sliding-sum.ts";

/** Seconds of the window, one bucket each. */
const WINDOW = 300;
/** A rest of the whole run shorter than this (ms) is part of the work: the time between two symbols. */
const SHORTEST_REST = 2_000;

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
  #restingSince: number;
  #rested = 0;

  /** @param startedAt epoch milliseconds; `progress` the mean progress (0..100) that the run had by then */
  constructor(
    private readonly startedAt: number,
    readonly progress: number,
  ) {
    this.#restingSince = startedAt;
    this.#symbols = new SlidingSum(1_000, WINDOW, startedAt);
    this.#bars = new SlidingSum(1_000, WINDOW, startedAt);
    this.#requests = new SlidingSum(1_000, WINDOW, startedAt);
  }

  /** A worker took up a symbol. */
  begin(now: number): void {
    if (this.#working === 0) this.#rested += this.#rest(now);
    this.#working += 1;
  }

  /** A worker let go of a symbol. */
  end(now: number): void {
    this.#working -= 1;
    if (this.#working === 0) this.#restingSince = now;
  }

  /** Something was done. A count that goes back, as a retry's may, is no work undone. */
  count(done: { readonly symbols: number; readonly bars: number; readonly requests: number }, now: number): void {
    const [symbols, bars, requests] = [done.symbols, Math.max(0, done.bars), Math.max(0, done.requests)];
    this.#symbols.add(symbols, now);
    this.#bars.add(bars, now);
    this.#requests.add(requests, now);
    this.#whole.symbols += symbols;
    this.#whole.bars += bars;
    this.#whole.requests += requests;
  }

  /** Milliseconds in which the run was worked on: not those in which it was paused or parked as a whole. */
  worked(now: number): number {
    const resting = this.#working === 0 ? this.#rest(now) : 0;
    return Math.max(0, now - this.startedAt - this.#rested - resting);
  }

  /** Over the last five minutes. */
  lately(now: number): Rates {
    return ratesPerMinute(this.#symbols.perMinute(now), this.#bars.perMinute(now), this.#requests.perMinute(now));
  }

  /** Over all the time in which it was worked on, by this process. */
  onAverage(now: number): Rates {
    const { symbols, bars, requests } = this.#whole;
    const minutes = this.worked(now) / 60_000;
    return minutes > 0
      ? ratesPerMinute(symbols / minutes, bars / minutes, requests / minutes)
      : ratesPerMinute(0, 0, 0);
  }

  #rest(now: number): number {
    const rest = now - this.#restingSince;
    return rest < SHORTEST_REST ? 0 : rest;
  }
}

/** Rates, rounded: symbols and requests to a tenth, bars to whole numbers. */
export function ratesPerMinute(symbols: number, bars: number, requests: number): Rates {
  const tenth = (value: number) => Math.round(value * 10) / 10;
  return { symbolsPerMinute: tenth(symbols), barsPerMinute: Math.round(bars), requestsPerMinute: tenth(requests) };
}
