/**
 * The smallest values of a sliding window, in order, for what reads only its tails. Most bars change neither tail, so
 * keeping them takes a few comparisons where the whole window in order (sorted-window.ts) takes a search and a move.
 */

/**
 * How many values beyond the ones needed are kept after a rescan of the window, and the most that are kept: with fewer the
 * window is rescanned more often, with more a bar changes them more often.
 */
const FILLED = 12;
const MOST = 32;

/** The smallest values of direction·x among the last n; the first `count` of `kept` are valid, at least `least`. */
export class LeastValues {
  readonly kept: Float64Array;
  count = 0;
  readonly #window: Float64Array;

  constructor(
    readonly n: number,
    private readonly least: number,
    readonly direction: 1 | -1,
  ) {
    this.#window = new Float64Array(n);
    this.kept = new Float64Array(least + MOST);
  }

  /** Reads the n values before position `end`. */
  fill(x: Float64Array, end: number): void {
    const window = this.#window;
    for (let i = 0; i < this.n; i++) window[i] = this.direction * x[end - this.n + i]!;
    window.sort();
    this.count = Math.min(this.least + FILLED, this.n);
    this.kept.set(window.subarray(0, this.count));
  }

  /** Moves the window by one bar, to end with position t; says whether a kept value has changed. */
  slide(x: Float64Array, t: number): boolean {
    const { kept } = this;
    const leaving = this.direction * x[t - this.n]!;
    const coming = this.direction * x[t]!;
    const last = kept[this.count - 1]!;
    const leaves = leaving <= last;
    if (!leaves && coming >= last) return false;
    if (leaves) {
      let i = this.count - 1;
      for (let moved = kept[i]!; moved !== leaving && i > 0; i--) {
        const next = kept[i - 1]!;
        kept[i - 1] = moved;
        moved = next;
      }
      this.count--;
    }
    if (this.count < this.least) this.fill(x, t + 1);
    else if (coming < kept[this.count - 1]!) {
      // Those below the last are the smallest with the new one among them; the last one falls out of a full array.
      let i = Math.min(this.count, kept.length - 1);
      this.count = i + 1;
      for (; i > 0 && kept[i - 1]! > coming; i--) kept[i] = kept[i - 1]!;
      kept[i] = coming;
    }
    return true;
  }
}
