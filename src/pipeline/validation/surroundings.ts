/** Judges the bars of an answer among what is stored around its window, and those stored beside it once more. */

import { findLoneJumps, NEIGHBOURS } from "../../domain/market/anomalies/lone-jumps.ts";
import {
  BAR_FIELDS,
  type BarColumns,
  barsBetween,
  copyBars,
  emptyBars,
  filterBars,
  joinBars,
  lowerBound,
  pickBars,
} from "../../domain/market/bars.ts";
import type { SeriesStore } from "../store/job-store.ts";

/**
 * Bars read on each side of a window: `NEIGHBOURS` on which a verdict may change, and as many again, on which those
 * verdicts depend.
 */
export const REACH = 2 * NEIGHBOURS;
const END_OF_TIME = Number.MAX_SAFE_INTEGER;
const START_OF_TIME = Number.MIN_SAFE_INTEGER;

/** Where bars of a judged sequence come from: stored, put aside as jumps, or from the answer. */
const ORIGINS = { stored: 0, aside: 1, answer: 2 } as const;

/** Bars in ascending order, and the origin of each. */
interface Sequence {
  readonly bars: BarColumns;
  readonly origins: Uint8Array;
}

/** Verdicts that differ from what is stored; times ascend in each list. */
interface Verdicts {
  /** Bars of an answer that are impossible. */
  readonly refused: BarColumns;
  /** Stored bars that have turned out impossible, and bars put aside that have turned out possible. */
  readonly withdrawn: BarColumns;
  readonly restored: BarColumns;
}

const NO_VERDICTS: Verdicts = { refused: emptyBars(), withdrawn: emptyBars(), restored: emptyBars() };

/** One sequence of bars that are stored and bars put aside; no time is in both. */
export function sequenceOf(stored: BarColumns, aside: BarColumns, answer = emptyBars()): Sequence {
  const parts = [stored, aside, answer];
  const only = parts.findIndex(
    ({ ts }, origin) => ts.length > 0 && parts.every((each, at) => at === origin || each.ts.length === 0),
  );
  if (only >= 0) return { bars: parts[only]!, origins: new Uint8Array(parts[only]!.ts.length).fill(only) };
  const length = parts.reduce((sum, { ts }) => sum + ts.length, 0);
  const bars = emptyBars(length);
  const origins = new Uint8Array(length);
  const at = [0, 0, 0];
  for (let place = 0; place < length; place++) {
    let origin = 0;
    for (let other = 1; other < 3; other++)
      if ((parts[other]!.ts[at[other]!] ?? Number.POSITIVE_INFINITY) < (parts[origin]!.ts[at[origin]!] ?? Infinity))
        origin = other;
    for (const field of BAR_FIELDS) bars[field][place] = parts[origin]![field][at[origin]!]!;
    origins[place] = origin;
    at[origin]! += 1;
  }
  return { bars, origins };
}

/**
 * Judges the bars with `from` <= ts < `to` and those near them; the sequence must reach far enough to both sides.
 * @returns also the sequence with its new origins
 */
export function judge({ bars, origins }: Sequence, from: number, to: number): Verdicts & { readonly after: Sequence } {
  const found = findLoneJumps(bars);
  if (found.length === 0 && !origins.includes(ORIGINS.aside)) {
    return { ...NO_VERDICTS, after: { bars, origins: new Uint8Array(origins.length).fill(ORIGINS.stored) } };
  }
  const jumps = new Set(found);
  const now = origins.map((origin) => (origin === ORIGINS.answer ? ORIGINS.stored : origin));
  const lists: { [Each in keyof Verdicts]: number[] } = { refused: [], withdrawn: [], restored: [] };
  const end = Math.min(bars.ts.length, lowerBound(bars.ts, to) + NEIGHBOURS);
  for (let at = Math.max(0, lowerBound(bars.ts, from) - NEIGHBOURS); at < end; at++) {
    const isJump = jumps.has(at);
    if (isJump && origins[at] === ORIGINS.answer) lists.refused.push(at);
    else if (isJump && origins[at] === ORIGINS.stored) lists.withdrawn.push(at);
    else if (!isJump && origins[at] === ORIGINS.aside) lists.restored.push(at);
    now[at] = isJump ? ORIGINS.aside : ORIGINS.stored;
  }
  return {
    refused: pickBars(bars, lists.refused),
    withdrawn: pickBars(bars, lists.withdrawn),
    restored: pickBars(bars, lists.restored),
    after: { bars, origins: now },
  };
}

/** What is stored around the windows of one job, which are judged in ascending order. */
export class Surroundings {
  /** What is known at the end of the last window; the writes of its batches need not be committed. */
  #tail: { readonly end: number; readonly isAll: boolean; readonly sequence: Sequence } | null = null;

  /** Whether a verdict concerns bars after the last window. */
  #isAhead = false;

  /**
   * @param settle waits until earlier writes are committed
   * @param canHold says whether bars or bars put aside may be stored with `from` <= ts < `to` (epoch seconds)
   */
  constructor(
    private readonly store: SeriesStore,
    private readonly series: number,
    readonly settle: () => Promise<void>,
    private readonly canHold: { bars(from: number, to: number): boolean; jumps(): boolean },
  ) {}

  /**
   * Judges an `answer` for a window. `stored` are all bars that are stored in it; those whose time the answer has are
   * replaced by it. `keepAside` says which bars that are put aside there still count.
   */
  async judge(
    window: { readonly from: number; readonly to: number },
    stored: BarColumns,
    answer: BarColumns,
    keepAside: (ts: number) => boolean,
  ): Promise<Verdicts & { /** Put aside in the window until now. */ readonly aside: BarColumns }> {
    const { from, to } = window;
    const left = await this.#before(from);
    const right = this.canHold.bars(to, END_OF_TIME)
      ? await this.store.readBars(this.series, to, END_OF_TIME, REACH)
      : emptyBars();
    const farthest = right.ts.length < REACH ? END_OF_TIME : right.ts[right.ts.length - 1]!;
    const asideFrom = this.canHold.jumps() ? await this.store.readJumps(this.series, from, farthest) : emptyBars();
    const aside = barsBetween(asideFrom, from, to);
    // Whether the answer has another value for a time.
    const isGiven = (ts: number) => answer.ts[lowerBound(answer.ts, ts)] === ts;
    const keptAside = filterBars(asideFrom, (at) => {
      const ts = asideFrom.ts[at]!;
      return ts >= to || (keepAside(ts) && !isGiven(ts));
    });
    const lacked = filterBars(stored, (at) => !isGiven(stored.ts[at]!));
    const rest = sequenceOf(joinBars(lacked, right), keptAside, answer);
    const sequence = appended(left.sequence, rest);
    const { after, ...verdicts } = judge(sequence, from, to);
    const end = lowerBound(sequence.bars.ts, to);
    const start = Math.max(0, end - 2 * REACH);
    this.#tail = { end: to, isAll: left.isAll && start === 0, sequence: part(after, start, end) };
    const changed = [verdicts.withdrawn.ts, verdicts.restored.ts];
    this.#isAhead = changed.some((ts) => (ts[ts.length - 1] ?? Number.NEGATIVE_INFINITY) >= to);
    return { ...verdicts, aside };
  }

  /** What is known before a window; `isAll` if nothing is stored before it. */
  async #before(from: number): Promise<{ readonly isAll: boolean; readonly sequence: Sequence }> {
    const tail = this.#tail;
    if (tail?.end === from && (tail.isAll || tail.sequence.bars.ts.length >= REACH)) return tail;
    if (!this.canHold.bars(START_OF_TIME, from) && !this.canHold.jumps())
      return { isAll: true, sequence: sequenceOf(emptyBars(), emptyBars()) };
    await this.settle();
    return readBefore(this.store, this.series, from);
  }

  /** To be called before bars of the next window are read: verdicts of the last one may concern them. */
  async ready(): Promise<void> {
    if (!this.#isAhead) return;
    this.#isAhead = false;
    await this.settle();
  }

  /** Forgets what was judged last, so that it is read again: bars of another provider are not put aside. */
  forget(): void {
    this.#tail = null;
  }
}

/** The last bars before `to` (epoch seconds) that are stored or put aside. */
export async function readBefore(store: SeriesStore, series: number, to: number) {
  const stored = await store.readLastBars(series, to, REACH);
  const isAll = stored.ts.length < REACH;
  const aside = await store.readJumps(series, isAll ? START_OF_TIME : stored.ts[0]!, to);
  return { isAll, sequence: sequenceOf(stored, aside) };
}

/** The bars of `a` and then those of `b`, which are later. */
export function appended(a: Sequence, b: Sequence): Sequence {
  const origins = new Uint8Array(a.origins.length + b.origins.length);
  origins.set(a.origins);
  origins.set(b.origins, a.origins.length);
  return { bars: joinBars(a.bars, b.bars), origins };
}

/** A copy: a view would keep the whole sequence in memory. */
function part({ bars, origins }: Sequence, start: number, end: number): Sequence {
  return { bars: copyBars(bars, start, end), origins: origins.slice(start, end) };
}
