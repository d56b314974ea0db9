/** What the plan of a provider's key leaves out, as far as it was seen in answers and refusals. */

import { isoDate } from "./time.ts";

/**
 * `history`: nothing before a moment is given. `allowed`: everything from a moment on is. `recent`: the newest days are
 * refused. `exchange`, `interval`: all of it is refused.
 */
export const PLAN_FACT_KINDS = ["history", "allowed", "recent", "exchange", "interval"] as const;
export type PlanFactKind = (typeof PLAN_FACT_KINDS)[number];

export interface PlanFact {
  readonly kind: PlanFactKind;
  /** The exchange and interval, e.g. `US 1d`; for `exchange` the exchange alone. */
  readonly scope: string;
  /**
   * `history`, `allowed`: epoch seconds. `recent`: how many days before the exchange's today are refused too (0: only
   * today). Otherwise 0.
   */
  readonly value: number;
  /** The vendor's words. */
  readonly words: string;
  /** Epoch milliseconds. */
  readonly seenAt: number;
}

/** How long a fact is relied on, milliseconds: plans change, and what they leave out is asked for again. */
const RELIED_ON_MS = 7 * 86_400_000;

/** What was seen further in the future, before the clock was set back, is not relied on, milliseconds. */
const CLOCKS_MS = 60_000;

/** The facts that are recent enough. */
export const currentFacts = (facts: readonly PlanFact[], now: number): PlanFact[] =>
  facts.filter(({ seenAt }) => now - seenAt < RELIED_ON_MS && seenAt - now < CLOCKS_MS);

/** `US 1d: nothing before 2024-11-27 (Your plan …)` */
export function describeFact({ kind, scope, value, words }: PlanFact): string {
  const what = {
    history: `nothing before ${isoDate(value)}`,
    allowed: `back to ${isoDate(value)} at least`,
    recent: value === 0 ? "not today" : `not today and the ${value === 1 ? "day" : `${value} days`} before`,
    exchange: "not included",
    interval: "not included",
  }[kind];
  return `${scope}: ${what}${words === "" ? "" : ` (${words})`}`;
}

/** A part of a window that the plan leaves out: epoch seconds, half open, and the vendor's words. */
export interface PlanCut {
  readonly from: number;
  readonly to: number;
  readonly words: string;
}

/** What the plan of a provider's key was seen to leave out; kept for as long as the key is the same. */
export interface PlanMemory {
  facts(): Promise<readonly PlanFact[]>;
  /** Stores facts, in place of earlier ones of the same kind and scope. */
  learn(facts: readonly PlanFact[]): Promise<void>;
}

/** Cuts in order of time; neighbours with the same words are one. */
export function mergeCuts(cuts: readonly PlanCut[]): PlanCut[] {
  const merged: PlanCut[] = [];
  for (const cut of [...cuts].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && last.words === cut.words && cut.from <= last.to) {
      merged[merged.length - 1] = { ...last, to: Math.max(last.to, cut.to) };
    } else merged.push(cut);
  }
  return merged;
}

/** The parts of `cuts` inside a window. */
export function cutsWithin(
  cuts: readonly PlanCut[],
  window: { readonly from: number; readonly to: number },
): PlanCut[] {
  return cuts
    .map((cut) => ({ ...cut, from: Math.max(cut.from, window.from), to: Math.min(cut.to, window.to) }))
    .filter(({ from, to }) => from < to);
}

/** `2024-11-28 to 2025-11-27 not in the plan of EODHD (limited by one year)` */
function describeCut({ from, to, words }: PlanCut, provider: string): string {
  const [first, last] = [isoDate(from), isoDate(to - 1)];
  return `${first === last ? first : `${first} to ${last}`} not in the plan of ${provider} (${words})`;
}

/**
 * What the plan left out of a run, the most frequent first; with the symbol's name if it concerns one only.
 * @param provider its title
 */
export function leftOutOf(
  jobs: Iterable<{ readonly symbol: string; readonly leftOut: readonly PlanCut[] }>,
  provider: string,
): { why: string; count: number }[] {
  const found = new Map<string, { symbol: string; count: number }>();
  for (const { symbol, leftOut } of jobs) {
    for (const cut of leftOut) {
      const why = describeCut(cut, provider);
      const known = found.get(why);
      if (known) known.count += 1;
      else found.set(why, { symbol, count: 1 });
    }
  }
  return [...found]
    .map(([why, { symbol, count }]) => ({ why: count > 1 ? why : `${symbol}: ${why}`, count }))
    .sort((a, b) => b.count - a.count);
}
