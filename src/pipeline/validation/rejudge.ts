/** Judges stored bars again, among each other: where a rebuilt history meets an older one, and after an upgrade. */

import { type BarColumns, filterBars, joinBars } from "../../domain/market/bars.ts";
import type { SeriesStore } from "../store/job-store.ts";
import { appended, judge, REACH, readBefore, sequenceOf } from "./surroundings.ts";

/** How many bars were withdrawn, and how many stored after all. */
export interface Rejudged {
  readonly withdrawn: number;
  readonly restored: number;
}

/** A series, and the run that its revisions are recorded for. */
interface JudgedSeries {
  readonly seriesId: number;
  readonly runId: string;
}

/**
 * Judges the bars with `from` <= ts < `to` (epoch seconds) and those near them; what has become impossible is put aside,
 * what has become possible is stored.
 */
export async function rejudge(store: SeriesStore, series: JudgedSeries, from: number, to: number): Promise<Rejudged> {
  return judgeStored(store, series, { from, to, inside: await store.readBars(series.seriesId, from, to) });
}

/** Judges the bars `inside` of the range, which are all that are stored in it. */
async function judgeStored(
  store: SeriesStore,
  { seriesId, runId }: JudgedSeries,
  { from, to, inside }: { readonly from: number; readonly to: number; readonly inside: BarColumns },
): Promise<Rejudged> {
  const left = await readBefore(store, seriesId, from);
  const right = await store.readBars(seriesId, to, Number.MAX_SAFE_INTEGER, REACH);
  const end = right.ts.length < REACH ? Number.MAX_SAFE_INTEGER : right.ts[right.ts.length - 1]!;
  const rest = sequenceOf(joinBars(inside, right), await store.readJumps(seriesId, from, end));
  const { withdrawn, restored } = judge(appended(left.sequence, rest), from, to);
  if (withdrawn.ts.length + restored.ts.length === 0) return { withdrawn: 0, restored: 0 };
  const foreign = await store.foreignBars(seriesId, withdrawn.ts[0] ?? 0, (withdrawn.ts.at(-1) ?? 0) + 1);
  const aside = filterBars(withdrawn, (at) => !foreign.has(withdrawn.ts[at]!));
  await store.moveJumps({ seriesId, runId }, { withdrawn, aside, restored });
  return { withdrawn: withdrawn.ts.length, restored: restored.ts.length };
}

/** Bars judged at a time. */
const PAGE = 5_000;

/**
 * Judges all bars of a series, page by page.
 * @param pause is called after each page with the milliseconds that it took; it throws to stop
 */
export async function rejudgeAll(
  store: SeriesStore,
  seriesId: number,
  pause: (ms: number) => Promise<void>,
): Promise<Rejudged> {
  const sum = { withdrawn: 0, restored: 0 };
  for (let from = Number.MIN_SAFE_INTEGER; from < Number.MAX_SAFE_INTEGER; ) {
    const start = performance.now();
    const inside = await store.readBars(seriesId, from, Number.MAX_SAFE_INTEGER, PAGE);
    const { ts } = inside;
    const to = ts.length < PAGE ? Number.MAX_SAFE_INTEGER : ts[ts.length - 1]! + 1;
    // The run of no job: revisions of it belong to none.
    const { withdrawn, restored } = await judgeStored(store, { seriesId, runId: "" }, { from, to, inside });
    sum.withdrawn += withdrawn;
    sum.restored += restored;
    from = to;
    await pause(performance.now() - start);
  }
  return sum;
}
