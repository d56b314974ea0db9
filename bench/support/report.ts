/** How a bench tells its answers: a table by itself, rows for the common table under `bench/run.ts`. */

import { appendFileSync } from "node:fs";

export interface Answer {
  readonly question: string;
  /** What Barkeep did, with the unit. */
  readonly measured: string;
  /** What it is held against in the same run. */
  readonly beside?: string;
  /** Barkeep ÷ the other, or the time it took, as the question says. */
  readonly ratio?: string;
  readonly aim?: string;
  /** Whether the aim was missed, where the bench decides it. */
  readonly missed?: boolean;
}

/** Prints the answers, or hands them to the common table. */
export function tell(answers: readonly Answer[]): void {
  const file = process.env.BENCH_ANSWERS;
  if (file === undefined) console.table(answers);
  else for (const answer of answers) appendFileSync(file, `${JSON.stringify(answer)}\n`);
}

export const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** `1234567` as `1.23M`. */
export const short = (value: number) =>
  value >= 1e6 ? `${(value / 1e6).toFixed(2)}M` : value >= 1e3 ? `${(value / 1e3).toFixed(0)}k` : value.toFixed(1);
