/** What a run is called on pages and in the log. */

import { isoDate } from "../time.ts";
import type { RunSummary } from "./run-summary.ts";

export const MODE_WORDS = {
  full: "Full",
  incremental: "Incremental",
  reprocess: "Reprocess",
  repair: "Repair",
} as const;

type Titled = Pick<RunSummary, "mode" | "interval" | "years" | "dates" | "provider">;

/** The name of a run, or what it requests if it has none. */
export const runTitle = (run: Titled & Pick<RunSummary, "name">): string => run.name ?? runContent(run);

/** What a run requests: `Full · 1d · 2 years · demo` */
export function runContent({ mode, interval, years, dates, provider }: Titled): string {
  const history = dates ? daysOf(dates) : years === "all" ? "all history" : years === 1 ? "1 year" : `${years} years`;
  return [MODE_WORDS[mode], interval, ...(mode === "full" ? [history] : []), provider].join(" · ");
}

/** `2020-01-01 to 2024-12-31`, the last day included. */
const daysOf = ({ from, to }: { from: string; to: string }) => `${from} to ${isoDate(Date.parse(to) / 1_000 - 86_400)}`;
