/** Groups the reasons why symbols of a run failed, the most frequent first. */

import type { JobProgress } from "./progress.ts";

export interface FailureReason {
  /** Their message; without the symbol's own name if several have the same. */
  readonly why: string;
  readonly count: number;
}

/** The reasons of the failed among `jobs`, most frequent first. */
export function failureReasons(jobs: Iterable<Pick<JobProgress, "symbol" | "state" | "microStage">>): FailureReason[] {
  const reasons = new Map<string, { said: string; count: number }>();
  for (const { symbol, state, microStage } of jobs) {
    if (state !== "failed") continue;
    const why = withoutName(microStage, symbol);
    const known = reasons.get(why);
    if (known) known.count += 1;
    else reasons.set(why, { said: microStage, count: 1 });
  }
  return [...reasons]
    .map(([why, { said, count }]) => ({ why: count > 1 ? why : said, count }))
    .sort((a, b) => b.count - a.count);
}

const isNamePart = (char: string | undefined) => char !== undefined && /[A-Za-z0-9]/.test(char);

/** `AAPL: no file AAPL.csv` → `no file ….csv` */
function withoutName(text: string, symbol: string): string {
  const start = text.startsWith(`${symbol}: `) ? symbol.length + 2 : 0;
  let result = "";
  let from = start;
  for (let at = text.indexOf(symbol, start); at >= 0; at = text.indexOf(symbol, at + symbol.length)) {
    const end = at + symbol.length;
    if (isNamePart(text[at - 1]) || isNamePart(text[end])) continue;
    result += `${text.slice(from, at)}…`;
    from = end;
  }
  return result + text.slice(from);
}
