/** What an answer changes in its series: bars judged among the stored ones, then compared with them. */

import { type BarColumns, emptyBars, filterBars } from "../../domain/market/bars.ts";
import { jumpRows, REASONS, type RejectedRow } from "../../domain/market/validate-bars.ts";
import type { PlanCut } from "../../domain/plan.ts";
import type { Span } from "../../domain/runs/batch-plan.ts";
import { isoDate } from "../../domain/time.ts";
import type { Revised } from "../../storage/market/revisions.ts";
import type { JobContext } from "../job-context.ts";
import { compareBars } from "./compare-bars.ts";
import { probeScale } from "./scale-probe.ts";
import { type Surroundings, sequenceOf } from "./surroundings.ts";

/** The vendor multiplied the prices of a series by a factor: stored and new bars do not fit together. */
export class PriceFactorDetected extends Error {
  override readonly name = "PriceFactorDetected";
  constructor(
    readonly kind: "split" | "dividend",
    readonly factor: number,
  ) {
    super(`${kind} factor ${factor}`);
  }
}

/** The answer for a window, row by row valid. */
export interface Answer {
  readonly into: "compare" | "fill" | "build";
  readonly series: number;
  /** The provider that gave it. */
  readonly title: string;
  readonly window: Span;
  readonly bars: BarColumns;
  /** What the plan leaves out of it. */
  readonly cuts: readonly PlanCut[];
  /** The longest window that the provider answers, days. */
  readonly maxDays: number;
  /** What the provider gives for another window, row by row valid. */
  request(window: Span): Promise<BarColumns>;
}

export interface AnswerChange {
  /** The stored bars of the window, and those of them that the plan does not leave out. */
  readonly known: BarColumns;
  readonly stored: BarColumns;
  /** The possible bars of the answer, and those of them to store. */
  readonly bars: BarColumns;
  readonly write: BarColumns;
  readonly revised: readonly (Revised & { readonly kind: "correction" | "withdrawn" })[];
  /** Bars put aside until now that are possible, also beside the window. */
  readonly restored: BarColumns;
  /** Bars to put aside as jumps, and the times of those that no longer are (epoch seconds). */
  readonly aside: BarColumns;
  readonly cleared: readonly number[];
  /** The impossible bars as rejected rows. */
  readonly rejected: readonly RejectedRow[];
  /** Stored bars that the answer lacks, epoch seconds. */
  readonly missing: readonly number[];
}

/**
 * What an answer changes in its series, beside its window too: neighbours decide whether bars are possible.
 * @throws PriceFactorDetected when the answer has another scale than the stored bars
 */
export async function changeOf(job: JobContext, answer: Answer, surroundings: Surroundings): Promise<AnswerChange> {
  const { into, series, window, cuts } = answer;
  await surroundings.ready();
  const { first, last, hasForeign } = job.stored;
  const isEmpty = into === "build" || first === null || last === null || window.to <= first || window.from > last;
  const known = isEmpty ? emptyBars() : await job.io.store.readBars(series, window.from, window.to);
  // What the plan leaves out is not missing from the answer.
  const isCut = (ts: number) => cuts.some(({ from, to }) => ts >= from && ts < to);
  const stored = filterBars(known, (at) => !isCut(known.ts[at]!));
  const foreignOf = async ({ ts }: BarColumns) =>
    hasForeign && ts.length > 0
      ? await job.io.store.foreignBars(series, ts[0]!, ts[ts.length - 1]! + 1)
      : new Set<number>();

  // Another provider only fills: what is stored stays.
  const given = into === "fill" ? without(answer.bars, known.ts) : answer.bars;
  const verdicts = await surroundings.judge(window, known, given, (ts) => into === "fill" || isCut(ts));
  const { refused, withdrawn: beside, restored } = verdicts;
  const bars = without(answer.bars, refused.ts);
  const aside = without(beside, await foreignOf(beside));
  const common = { known, stored, bars, restored, rejected: [...jumpRows(refused), ...jumpRows(beside)] };
  if (into === "fill") {
    surroundings.forget();
    report(job, answer, { withdrawn: beside, restored });
    const write = without(given, refused.ts);
    const filled = new Set(write.ts);
    const cleared = [...verdicts.aside.ts].filter((ts) => filled.has(ts));
    const revised = withoutEmpty([{ kind: "withdrawn", bars: beside }]);
    return { ...common, write, revised, aside, cleared: [...cleared, ...restored.ts], missing: [] };
  }

  const foreign = await foreignOf(stored);
  // What was fetched before it was final is replaced, and no revision.
  const { provisionalFrom } = job.stored;
  const settled = provisionalFrom === null ? stored : filterBars(stored, (at) => stored.ts[at]! < provisionalFrom);
  // All bars of a new scale may look impossible among the old ones, and what is put aside has a new scale too.
  const compare = async (old: BarColumns, now: BarColumns) => {
    const result = compared(old, now, foreign);
    if (!result.isUndecided) return result;
    await surroundings.settle();
    const { kind, factor } = await probeScale(
      {
        store: job.io.store,
        series,
        settledTo: provisionalFrom ?? Number.MAX_SAFE_INTEGER,
        maxDays: answer.maxDays,
        request: answer.request,
        own: async (bars) => without(bars, await foreignOf(bars)),
      },
      window,
      { stored: without(old, foreign), answer: without(now, foreign) },
    );
    if (kind === "split" || kind === "dividend") throw new PriceFactorDetected(kind, factor);
    return result;
  };
  if (refused.ts.length > 0) await compare(merged(settled, verdicts.aside), answer.bars);
  const own = without(within(stored, refused.ts), foreign);
  const withdrawn = merged(own, beside);
  const { old, missing, write } = await compare(without(settled, withdrawn.ts), bars);
  report(job, answer, { old, missing, withdrawn, restored });
  const nowAside = merged(without(refused, foreign), aside);
  const kept = new Set(nowAside.ts);
  return {
    ...common,
    write,
    missing,
    aside: nowAside,
    cleared: [...[...verdicts.aside.ts].filter((ts) => !isCut(ts) && !kept.has(ts)), ...restored.ts],
    revised: withoutEmpty([
      { kind: "correction", bars: old },
      { kind: "withdrawn", bars: withdrawn },
    ]),
  };
}

function compared(stored: BarColumns, bars: BarColumns, foreign: ReadonlySet<number>) {
  if (stored.ts.length === 0) return { write: bars, old: emptyBars(), missing: [], isUndecided: false };
  const { kind, factor, ...rest } = compareBars(stored, bars, foreign);
  if (kind === "split" || kind === "dividend") throw new PriceFactorDetected(kind, factor);
  return rest;
}

const withoutEmpty = <Each extends Revised>(parts: readonly Each[]) => parts.filter(({ bars }) => bars.ts.length > 0);

type Times = Float64Array | ReadonlySet<number>;
const setOf = (times: Times) => (times instanceof Set ? times : new Set(times as Float64Array));

function without(bars: BarColumns, times: Times): BarColumns {
  const out = setOf(times);
  return out.size === 0 ? bars : filterBars(bars, (at) => !out.has(bars.ts[at]!));
}

function within(bars: BarColumns, times: Times): BarColumns {
  const chosen = setOf(times);
  return filterBars(bars, (at) => chosen.has(bars.ts[at]!));
}

/** The bars of both in ascending order; no time is in both. */
const merged = (a: BarColumns, b: BarColumns): BarColumns => sequenceOf(a, b).bars;

const count = (bars: number) => `${bars} ${bars === 1 ? "bar" : "bars"}`;

function report(
  { io: { log } }: JobContext,
  { window, title }: Answer,
  change: { old?: BarColumns; missing?: readonly number[]; withdrawn: BarColumns; restored: BarColumns },
): void {
  const { old = emptyBars(), missing = [], withdrawn, restored } = change;
  if (missing.length > 0) {
    log(
      "warn",
      `suspicious answer for ${isoDate(window.from)} to ${isoDate(window.to - 1)}: it lacks ${count(missing.length)} that are stored; nothing stored was changed`,
    );
  }
  if (old.ts.length > 0) log("warn", `${count(old.ts.length)} corrected by ${title}, the first ${isoDate(old.ts[0]!)}`);
  if (withdrawn.ts.length > 0)
    log("warn", `${count(withdrawn.ts.length)} withdrawn, the first ${isoDate(withdrawn.ts[0]!)}: ${REASONS.jump}`);
  if (restored.ts.length > 0)
    log("info", `${count(restored.ts.length)} stored after all, the first ${isoDate(restored.ts[0]!)}: no lone jump`);
}
