/** Which bars a rebuild adds to a series. */

import type { Stretch } from "../../storage/market/arrivals.ts";
import type { JobStore } from "../store/job-store.ts";

/** Starts read at a time. */
const PAGE = 10_000;

async function* startsOf(store: JobStore, series: number): AsyncGenerator<number> {
  for (let from = Number.MIN_SAFE_INTEGER; ; ) {
    const starts = await store.readStarts(series, from, PAGE);
    yield* starts;
    if (starts.length < PAGE) return;
    from = starts[starts.length - 1]! + 1;
  }
}

/** The stretches of bars that `staging` has and the series does not, without other bars between; with a `pause` now and then. */
export async function addedStretches(
  store: JobStore,
  { seriesId, staging }: { seriesId: number; staging: number },
  pause: () => Promise<void>,
): Promise<Stretch[]> {
  const old = startsOf(store, seriesId);
  const found: { from: number; to: number }[] = [];
  let isOpen = false;
  let next = await old.next();
  let count = 0;
  for await (const ts of startsOf(store, staging)) {
    count += 1;
    if (count % PAGE === 0) await pause();
    for (; !next.done && next.value < ts; next = await old.next()) isOpen = false;
    if (!next.done && next.value === ts) {
      isOpen = false;
    } else if (isOpen) {
      found[found.length - 1]!.to = ts + 1;
    } else {
      found.push({ from: ts, to: ts + 1 });
      isOpen = true;
    }
  }
  return found;
}
