/** Bars and quota levels of the last hour, by minute, counted since the server started. */

import { SlidingSum } from "../../domain/sliding-sum.ts";
import type { QuotaState } from "../../providers/quotas/quota-state.ts";

const MINUTE_MS = 60_000;
/** The width of a bucket of the present rate. */
const RATE_MS = 5_000;
/** Minutes that are kept. */
export const HOUR = 60;

type Gauge = QuotaState["gauges"][number];

/** How full the fullest limit of a provider was in one minute. */
interface Level {
  readonly minute: number;
  share: number;
}

/** The levels of a provider's quota, and the limit that was the fullest at the last sample. */
export interface QuotaHour {
  readonly provider: string;
  /** Share of the limit that was used, the highest of each minute, oldest first; `null` where it was not sampled. */
  readonly levels: readonly (number | null)[];
  readonly gauge: Gauge;
}

export class LastHour {
  readonly #bars: SlidingSum;
  readonly #rate: SlidingSum;
  readonly #quotas = new Map<string, { levels: Level[]; gauge: Gauge }>();

  constructor(private readonly now = Date.now) {
    this.#bars = new SlidingSum(MINUTE_MS, HOUR, now());
    this.#rate = new SlidingSum(RATE_MS, MINUTE_MS / RATE_MS, now());
  }

  /** Start of counting, epoch milliseconds. */
  get since(): number {
    return this.#bars.since;
  }

  countBars(bars: number): void {
    if (bars <= 0) return;
    this.#bars.add(bars, this.now());
    this.#rate.add(bars, this.now());
  }

  /** Bars stored in a second, over the last minute. */
  barsPerSecond(): number {
    return this.#rate.perMinute(this.now()) / 60;
  }

  /** Bars stored in each minute, oldest first, the last one still filling; `null` before the server started. */
  bars(): (number | null)[] {
    return this.#bars.values(this.now());
  }

  /** Records how full the quotas are. */
  sample(quotas: readonly QuotaState[]): void {
    const minute = Math.floor(this.now() / MINUTE_MS);
    for (const { provider, gauges } of quotas) {
      const gauge = gauges.reduce<Gauge | null>((a, b) => (a && shareOf(a) >= shareOf(b) ? a : b), null);
      if (gauge === null) continue;
      const levels: Level[] = this.#quotas.get(provider)?.levels ?? [];
      this.#quotas.set(provider, { levels, gauge });
      const last = levels.at(-1);
      if (last?.minute === minute) last.share = Math.max(last.share, shareOf(gauge));
      else levels.push({ minute, share: shareOf(gauge) });
      if (levels[0]!.minute <= minute - HOUR) levels.shift();
    }
  }

  quotas(): QuotaHour[] {
    const first = Math.floor(this.now() / MINUTE_MS) - HOUR + 1;
    return [...this.#quotas].map(([provider, { levels, gauge }]) => {
      const known = new Map(levels.map(({ minute, share }) => [minute, share]));
      return { provider, gauge, levels: Array.from({ length: HOUR }, (_, i) => known.get(first + i) ?? null) };
    });
  }
}

const shareOf = ({ used, limit }: Gauge) => (limit > 0 ? Math.min(1, used / limit) : 1);
