/** Defaults of runs and schedules, and the limits of a run request. */

export const RUN_DEFAULTS = { mode: "full", interval: "1d", years: 2, batchDays: 30 } as const;

/** Interval, years and batches of a schedule are those of a run. */
export const SCHEDULE_DEFAULTS = { mode: "incremental", timeZone: "UTC", onMissed: "catch_up" } as const;

/** Most years that can be named; `"all"` goes further back. */
export const MAX_YEARS = 30;

/** Longest name of a run, characters. */
export const MAX_RUN_NAME = 80;

/** Longest batch, days. */
export const MAX_BATCH_DAYS = 365;

/** Most worker threads of the server. */
export const MAX_THREADS = 64;

/** Most symbols at work at once, of a run (its `max_workers`) and of the server: what bounds their memory. */
export const MAX_AT_WORK = 64;

/** Jobs that workers on other machines may have at once, all together. */
export const MAX_ELSEWHERE = 1_024;

/** Earlier names of providers, which requests and settings may go on using. */
const RENAMED: ReadonlyMap<string, string> = new Map([["csv", "files"]]);

/** The present name of a provider. */
export const canonicalProvider = (name: string): string => RENAMED.get(name) ?? name;

/** Whether the bars of a provider are generated and not prices of a market. */
export const isSynthetic = (provider: string): boolean => provider === "demo";
