/** The bars that a job has written to a series that had none, so that it need not read them back. */

import type { DayPrices } from "../domain/market/anomalies/scale-changes.ts";
import { BAR_FIELDS, type BarColumns, concatBars } from "../domain/market/bars.ts";

/** What every job may keep, however many are at work: days of eight years. */
const MOST_OF_EACH = 2_000;

/** How many bars the jobs of a thread may keep that write longer series. */
export class SharedBars {
  #left: number;

  /** @param most bars, 48 bytes each */
  constructor(most: number) {
    this.#left = most;
  }

  /** Takes `count` bars; `false`: there are not so many left, and none is taken. */
  take(count: number): boolean {
    if (count > this.#left) return false;
    this.#left -= count;
    return true;
  }

  giveBack(count: number): void {
    this.#left += count;
  }
}

export class WrittenBars {
  /** `null`: the series has others too. */
  #parts: BarColumns[] | null;
  #count = 0;
  /** Those of them that are taken from the thread's. */
  #taken = 0;
  #last = Number.NEGATIVE_INFINITY;

  /** @param isEmpty whether the series has no bars when the job begins */
  constructor(
    isEmpty: boolean,
    private readonly shared: SharedBars,
  ) {
    this.#parts = isEmpty ? [] : null;
  }

  /** These bars are stored after all others. */
  add(bars: BarColumns): void {
    const [first] = bars.ts;
    if (this.#parts === null || first === undefined) return;
    this.#count += bars.ts.length;
    if (first <= this.#last || !this.#mayKeep()) return void this.forget();
    this.#last = bars.ts[bars.ts.length - 1]!;
    this.#parts.push(bars);
  }

  #mayKeep(): boolean {
    if (this.#count <= MOST_OF_EACH) return true;
    const more = this.#count - this.#taken;
    if (!this.shared.take(more)) return false;
    this.#taken += more;
    return true;
  }

  /** Something else is changed, or nobody asks again. */
  forget(): void {
    this.#parts = null;
    this.shared.giveBack(this.#taken);
    this.#taken = 0;
  }

  /** All bars of the series as they are stored; `null` if they are not known, or there are none. */
  whole(): BarColumns | null {
    if (this.#parts === null || this.#count === 0) return null;
    const whole = sideBySide(this.#parts) ?? concatBars(this.#parts);
    this.#parts = [whole];
    // The same bits as from the database, which has no −0 and one NaN: a feature state has a checksum of them.
    return { ...whole, volume: whole.volume.map((value) => (Number.isNaN(value) ? Number.NaN : value + 0)) };
  }

  /** The same as days, of a daily series. */
  days(): readonly DayPrices[] | null {
    const whole = this.whole();
    if (whole === null) return null;
    const { ts, open, close, volume } = whole;
    return Array.from(ts, (date, at) => ({ date, open: open[at]!, close: close[at]!, volume: volume[at]! }));
  }
}

/** A view of all parts, if they follow each other in the same columns as the batches of a file do; otherwise `null`. */
function sideBySide(parts: readonly BarColumns[]): BarColumns | null {
  const [first] = parts;
  if (first === undefined) return null;
  const length = parts.reduce((sum, { ts }) => sum + ts.length, 0);
  const follows = parts.every(
    (part, at) =>
      at === 0 ||
      BAR_FIELDS.every((field) => {
        const before = parts[at - 1]![field];
        const { buffer, byteOffset } = part[field];
        return buffer === before.buffer && byteOffset === before.byteOffset + before.byteLength;
      }),
  );
  if (!follows) return null;
  const view = ({ buffer, byteOffset }: Float64Array) => new Float64Array(buffer, byteOffset, length);
  const { ts, open, high, low, close, volume } = first;
  return { ts: view(ts), open: view(open), high: view(high), low: view(low), close: view(close), volume: view(volume) };
}
