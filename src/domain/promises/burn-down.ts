/** How many symbols were still missing over time before a deadline. Pure; times are epoch milliseconds. */

/** From `at` on, this many symbols are missing. */
export interface BurnDownStep {
  readonly at: number;
  readonly missing: number;
}

/**
 * The steps from `from` to `until`, ascending: the first is at `from`, each later one is an arrival.
 * @param arrivals when each fresh symbol had its bar; NaN where that was not recorded, which counts as before `from`
 */
export function burnDown(
  arrivals: Iterable<number>,
  { total, from, until }: { readonly total: number; readonly from: number; readonly until: number },
): BurnDownStep[] {
  const sorted = [...arrivals].map((at) => (at > from ? at : from)).sort((a, b) => a - b);
  const steps: { at: number; missing: number }[] = [{ at: from, missing: total }];
  let missing = total;
  for (const at of sorted) {
    if (at > until) break;
    missing -= 1;
    const last = steps.at(-1)!;
    if (last.at === at) last.missing = missing;
    else steps.push({ at, missing });
  }
  return steps;
}
