/** The order of the queue: by a column, ascending or descending, as in the address (`sort=-progress`). */

import type { JobProgress, Status } from "../progress.ts";
import { attentionRank } from "./attention.ts";

export const SORT_KEYS = ["symbol", "status", "progress", "points", "calls", "time"] as const;
export type SortKey = (typeof SORT_KEYS)[number];

export interface JobSort {
  /** As in the address; empty for what needs attention first. */
  readonly text: string;
  readonly key: SortKey | null;
  readonly descending: boolean;
  /** Whether the order changes while jobs work. */
  readonly moves: boolean;
  /** The jobs in this order; equal ones stay in the order of the run. `now` in epoch milliseconds. */
  apply(jobs: readonly JobProgress[], now: number): readonly JobProgress[];
}

/** From states that need attention to those that need none. */
const RANK: Readonly<Record<Status, number>> = {
  Failed: 0,
  Paused: 1,
  "Fetching history": 2,
  "Engineering features": 3,
  "Creating profile": 4,
  "Storing profile": 5,
  Queued: 6,
  Complete: 7,
  Skipped: 8,
  Cancelled: 9,
};

const VALUES: Readonly<Record<Exclude<SortKey, "symbol">, (job: JobProgress, now: number) => number>> = {
  status: ({ status }) => RANK[status],
  progress: ({ progress }) => progress,
  points: ({ dataPoints }) => dataPoints,
  calls: ({ apiCalls }) => apiCalls,
  time: ({ duration, since }, now) => (since === null ? duration : (now - since) / 1_000),
};

/** Queued jobs in the order in which they are started: those put at the head first, the newest of them before. */
export const inQueue = (a: JobProgress, b: JobProgress): number =>
  a.state === "queued" && b.state === "queued" ? (b.firstAt ?? 0) - (a.firstAt ?? 0) : 0;

/** What needs attention first: failed, stuck, at work, waiting, ended; otherwise in the order of the run. */
export const BY_ATTENTION: JobSort = {
  text: "",
  key: null,
  descending: false,
  moves: true,
  apply: (jobs, now) => {
    const ranked = jobs.map((job) => ({ job, rank: attentionRank(job, now) }));
    return ranked.sort((a, b) => a.rank - b.rank || inQueue(a.job, b.job)).map(({ job }) => job);
  },
};

/** The order named in an address; what needs attention first if it is missing or unknown. */
export function parseSort(text: string | undefined): JobSort {
  const descending = text?.startsWith("-") ?? false;
  const key = SORT_KEYS.find((each) => each === (descending ? text?.slice(1) : text));
  if (key === undefined) return BY_ATTENTION;
  const sign = descending ? -1 : 1;
  const sort = (jobs: readonly JobProgress[], now: number) => {
    if (key === "symbol")
      return jobs.toSorted((a, b) => (a.symbol < b.symbol ? -sign : a.symbol > b.symbol ? sign : 0));
    const value = VALUES[key];
    const valued = jobs.map((job) => ({ job, value: value(job, now) }));
    return valued.sort((a, b) => sign * (a.value - b.value)).map(({ job }) => job);
  };
  return { text: `${descending ? "-" : ""}${key}`, key, descending, moves: key !== "symbol", apply: sort };
}

/** The order after a click on the column `key`: its usual direction, then the other, then the default. */
export function nextSort(key: SortKey, { key: present, descending }: JobSort): string {
  const first = key === "symbol" || key === "status" ? key : `-${key}`;
  const second = first === key ? `-${key}` : key;
  if (present !== key) return first;
  return descending === first.startsWith("-") ? second : "";
}
