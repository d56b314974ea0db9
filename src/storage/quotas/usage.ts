/** Requests and weighted units spent per provider and minute: counted in memory, written to the database later. */

import { gte, sql } from "drizzle-orm";
import { DAY } from "../../domain/market/interval.ts";
import type { Database } from "../db.ts";
import { DeferredWrite } from "../deferred-write.ts";
import { apiUsage } from "../schema/quotas.ts";

const MINUTE = 60;

interface Count {
  readonly provider: string;
  readonly minute: number;
  requests: number;
  units: number;
}

export interface Usage {
  readonly provider: string;
  readonly lastMinute: { readonly requests: number; readonly units: number };
  /** Since midnight UTC. */
  readonly today: { readonly requests: number; readonly units: number };
}

/** The earliest minute that is still needed, epoch seconds: one before midnight UTC, or an hour ago. */
const earliestMinute = (seconds: number) => Math.min(seconds - (seconds % DAY) - MINUTE, seconds - 60 * MINUTE);

export class UsageStore {
  readonly #counts = new Map<string, Count>();
  readonly #dirty = new Set<Count>();
  readonly #deferred: DeferredWrite;

  private constructor(
    private readonly db: Database,
    onError: (error: unknown) => void,
    private readonly now: () => number,
  ) {
    this.#deferred = new DeferredWrite(() => this.#write(), onError);
  }

  /** Reads what was spent today and in the last hour, so that a restart loses nothing. */
  static async open(db: Database, onError: (error: unknown) => void, now = Date.now): Promise<UsageStore> {
    const store = new UsageStore(db, onError, now);
    const seconds = Math.floor(now() / 1000);
    const rows = await db.orm
      .select()
      .from(apiUsage)
      .where(gte(apiUsage.minute, earliestMinute(seconds)));
    for (const row of rows) store.#counts.set(`${row.provider} ${row.minute}`, row);
    return store;
  }

  /** Adds to the current minute of a provider. */
  count(provider: string, units: number, requests = 1): void {
    const seconds = Math.floor(this.now() / 1000);
    const minute = seconds - (seconds % MINUTE);
    const key = `${provider} ${minute}`;
    let count = this.#counts.get(key);
    if (count === undefined) {
      count = { provider, minute, requests: 0, units: 0 };
      this.#counts.set(key, count);
      this.#dropBefore(earliestMinute(seconds));
    }
    count.requests += requests;
    count.units += units;
    this.#dirty.add(count);
    this.#deferred.request();
  }

  /** What was spent with each provider in the current minute and today (UTC). */
  usage(): Usage[] {
    const seconds = Math.floor(this.now() / 1000);
    const found = new Map<string, { lastMinute: Count; today: Count }>();
    const none = (provider: string) => ({ provider, minute: 0, requests: 0, units: 0 });
    for (const { provider, minute, requests, units } of this.#counts.values()) {
      const sums = found.get(provider) ?? { lastMinute: none(provider), today: none(provider) };
      found.set(provider, sums);
      const add = (to: Count) => {
        to.requests += requests;
        to.units += units;
      };
      if (minute > seconds - MINUTE) add(sums.lastMinute);
      if (minute >= seconds - (seconds % DAY)) add(sums.today);
    }
    return [...found].map(([provider, { lastMinute, today }]) => ({
      provider,
      lastMinute: { requests: lastMinute.requests, units: lastMinute.units },
      today: { requests: today.requests, units: today.units },
    }));
  }

  /** Requests to each provider per minute for the last `count` minutes (at most 60), oldest first, current one last. */
  minutes(count: number): Map<string, number[]> {
    const seconds = Math.floor(this.now() / 1000);
    const first = seconds - (seconds % MINUTE) - (count - 1) * MINUTE;
    const found = new Map<string, number[]>();
    for (const { provider, minute, requests } of this.#counts.values()) {
      if (minute < first) continue;
      const minutes = found.get(provider) ?? Array.from({ length: count }, () => 0);
      found.set(provider, minutes);
      minutes[(minute - first) / MINUTE] = requests;
    }
    return found;
  }

  /** Writes what has been counted since the last write. */
  flush(): Promise<void> {
    return this.#deferred.flush();
  }

  close(): Promise<void> {
    return this.#deferred.close();
  }

  async #write(): Promise<void> {
    if (this.#dirty.size === 0) return;
    const counts = [...this.#dirty];
    const rows = counts.map((count) => ({ ...count }));
    this.#dirty.clear();
    try {
      await this.#store(rows);
    } catch (error) {
      for (const count of counts) this.#dirty.add(count);
      throw error;
    }
  }

  async #store(rows: readonly Count[]): Promise<void> {
    await this.db.orm
      .insert(apiUsage)
      .values([...rows])
      .onConflictDoUpdate({
        target: [apiUsage.provider, apiUsage.minute],
        set: { requests: sql`excluded.requests`, units: sql`excluded.units` },
      })
      .run();
  }

  #dropBefore(minute: number): void {
    for (const [key, count] of this.#counts)
      if (count.minute < minute && !this.#dirty.has(count)) this.#counts.delete(key);
  }
}
