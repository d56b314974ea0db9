/** What the store knows of the bars of a series: their extent, whether the history is complete, and their health. */

import { isSynthetic } from "../../domain/defaults.ts";
import type { Interval } from "../../domain/market/interval.ts";
import { HEALTH_WORDS, type Health, healthClock } from "../../domain/profiles/health.ts";
import { CELL_WORDS, cellsOf, monthOf, monthText } from "../../domain/profiles/quality-map.ts";
import { isoDate, isoSecond } from "../../domain/time.ts";
import { listFindings } from "../../storage/market/quality/findings.ts";
import { seriesWithBars } from "../../storage/market/series.ts";
import { readMonthFacts } from "../../storage/profiles/month-facts.ts";
import type { ProfileEntry } from "../../storage/profiles/profile-rows.ts";
import type { Services } from "../services.ts";

/** Findings that are listed, the newest; a series may have hundreds. */
const MAX_FINDINGS = 20;

export interface SeriesCoverage {
  readonly symbol: string;
  readonly interval: Interval;
  readonly provider: string;
  /** Whether its bars are made up. */
  readonly synthetic: boolean;
  readonly first_bar: string | null;
  readonly last_bar: string | null;
  readonly bars: number | null;
  /** Whether the provider answered every window; `null` where it is not known. */
  readonly history_complete: boolean | null;
  readonly health: Health | "unknown";
  /** What that health means. */
  readonly meaning: string;
}

type CoverageServices = Pick<Services, "calendar" | "db" | "profiles">;

export class SeriesCoverages {
  readonly #calendar;
  constructor(private readonly services: CoverageServices) {
    this.#calendar = services.calendar;
  }

  /** The moment at which healths are stated. */
  clock() {
    return healthClock(this.#calendar, Date.now());
  }

  /** The coverage of profiles, in their order. */
  async ofProfiles(entries: readonly ProfileEntry[]): Promise<SeriesCoverage[]> {
    const healths = await this.services.profiles.healthsOf(entries, this.clock());
    return entries.map((entry, at) => coverageOf(entry, healths[at]!));
  }

  /** The coverage of every stored series of some symbols; one without a profile is of unknown health. */
  async ofSymbols(symbols: readonly string[], interval?: Interval): Promise<SeriesCoverage[]> {
    const wanted = new Set(symbols);
    const isWanted = (each: { symbol: string; interval: Interval }) =>
      wanted.has(each.symbol) && (interval === undefined || each.interval === interval);
    const profiles = await this.ofProfiles((await this.services.profiles.all()).filter(isWanted));
    const known = new Map(profiles.map((each) => [keyOf(each), each]));
    const stored = (await seriesWithBars(this.services.db, symbols)).filter(isWanted);
    return stored.map((each) => known.get(keyOf(each)) ?? unknownOf(each));
  }

  /** The coverage of every stored series of a symbol, with its findings. */
  async ofSymbol(symbol: string, interval?: Interval) {
    const stored = await seriesWithBars(this.services.db, [symbol]);
    const wanted = stored.filter((each) => interval === undefined || each.interval === interval);
    return Promise.all(wanted.map((each) => this.ofSeries(each)));
  }

  /** The coverage of one series, with its findings. */
  async ofSeries(series: {
    readonly id: number;
    readonly symbol: string;
    readonly interval: Interval;
    readonly provider: string;
  }) {
    const entry = (await this.services.profiles.all()).find(({ seriesId }) => seriesId === series.id);
    const coverage = entry === undefined ? unknownOf(series) : (await this.ofProfiles([entry]))[0]!;
    const findings = await listFindings(this.services.db, series.id);
    return {
      ...coverage,
      findings: findings.slice(-MAX_FINDINGS).map(({ kind, date, ratio }) => ({ kind, date: isoDate(date), ratio })),
      findings_in_all: findings.length,
    };
  }

  /** The state of each of the last `count` months of a symbol's profiles. */
  async months(symbol: string, interval: Interval | undefined, count: number) {
    const all = await this.services.profiles.all();
    const entries = all.filter(
      (entry) => entry.symbol === symbol && (interval === undefined || entry.interval === interval),
    );
    const now = Date.now() / 1_000;
    const last = monthOf(now);
    const months = Array.from({ length: count }, (_, at) => last - count + 1 + at);
    const facts = await readMonthFacts(this.services.db, entries, months, this.clock());
    return entries.flatMap((entry) => {
      const known = facts.get(entry.seriesId);
      if (known === undefined) return [];
      const cells = cellsOf(known, months, now);
      const named = cells.flatMap((cell, at) =>
        cell === null ? [] : [{ month: monthText(months[at]!), state: cell }],
      );
      return [{ interval: entry.interval, provider: entry.provider, months: named }];
    });
  }
}

/** What the states of months mean. */
export const MONTH_MEANINGS = Object.fromEntries(
  Object.entries(CELL_WORDS).map(([state, [, meaning]]) => [state, meaning]),
);

const keyOf = ({ symbol, interval, provider }: Pick<SeriesCoverage, "symbol" | "interval" | "provider">) =>
  `${symbol} ${interval} ${provider}`;

const coverageOf = (entry: ProfileEntry, health: Health): SeriesCoverage => ({
  symbol: entry.symbol,
  interval: entry.interval,
  provider: entry.provider,
  synthetic: isSynthetic(entry.provider),
  first_bar: isoSecond(entry.firstBar),
  last_bar: isoSecond(entry.lastBar),
  bars: entry.bars,
  history_complete: !entry.incomplete,
  health,
  meaning: HEALTH_WORDS[health][1],
});

const unknownOf = ({ symbol, interval, provider }: Pick<SeriesCoverage, "symbol" | "interval" | "provider">) => ({
  symbol,
  interval,
  provider,
  synthetic: isSynthetic(provider),
  first_bar: null,
  last_bar: null,
  bars: null,
  history_complete: null,
  health: "unknown" as const,
  meaning: "there are bars, but no profile of this series: no run that would judge it has ended yet",
});
