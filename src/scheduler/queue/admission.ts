/**
 * How many jobs are at work. A job whose request is under way needs no processor, so the next one may start; a job that
 * computes needs one of the threads. So it follows from quota, latency and work how many requests are under way.
 */

import { MAX_AT_WORK } from "../../domain/defaults.ts";
import type { JobCounts } from "../../pipeline/workers/job-counts.ts";
import type { QuotaState } from "../../providers/quotas/quota-state.ts";
import type { DispatchRules } from "./dispatcher.ts";

/** How many times as many requests are under way as a rate needs: latencies and symbols differ. */
const HEADROOM = 2;
/**
 * In how many milliseconds before now the jobs are counted that ended. Twice what the first and the last write of a job
 * wait for those of others: if jobs took longer than it, fewer would be at work each time, and each would commit alone.
 */
const COMMITS_MS = 100;
/** The shortest time (ms) for which threads must have been free: between two messages they only seem free. */
const FREE_MS = 4;

/** What a provider's jobs do now, and what its limits allow. */
export interface ProviderLoad {
  /** Threads that compute. */
  readonly threads: number;
  /** Jobs at work beyond which it has no more than threads; those of one machine unless given. */
  readonly most?: number;
  /** Jobs at work, of all providers and of this one. */
  readonly all: number;
  readonly own: number;
  /** Jobs of silent workers beside them, whose requests may still be under way. */
  readonly aside?: number;
  /** Of its jobs those that wait, for an answer or a permit. */
  readonly waiting: number;
  /** Of its jobs those that wait for a commit and for nothing else. */
  readonly committing: number;
  /** Its jobs that ended in the last 100 ms. */
  readonly ended: number;
  /** Requests that the vendor answers at once. */
  readonly maxInFlight: number;
  readonly quota: Pick<QuotaState, "gauges" | "hold" | "latencyMs" | "unitsPerRequest"> | undefined;
}

/**
 * Whether one more job of a provider may start. There are always as many as threads, so that no provider waits for
 * another, and as many more as end while others are committed; beyond that only while most of them wait for answers and
 * its limits let them go on.
 */
export function admits(load: ProviderLoad): boolean {
  const { threads, most = MAX_AT_WORK, all, own, aside = 0, committing, ended, maxInFlight } = load;
  if (own + aside - committing >= maxInFlight) return false;
  if (own - committing < threads) return true;
  if (all >= most) return false;
  return own - committing < ended || (hasFreeThreads(load) && own < usefulJobs(load));
}

/** Whether fewer of its jobs compute than there are threads. */
function hasFreeThreads(load: Pick<ProviderLoad, "threads" | "own" | "waiting" | "committing">): boolean {
  const { threads, own, waiting, committing } = load;
  return own - waiting - committing < threads;
}

/**
 * Jobs that its limits can keep busy. By Little's law a rate keeps rate × latency requests under way; of an hour, day or
 * month what is left of it must last for a minute, so that the last requests go to few jobs.
 */
function usefulJobs({ threads, quota }: ProviderLoad): number {
  if (quota === undefined || (quota.gauges.length === 0 && quota.hold === null)) return Number.POSITIVE_INFINITY;
  if (quota.hold !== null || quota.latencyMs === null) return threads;
  const minutes = quota.latencyMs / 60_000;
  const room = quota.gauges.map(({ period, counts, used, limit }) => {
    const units = period === "minute" ? HEADROOM * limit : Math.max(0, limit - used);
    return units / (counts === "units" ? quota.unitsPerRequest : 1);
  });
  return Math.max(threads, Math.ceil(Math.min(...room) * minutes));
}

interface Dependencies {
  readonly threads: number;
  /** Jobs at work, of all providers, beyond which each has no more than threads. */
  readonly most?: number;
  /** The provider of a group's tasks; `undefined` for a group that has ended. */
  providerOf(group: string): { readonly name: string; readonly maxInFlight?: number } | undefined;
  /** What the jobs of a provider wait for; those of silent workers take no place, because it is not known whether they work. */
  readonly counts: Pick<JobCounts, "waiting" | "committing" | "aside" | "allAside">;
  quotaOf(provider: string): QuotaState | undefined;
  /** Whether the database can be written: while it cannot, nothing starts. */
  canStore?(): boolean;
  /** Resolves when this process is to take a key from the job queue. */
  place?(): Promise<void>;
  /** Makes the dispatcher check again. */
  poll(): void;
}

/** Counts the jobs at work by provider and answers the dispatcher whether a group's next one may start. */
export class Admission implements DispatchRules {
  readonly #own = new Map<string, number>();
  /** When the last jobs of each provider ended, milliseconds of `performance.now()`. */
  readonly #ends = new Map<string, number[]>();
  #all = 0;
  /** Since when fewer jobs of a provider compute than there are threads, milliseconds of `performance.now()`. */
  readonly #freeSince = new Map<string, number>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #closed = false;

  constructor(private readonly dependencies: Dependencies) {}

  /** Counts a job of the group until the function that is returned is called. */
  dispatched(group: string): () => void {
    const provider = this.dependencies.providerOf(group)?.name ?? "";
    this.#add(provider, 1);
    return () => {
      this.#add(provider, -1);
      this.#noteEnd(provider);
    };
  }

  /** Whether the next task of a group may start now. */
  admits(group: string): boolean {
    if (this.dependencies.canStore?.() === false) return false;
    const provider = this.dependencies.providerOf(group);
    if (provider === undefined) return true;
    const { name, maxInFlight } = provider;
    const load = this.#load(name, maxInFlight);
    if (load.own - load.committing >= Math.max(load.threads, load.ended) && !this.#isFree(name)) return false;
    return admits(load);
  }

  async place(): Promise<void> {
    await this.dependencies.place?.();
  }

  /** Notes that jobs of a provider began or ceased to wait, and makes the dispatcher check again when threads stay free. */
  changed(provider: string): void {
    const { threads, counts } = this.dependencies;
    const [waiting, committing] = [counts.waiting(provider), counts.committing(provider)];
    if (!hasFreeThreads({ threads, own: this.#ownOf(provider), waiting, committing })) {
      this.#freeSince.delete(provider);
      return;
    }
    if (!this.#freeSince.has(provider)) this.#freeSince.set(provider, performance.now());
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.dependencies.poll();
    }, FREE_MS);
  }

  close(): void {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  #add(provider: string, jobs: 1 | -1): void {
    this.#own.set(provider, (this.#own.get(provider) ?? 0) + jobs);
    this.#all += jobs;
    this.changed(provider);
  }

  #noteEnd(provider: string): void {
    const ends = this.#ends.get(provider) ?? [];
    ends.push(performance.now());
    if (ends.length > MAX_AT_WORK) ends.shift();
    this.#ends.set(provider, ends);
  }

  /** Jobs of a provider that ended in the last 100 ms. */
  #endedOf(provider: string): number {
    const since = performance.now() - COMMITS_MS;
    return this.#ends.get(provider)?.filter((at) => at >= since).length ?? 0;
  }

  /** Jobs of a provider at work, without those of silent workers. */
  #ownOf(provider: string): number {
    return (this.#own.get(provider) ?? 0) - this.dependencies.counts.aside(provider);
  }

  #isFree(provider: string): boolean {
    return performance.now() - (this.#freeSince.get(provider) ?? Number.POSITIVE_INFINITY) >= FREE_MS;
  }

  #load(provider: string, maxInFlight: number | undefined): ProviderLoad {
    const { threads, most, counts, quotaOf } = this.dependencies;
    return {
      threads,
      ...(most !== undefined && { most }),
      all: this.#all - counts.allAside,
      own: this.#ownOf(provider),
      aside: counts.aside(provider),
      waiting: counts.waiting(provider),
      committing: counts.committing(provider),
      ended: this.#endedOf(provider),
      maxInFlight: maxInFlight ?? MAX_AT_WORK,
      quota: quotaOf(provider),
    };
  }
}
