/** The results of a bench: printed as a table, or passed to `bench/run.ts` for the common one. */

import { appendFileSync } from "node:fs";

interface Measured {
  readonly question: string;
  /** The result of Barkeep, with its unit. */
  readonly measured: string;
  /** What it is compared with, in the same run. */
  readonly comparedWith?: string;
  /** Barkeep ÷ the other, or the time taken, as `question` says. */
  readonly ratio?: string;
}

/** A result that has a target says whether it was missed. */
export type BenchResult = Measured &
  ({ readonly target: string; readonly missed: boolean } | { readonly target?: never; readonly missed?: never });

/** A target of at most `limit`, and whether `value` misses it; no target without a limit. */
export const atMost = (value: number, limit: number | undefined, unit = "") =>
  limit === undefined ? {} : { target: `<= ${limit}${unit && ` ${unit}`}`, missed: !(value <= limit) };

/** A target of at least `limit`, and whether `value` misses it; no target without a limit. */
export const atLeast = (value: number, limit: number | undefined, unit = "") =>
  limit === undefined ? {} : { target: `>= ${limit}${unit && ` ${unit}`}`, missed: !(value >= limit) };

/** Prints the results, or passes them to the common table. */
export function report(answers: readonly BenchResult[]): void {
  const file = process.env.BENCH_ANSWERS;
  if (file === undefined) console.table(answers);
  else for (const answer of answers) appendFileSync(file, `${JSON.stringify(answer)}\n`);
}

export const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** `1234567` as `1.23M`. */
export const short = (value: number) =>
  value >= 1e6 ? `${(value / 1e6).toFixed(2)}M` : value >= 1e3 ? `${(value / 1e3).toFixed(0)}k` : value.toFixed(1);
