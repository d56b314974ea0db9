/** Corporate actions: what changes a share's price without a trade, and how prices before it are made comparable. */

import { BAR_FIELDS, type BarColumns, lowerBound } from "./bars.ts";
import { DAY } from "./interval.ts";

export const ACTION_KINDS = ["split", "dividend"] as const;
export type ActionKind = (typeof ACTION_KINDS)[number];

/** A split or a cash dividend, by its ex-date (midnight UTC, epoch seconds). */
export interface CorporateAction {
  readonly kind: ActionKind;
  readonly date: number;
  /** Splits: new shares for each old one (4 for 4:1, 0.1 for a reverse split). Dividends: cash per share, as paid. */
  readonly value: number;
  /** Only for a dividend in another currency than the prices: it cannot be applied. */
  readonly currency?: string | null;
}

/** The identity of an action: several on one day are several, equal ones are one. */
export const actionKey = ({ kind, date, value, currency }: CorporateAction) =>
  [kind, date, value, currency ?? ""].join(" ");

/**
 * Each action once. A dividend in a foreign currency is kept only if none of its day is in that of the prices: vendors
 * list one payment in both.
 */
export function distinctActions(actions: readonly CorporateAction[]): CorporateAction[] {
  const own = new Set(actions.filter(({ currency }) => !currency).map(({ kind, date }) => `${kind} ${date}`));
  const kept = actions.filter(({ kind, date, currency }) => !currency || !own.has(`${kind} ${date}`));
  return [...new Map(kept.map((action) => [actionKey(action), action])).values()];
}

/** Days within which an action that is listed with another date, and no longer with the old one, is the same action. */
const MOVED_WITHIN: Readonly<Record<ActionKind, number>> = { split: 60, dividend: 14 };

/**
 * Which of the `known` actions an answer replaces: those of a kind and day for which it lists others, and those that it
 * lists with another date near theirs. What an answer does not reach stays, because plans shorten lists.
 * @param from the first day that an answer of some days is about, epoch seconds: earlier payments are others
 */
export function replacedActions<Known extends CorporateAction>(
  known: readonly Known[],
  answer: readonly CorporateAction[],
  from = Number.NEGATIVE_INFINITY,
): Known[] {
  const listed = new Set(answer.map(actionKey));
  const days = new Set(answer.map(({ kind, date }) => `${kind} ${date}`));
  const before = new Set(known.map(actionKey));
  const fresh = answer.filter((action) => !before.has(actionKey(action)));
  const isMoved = (old: Known) =>
    old.date >= from &&
    fresh.some(
      ({ kind, value, currency, date }) =>
        kind === old.kind &&
        value === old.value &&
        (currency ?? "") === (old.currency ?? "") &&
        Math.abs(date - old.date) <= MOVED_WITHIN[kind] * DAY,
    );
  return known.filter((old) => !listed.has(actionKey(old)) && (days.has(`${old.kind} ${old.date}`) || isMoved(old)));
}

/** The adjustment applied to bars when they are read. */
export const ADJUSTMENTS = ["none", "splits", "all"] as const;
export type Adjustment = (typeof ADJUSTMENTS)[number];

/** Bars that start before `date` (epoch seconds) have their prices multiplied by `price` and their volume by `volume`. */
export interface AdjustmentStep {
  readonly date: number;
  readonly price: number;
  readonly volume: number;
}

/** The kinds of action that are still to be applied to a series that its vendor has adjusted for `already`. */
export function kindsToApply(wanted: Adjustment, already: string): ActionKind[] {
  const kinds: Readonly<Record<string, readonly ActionKind[]>> = { none: [], splits: ["split"], all: ACTION_KINDS };
  return (kinds[wanted] ?? []).filter((kind) => !kinds[already]?.includes(kind));
}

/**
 * The steps, ascending, that make a series comparable with its last bar; later actions and foreign dividends are ignored. A split of n for 1
 * divides prices by n and multiplies volumes; a dividend D multiplies earlier prices by 1 − D / the close before it, in
 * shares of the ex-date (CRSP: "Factor to Adjust Prices"). `closeBefore` gives the raw close, `undefined` before the first.
 */
export function adjustmentSteps(
  actions: readonly CorporateAction[],
  lastBar: number,
  closeBefore: (date: number) => number | undefined,
): AdjustmentStep[] {
  const steps: AdjustmentStep[] = [];
  const past = actions.filter((action) => action.date <= lastBar && action.value > 0 && !action.currency);
  for (const [date, same] of [...Map.groupBy(past, (action) => action.date)].sort(([a], [b]) => a - b)) {
    let ratio = 1;
    let cash = 0;
    for (const { kind, value } of same) {
      if (kind === "split") ratio *= value;
      else cash += value;
    }
    const close = cash > 0 ? (closeBefore(date) ?? Number.NaN) / ratio : Number.NaN;
    // A dividend as large as the price itself gives no valid factor: it is left out.
    const share = cash > 0 && cash < close ? 1 - cash / close : 1;
    if (ratio !== 1 || share !== 1) steps.push({ date, price: share / ratio, volume: ratio });
  }
  return steps;
}

/** The bars as they read after all `steps` (ascending by date); the same columns if no step concerns them. */
export function adjustBars(bars: BarColumns, steps: readonly AdjustmentStep[]): BarColumns {
  const first = bars.ts[0];
  if (first === undefined || steps.every((step) => step.date <= first)) return bars;
  const result = {} as Record<(typeof BAR_FIELDS)[number], Float64Array>;
  for (const field of BAR_FIELDS) result[field] = bars[field].slice();
  let price = 1;
  let volume = 1;
  let end = bars.ts.length;
  // From the newest step back, so that the factors of all later steps are known at each one.
  for (const step of [{ date: Number.NEGATIVE_INFINITY, price: 1, volume: 1 }, ...steps].reverse()) {
    const start = lowerBound(bars.ts, step.date);
    for (let at = start; at < end; at++) {
      for (const field of ["open", "high", "low", "close"] as const) result[field][at] = bars[field][at]! * price;
      result.volume[at] = bars.volume[at]! * volume;
    }
    end = start;
    price *= step.price;
    volume *= step.volume;
  }
  return result;
}
