/** How many profiles there are of each health. With many profiles that takes a while, so it is not read for every scrape. */

import { createCalendar } from "../../domain/market/calendar.ts";
import { HEALTHS, type Health, healthClock } from "../../domain/profiles/health.ts";
import type { Services } from "../services.ts";

/** How long counts are good for, milliseconds. */
const FRESH_MS = 60_000;

export type HealthCounts = Readonly<Record<Health, number>>;

export class HealthCounter {
  #known: { readonly counts: HealthCounts; readonly at: number } | null = null;
  #reading: Promise<HealthCounts> | null = null;
  readonly #calendar;

  constructor(
    private readonly services: Pick<Services, "config" | "profiles">,
    private readonly now: () => number = Date.now,
  ) {
    this.#calendar = createCalendar(services.config.sessions);
  }

  /** The counts of at most a minute ago; scrapes that come together share one reading. */
  async counts(): Promise<HealthCounts> {
    if (this.#known !== null && this.now() - this.#known.at < FRESH_MS) return this.#known.counts;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #read(): Promise<HealthCounts> {
    const { profiles } = this.services;
    const at = this.now();
    const healths = await profiles.healthsOf(await profiles.all(), healthClock(this.#calendar, at));
    const counts = Object.fromEntries(HEALTHS.map((health) => [health, 0])) as Record<Health, number>;
    for (const health of healths) counts[health] += 1;
    this.#known = { counts, at };
    return counts;
  }
}
