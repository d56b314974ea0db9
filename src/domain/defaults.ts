/** Defaults of runs and schedules, and the limits of a run request. */

export const RUN_DEFAULTS = { mode: "full", interval: "1d", years: 2, batchDays: 30 } as const;

/** Interval, years and batches of a schedule are those of a run. */
export const SCHEDULE_DEFAULTS = { mode: "incremental", timeZone: "UTC", onMissed: "catch_up" } as const;

/** Most years that can be named; `"all"` goes further back. */
export const MAX_YEARS = 30;

/** Longest batch, days. */
export const MAX_BATCH_DAYS = 365;

/** Most workers of a run, and of the server. */
export const MAX_WORKERS = 64;
