/** Keeps the result of a slow read for a short time. */

import { systemClock } from "../clock.ts";

/**
 * A function that calls `read` at most once in `milliseconds` and otherwise returns the last result. The time is that of
 * a steady clock, so setting the machine's clock does not prolong it. Concurrent calls share one read; a failed read is
 * not kept.
 */
export function cachedFor<T>(
  milliseconds: number,
  read: () => Promise<T>,
  steady: () => number = systemClock.steady,
): () => Promise<T> {
  let last: { readonly result: Promise<T>; readonly at: number; isRead: boolean } | null = null;
  return () => {
    const now = steady();
    if (last === null || (last.isRead && now - last.at >= milliseconds)) {
      const entry = { result: read(), at: now, isRead: false };
      last = entry;
      entry.result.then(
        () => {
          entry.isRead = true;
        },
        () => {
          last = null;
        },
      );
    }
    return last.result;
  };
}
