/** A sum over the last minutes or hours, in a ring of buckets. */

/**
 * A sum over the last `size` buckets of `bucketMs` each, which begin at multiples of their width; adding and reading take
 * constant time. All times are epoch milliseconds. An addition with an earlier time than the last one counts into the
 * newest bucket.
 */
export class SlidingSum {
  readonly #ring: Float64Array;
  #newest: number;
  #total = 0;

  /** @param since the moment from which on everything is counted */
  constructor(
    readonly bucketMs: number,
    readonly size: number,
    readonly since: number,
  ) {
    this.#ring = new Float64Array(size);
    this.#newest = Math.floor(since / bucketMs);
  }

  add(amount: number, now: number): void {
    this.#moveTo(now);
    this.#ring[this.#newest % this.size]! += amount;
    this.#total += amount;
  }

  /** The sum over the window that ends now. */
  total(now: number): number {
    this.#moveTo(now);
    return this.#total;
  }

  /** The sum per minute, over the counted part of the window; at least one bucket. */
  perMinute(now: number): number {
    const total = this.total(now);
    const begin = Math.max(this.since, (this.#newest - this.size + 1) * this.bucketMs);
    return (total / Math.max(this.bucketMs, now - begin)) * 60_000;
  }

  /** Each bucket's sum, oldest first; `null` for those that ended before counting began. */
  values(now: number): (number | null)[] {
    this.#moveTo(now);
    const first = this.#newest - this.size + 1;
    const known = Math.floor(this.since / this.bucketMs);
    return Array.from({ length: this.size }, (_, i) =>
      first + i < known ? null : this.#ring[(first + i) % this.size]!,
    );
  }

  /** Empties the buckets that have left the window. */
  #moveTo(now: number): void {
    const newest = Math.floor(now / this.bucketMs);
    const steps = Math.min(this.size, newest - this.#newest);
    for (let step = 1; step <= steps; step++) {
      const slot = (newest - steps + step) % this.size;
      this.#total -= this.#ring[slot]!;
      this.#ring[slot] = 0;
    }
    this.#newest = Math.max(this.#newest, newest);
  }
}
