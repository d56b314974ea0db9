/**
 * Reports on profiles, computed on the analysis thread when they are asked for, and kept as long as the bars behind them
 * are the same. A list of profiles has their drift counted in the background, and is answered with what is known.
 */

import { waitAtMost } from "../../clock.ts";
import type { ReadInterval } from "../../domain/market/interval.ts";
import { type DriftCount, isDrifted } from "../../domain/profiles/distribution.ts";
import type { Database } from "../../storage/db.ts";
import type { ProfileEntry } from "../../storage/profiles/profile-rows.ts";
import type { Analysis } from "./analysis.ts";
import type { FeatureReport } from "./feature-report.ts";
import type { SeriesReport } from "./series-report.ts";
import { type ComputedSource, seriesSource, sourceState } from "./source-state.ts";

/** Reports kept of each kind: those on features have a megabyte each. */
const KEPT = 12;
/** A longer series is not counted in the background: its page counts it. That many bars take about half a second. */
const MOST_BARS = 50_000;
/** Counting for a list that nobody has asked for this long stops, milliseconds. */
const FORGOTTEN_MS = 60_000;
/** So many missing profiles of a list are waited for, so long in milliseconds. */
const FEW = 10;
const FEW_MS = 200;
/** Tasks of a list that wait for the thread at once. */
const AHEAD = 2;

type Counted = Pick<ProfileEntry, "symbol" | "interval" | "seriesId" | "updatedAt" | "bars">;

export class Reports {
  readonly #features = new Kept<FeatureReport | null>();
  readonly #series = new Kept<SeriesReport | null>();
  /** By series; the state is the time of the profile. */
  readonly #counts = new Map<number, { readonly updatedAt: number; readonly count: DriftCount | null }>();
  #wanted: Counted[] = [];
  #askedAt = 0;
  #work: Promise<void> | null = null;
  #closed = false;

  constructor(
    private readonly db: Database,
    private readonly analysis: Analysis,
  ) {}

  /**
   * The report on the features of a profile, read at an interval; `null` without bars.
   * @throws Refusal if it takes too long
   */
  async features(source: ComputedSource, interval: ReadInterval): Promise<FeatureReport | null> {
    const state = await sourceState(this.db, source, interval);
    return this.#features.get(state, async () => {
      const series = await seriesSource(this.db, source);
      const report = await this.analysis.run({ kind: "features", symbol: source.symbol, interval, series });
      if (interval === source.interval) await this.#keepCount(source, report);
      return report;
    });
  }

  /** The report, if it is known within `waitMs` milliseconds; otherwise it is computed for the next request. */
  async featuresWithin(source: ComputedSource, interval: ReadInterval, waitMs: number): Promise<FeatureReport | null> {
    let found: FeatureReport | null = null;
    const work = this.features(source, interval).then(
      (report) => {
        found = report;
      },
      // The page of the features says why.
      () => {},
    );
    await waitAtMost(work, waitMs);
    return found;
  }

  /**
   * The report on the bars of a profile with `from` <= ts < `to` (epoch seconds); `null` without bars.
   * @throws Refusal if it takes too long
   */
  async series(
    source: ComputedSource,
    interval: ReadInterval,
    { from, to }: { readonly from: number; readonly to: number },
  ): Promise<SeriesReport | null> {
    const state = await sourceState(this.db, source, interval);
    return this.#series.get(`${state} ${from} ${to}`, async () => {
      const series = await seriesSource(this.db, source);
      return this.analysis.run({ kind: "series", symbol: source.symbol, interval, series, from, to });
    });
  }

  /**
   * The drift of profiles, in their order: `null` where there are too few bars, or too many to count in the background;
   * `undefined` where it is not counted yet. A few missing ones are waited for a moment; otherwise they are counted for the
   * next request.
   */
  async driftCounts(profiles: readonly Counted[]): Promise<(DriftCount | null | undefined)[]> {
    this.#askedAt = performance.now();
    this.#wanted = profiles.filter((profile) => profile.bars <= MOST_BARS && !this.#isCounted(profile));
    const missing = this.#wanted.length;
    if (missing > 0) {
      this.#work ??= this.#count().finally(() => {
        this.#work = null;
      });
      if (missing <= FEW) await waitAtMost(this.#work, FEW_MS);
    }
    return profiles.map((profile) => {
      if (this.#isCounted(profile)) return this.#counts.get(profile.seriesId)!.count;
      return profile.bars <= MOST_BARS ? undefined : null;
    });
  }

  close(): void {
    this.#closed = true;
  }

  #isCounted = ({ seriesId, updatedAt }: Counted): boolean => this.#counts.get(seriesId)?.updatedAt === updatedAt;

  async #keepCount({ seriesId, updatedAt }: ComputedSource, report: FeatureReport | null): Promise<void> {
    // Read late: a server that starts needs no formulas.
    const { JUDGED } = await import("../../features/judged.ts");
    this.#counts.set(seriesId, { updatedAt, count: report === null ? null : countDrift(report, JUDGED) });
  }

  async #count(): Promise<void> {
    const next = async () => {
      for (let profile = this.#wanted.shift(); profile !== undefined; profile = this.#wanted.shift()) {
        if (this.#closed || performance.now() - this.#askedAt > FORGOTTEN_MS) return;
        if (this.#isCounted(profile)) continue;
        try {
          const { symbol, interval } = profile;
          const series = await seriesSource(this.db, profile);
          await this.#keepCount(profile, await this.analysis.runLater({ kind: "features", symbol, interval, series }));
        } catch {
          // A profile that was deleted meanwhile, or a server that stops: the page of the profile says why.
          await this.#keepCount(profile, null);
        }
      }
    };
    await Promise.all(Array.from({ length: AHEAD }, next));
  }
}

/** Of the features that are judged, in catalogue order (features/judged.ts); `null` if none has an index. */
export function countDrift({ features }: FeatureReport, judged: readonly boolean[]): DriftCount | null {
  const drifts = features.flatMap(({ drift }, at) => (judged[at] && drift !== null ? [drift] : []));
  return drifts.length === 0 ? null : { drifted: drifts.filter(isDrifted).length, of: drifts.length };
}

/** The newest results by their state; one that is computed is not started again. */
class Kept<Result> {
  readonly #results = new Map<string, Promise<Result>>();

  get(state: string, compute: () => Promise<Result>): Promise<Result> {
    const known = this.#results.get(state);
    if (known !== undefined) return known;
    const result = compute();
    this.#results.set(state, result);
    // One that failed is tried again.
    result.catch(() => this.#results.delete(state));
    if (this.#results.size > KEPT) this.#results.delete(this.#results.keys().next().value!);
    return result;
  }
}
