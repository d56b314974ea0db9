/** The bars that a job has written to a series that had none, so that it need not read them back. */

import type { DayPrices } from "../domain/market/anomalies/scale-changes.ts";
import { type BarColumns, concatBars } from "../domain/market/bars.ts";

/** A longer series is read from the database: many jobs are at work. Days of eight years. */
const MOST_BARS = 2_000;

export class WrittenBars {
  /** `null`: the series has others too. */
  #parts: BarColumns[] | null;
  #count = 0;
  #last = Number.NEGATIVE_INFINITY;

  /** @param isEmpty whether the series has no bars when the job begins */
  constructor(isEmpty: boolean) {
    this.#parts = isEmpty ? [] : null;
  }

  /** These bars are stored after all others. */
  add(bars: BarColumns): void {
    const [first] = bars.ts;
    if (this.#parts === null || first === undefined) return;
    this.#count += bars.ts.length;
    if (first <= this.#last || this.#count > MOST_BARS) return void this.forget();
    this.#last = bars.ts[bars.ts.length - 1]!;
    this.#parts.push(bars);
  }

  /** Something else is changed. */
  forget(): void {
    this.#parts = null;
  }

  /** All bars of the series as they are stored; `null` if they are not known, or there are none. */
  whole(): BarColumns | null {
    if (this.#parts === null || this.#count === 0) return null;
    const whole = concatBars(this.#parts);
    // The same bits as from the database, which has no −0 and one NaN: a feature state has a checksum of them.
    const { volume } = whole;
    for (let i = 0; i < volume.length; i++) volume[i] = Number.isNaN(volume[i]) ? Number.NaN : volume[i]! + 0;
    return whole;
  }

  /** The same as days, of a daily series. */
  days(): readonly DayPrices[] | null {
    const whole = this.whole();
    if (whole === null) return null;
    const { ts, open, close, volume } = whole;
    return Array.from(ts, (date, at) => ({ date, open: open[at]!, close: close[at]!, volume: volume[at]! }));
  }
}
