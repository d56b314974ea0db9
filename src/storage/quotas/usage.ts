/**
 * Requests and weighted units spent per provider and minute. What is counted is added to what is stored, with the request
 * (`spend`) or a little later (`count`).
 */

import { gte, sql } from "drizzle-orm";
import { DAY } from "../../domain/market/interval.ts";
import type { Database, Write } from "../db.ts";
import { DeferredWrite } from "../deferred-write.ts";
import { apiUsage } from "../schema/quotas.ts";

const MINUTE = 60;

interface Count {
  readonly provider: string;
  readonly minute: number;
  readonly requests: number;
  readonly units: number;
}

interface Sum {
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
  /** What is counted and not stored yet, by the same keys. */
  #unstored = new Map<string, Count>();
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
    for (const row of await readSince(db, earliestMinute(seconds))) addTo(store.#counts, row);
    return store;
  }

  /** Adds to the current minute of a provider; negative numbers take back. */
  count(provider: string, units: number, requests = 1): void {
    const minute = this.#add(provider, units, requests);
    addTo(this.#unstored, { provider, minute, requests, units });
    this.#deferred.request();
  }

  /** Counts requests that are about to be sent: `writes` store that, `undo` takes it back if they failed. */
  spend(sent: readonly { readonly provider: string; readonly cost: number }[]) {
    const sums = new Map<string, Count>();
    for (const { provider, cost } of sent)
      addTo(sums, { provider, minute: this.#add(provider, cost, 1), requests: 1, units: cost });
    const counts = [...sums.values()];
    return {
      writes: counts.length === 0 ? [] : [this.#statement(counts)],
      undo: () => {
        for (const count of counts) addTo(this.#counts, { ...count, requests: -count.requests, units: -count.units });
      },
    };
  }

  /** Reads what is stored of the current day once `before` has ended: the clock was set, and it may be another one. */
  async reload(before?: Promise<unknown>): Promise<void> {
    await before;
    await this.flush();
    const seconds = Math.floor(this.now() / 1000);
    const rows = await readSince(this.db, earliestMinute(seconds));
    this.#counts.clear();
    for (const row of [...rows, ...this.#unstored.values()]) addTo(this.#counts, row);
  }

  #add(provider: string, units: number, requests: number): number {
    const seconds = Math.floor(this.now() / 1000);
    const minute = seconds - (seconds % MINUTE);
    if (!this.#counts.has(keyOf({ provider, minute }))) this.#dropBefore(earliestMinute(seconds));
    addTo(this.#counts, { provider, minute, requests, units });
    return minute;
  }

  /** What was spent with each provider in the current minute and today (UTC). */
  usage(): Usage[] {
    const seconds = Math.floor(this.now() / 1000);
    const found = new Map<string, { lastMinute: Sum; today: Sum }>();
    const none = (): Sum => ({ requests: 0, units: 0 });
    for (const { provider, minute, requests, units } of this.#counts.values()) {
      const sums = found.get(provider) ?? { lastMinute: none(), today: none() };
      found.set(provider, sums);
      const add = (to: Sum) => {
        to.requests += requests;
        to.units += units;
      };
      // What was counted before the clock was set back lies ahead.
      if (minute > seconds - MINUTE && minute <= seconds) add(sums.lastMinute);
      const today = seconds - (seconds % DAY);
      if (minute >= today && minute < today + DAY) add(sums.today);
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
      if (minute < first || minute > seconds) continue;
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
    if (this.#unstored.size === 0) return;
    const counts = this.#unstored;
    this.#unstored = new Map();
    try {
      await this.db.write([this.#statement([...counts.values()])]);
    } catch (error) {
      for (const count of counts.values()) addTo(this.#unstored, count);
      throw error;
    }
  }

  #statement(counts: readonly Count[]): Write {
    return this.db.orm
      .insert(apiUsage)
      .values([...counts])
      .onConflictDoUpdate({
        target: [apiUsage.provider, apiUsage.minute],
        set: {
          requests: sql`max(0, ${apiUsage.requests} + excluded.requests)`,
          units: sql`max(0, ${apiUsage.units} + excluded.units)`,
        },
      });
  }

  #dropBefore(minute: number): void {
    for (const [key, count] of this.#counts) if (count.minute < minute) this.#counts.delete(key);
  }
}

const keyOf = ({ provider, minute }: Pick<Count, "provider" | "minute">) => `${provider} ${minute}`;

function addTo(counts: Map<string, Count>, count: Count): void {
  const known = counts.get(keyOf(count));
  const { requests = 0, units = 0 } = known ?? {};
  counts.set(keyOf(count), { ...count, requests: requests + count.requests, units: units + count.units });
}

async function readSince(db: Database, minute: number): Promise<Count[]> {
  return db.orm.select().from(apiUsage).where(gte(apiUsage.minute, minute));
}
