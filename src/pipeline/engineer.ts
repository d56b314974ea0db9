/** The engineer stage: computes features of stored bars, from the stored state if it fits, else from the start. */

import { BAR_FIELDS, type BarColumns, emptyBars, joinBars, sliceBars } from "../domain/market/bars.ts";
import { isoDate } from "../domain/time.ts";
import { FEATURE_COUNT, FEATURES } from "../features/catalog.ts";
import { type Engineered, engineer, LOOKBACK_BARS, type Resume, resumeFrom, TAIL } from "../features/engine.ts";
import { featureSetup } from "../features/setup.ts";
import { CATALOG_VERSION } from "../features/version.ts";
import type { SeriesRow } from "../storage/market/series.ts";
import type { ProfileRecord } from "../storage/profiles/profiles.ts";
import type { JobContext } from "./job-context.ts";
import { adjusterFrom, type StoredPrices, USUAL_ADJUSTMENT } from "./price-adjustment.ts";
import type { JobStore } from "./store/job-store.ts";

const END_OF_TIME = Number.MAX_SAFE_INTEGER;
/** Bars read beyond the lookback of a state if earlier ones have changed: a few that were filled in cost no full pass. */
const EXTRA_BARS = TAIL;
/** Bars read at once: as rows they take several times the memory of columns, and no other job has the thread meanwhile. */
const PAGE = 10_000;

export interface EngineeredSeries {
  /** Bars in the whole series. */
  readonly rows: number;
  readonly profile: Pick<ProfileRecord, "firstBar" | "lastBar" | "lastClose" | "features" | "state">;
}

/**
 * Computes all features of the job's series, which is stored as `row`, and reports each; `null` if the series has no bars.
 */
export async function engineerSeries(job: JobContext, row: SeriesRow): Promise<EngineeredSeries | null> {
  const { io, series, task } = job;
  const setup = featureSetup(task.symbol, task.interval, job.market);
  const adjust = await adjusterFrom(pricesOf(io.store, row), series, USUAL_ADJUSTMENT);
  const update = await readUpdate(job, row, adjust);
  const bars = update?.bars ?? adjust(job.written.whole() ?? (await readFrom(job, 0)));
  if (bars.ts.length === 0) return null;

  const pass = engineer(bars, setup, update?.resume, 0);
  const reports = new FeatureReports(job);
  let family: string | null = null;
  let step = pass.next();
  while (!step.done) {
    const { done, next } = step.value;
    reports.add(done);
    // Between families, and between the blocks of a long history, which come before the first family.
    if ((next !== family || next === FEATURES[0]?.family) && job.isYieldDue) {
      reports.send();
      await job.checkpoint();
    }
    family = next;
    step = pass.next();
  }
  reports.send();
  const result = step.value;
  const last = bars.ts.length - 1;
  const firstBar = update?.firstBar ?? bars.ts[0]!;
  return {
    rows: result.barCount,
    profile: {
      firstBar,
      lastBar: bars.ts[last]!,
      lastClose: bars.close[last]!,
      state: result.state,
      features: featuresOf(result),
    },
  };
}

/** Reports the features that are computed between two pauses together: single messages would take longer than they do. */
class FeatureReports {
  #done = 0;
  #first: number | null = null;

  constructor(private readonly job: JobContext) {}

  /** Counts a feature, or what a block of a long history stands for. */
  add(done: number): void {
    if (done <= this.#done) return;
    if (done > this.#done + 1) this.send();
    this.#first ??= done;
    this.#done = done;
  }

  send(): void {
    const [first, done] = [this.#first, this.#done];
    if (first === null) return;
    this.job.stage({ stage: "engineer", done, total: FEATURE_COUNT, ...(first < done && { first }) });
    this.#first = null;
  }
}

/** The stored bars with `from` <= ts, in pages between which other jobs have their turn. Only this job writes to its series. */
async function readFrom(job: JobContext, from: number): Promise<BarColumns> {
  const { io, series } = job;
  let page = await io.store.readBars(series, from, END_OF_TIME, PAGE);
  if (page.ts.length < PAGE) return page;
  const next = () => page.ts[page.ts.length - 1]! + 1;
  const bars = emptyBars(page.ts.length + (await io.store.countBars(series, next(), END_OF_TIME)));
  let read = 0;
  while (page.ts.length > 0) {
    for (const field of BAR_FIELDS) bars[field].set(page[field], read);
    read += page.ts.length;
    await job.checkpoint();
    page = await io.store.readBars(series, next(), END_OF_TIME, Math.min(PAGE, bars.ts.length - read));
  }
  return sliceBars(bars, 0, read);
}

/** The last `before` bars up to `lastBar`, and the `added` ones after it. */
async function readLast(job: JobContext, before: number, lastBar: number, added: number): Promise<BarColumns> {
  const { io, series } = job;
  if (added <= PAGE) return io.store.readLastBars(series, END_OF_TIME, before + added);
  return joinBars(await io.store.readLastBars(series, lastBar + 1, before), await readFrom(job, lastBar + 1));
}

/** What the adjustment reads of stored prices. */
const pricesOf = (store: JobStore, row: SeriesRow): StoredPrices => ({
  readSeries: async () => row,
  listActions: store.listActions,
  lastBar: (series, to) => store.readLastBars(series, to, 1),
});

/** The last stored bars and the state that fits them, or `null` if the whole series must be computed. */
async function readUpdate(
  job: JobContext,
  { changedFrom }: SeriesRow,
  adjust: (bars: BarColumns) => BarColumns,
): Promise<{ bars: BarColumns; resume: Resume; firstBar: number } | null> {
  const { io, series, task, market } = job;
  if (task.fetchMode === "nothing" || (task.mode !== "incremental" && task.mode !== "repair")) return null;
  const { symbol, interval } = task;
  const state = await io.store.findFeatureState(symbol, interval);
  const profile = await io.store.findProfile(symbol, interval);
  if (state === undefined || profile === undefined || profile.seriesId !== series) return null;
  const refuse = (why: string) => {
    io.log("info", `stored feature state not used (${why}): computing the whole series`);
    return null;
  };
  const added = await io.store.countBars(series, profile.lastBar + 1, END_OF_TIME);
  const isFilledIn = changedFrom !== null && changedFrom <= profile.lastBar;
  const before = LOOKBACK_BARS + (isFilledIn ? EXTRA_BARS : 0);
  const bars = adjust(await readLast(job, before, profile.lastBar, added));
  const resume = resumeFrom(state, bars, featureSetup(symbol, interval, market));
  if ("refused" in resume) return refuse(resume.refused);
  // The state detects changes only in its lookback; an older change makes it invalid.
  const seen = bars.ts[Math.max(0, resume.next - (LOOKBACK_BARS - TAIL))] ?? END_OF_TIME;
  if (changedFrom !== null && changedFrom < seen && resume.next > 0) {
    const when = changedFrom > 0 ? `bars from ${isoDate(changedFrom)} on` : "the history";
    return refuse(`${when} changed, which is older than its lookback`);
  }
  return { bars, resume, firstBar: profile.firstBar };
}

function featuresOf({ values }: Engineered): Record<string, number | null> {
  const features: Record<string, number | null> = {};
  for (let at = 0; at < FEATURES.length; at++) {
    const value = values[at]!;
    features[FEATURES[at]!.name] = Number.isNaN(value) ? null : value;
  }
  return features;
}

/** The catalogue's version as profiles store it. */
export const catalogVersion = String(CATALOG_VERSION);
