/** How long reads and writes may wait for a database in trouble: a request only shortly, everything else until it is over. */

import { AsyncLocalStorage } from "node:async_hooks";

interface Limit {
  /** Milliseconds of `performance.now()`. */
  readonly until: number;
  isOver: boolean;
}

const limits = new AsyncLocalStorage<Limit | null>();

/** Does `work`, whose reads and writes give up `milliseconds` from now; what it leaves running has no limit afterwards. */
export function withWaitLimit<T>(milliseconds: number, work: () => Promise<T>): Promise<T> {
  const limit: Limit = { until: performance.now() + milliseconds, isOver: false };
  return limits.run(limit, async () => {
    try {
      return await work();
    } finally {
      limit.isOver = true;
    }
  });
}

/** Starts `work` for the server itself, although a request may have caused it. */
export const withoutWaitLimit = <T>(work: () => T): T => limits.run(null, work);

/** When a read or write that begins now gives up, milliseconds of `performance.now()`. */
export function waitLimitEnd(): number {
  const limit = limits.getStore();
  return limit == null || limit.isOver ? Number.POSITIVE_INFINITY : limit.until;
}
