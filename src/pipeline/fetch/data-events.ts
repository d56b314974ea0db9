/** Builds the alert events of what a job finds in stored data. Pure. */

import type { GapFound, RevisionFound } from "../../domain/alerts.ts";
import type { Gap } from "../../storage/market/gaps.ts";
import type { SymbolTask } from "../messages.ts";

type Finding = Pick<RevisionFound, "what" | "detail"> & {
  /** Start times of the affected bars, epoch seconds, ascending. */
  readonly times: ArrayLike<number>;
  /** The number of bars, where `times` has only the first and the last. */
  readonly bars?: number;
};

const seriesOf = ({ symbol, interval, provider }: SymbolTask) => ({ symbol, interval, provider });

/** The event of a revision; none if it affects no bars. */
export function revisionFound(task: SymbolTask, { what, detail, times, bars = times.length }: Finding) {
  if (times.length === 0) return [];
  const [from, to] = [times[0]!, times[times.length - 1]!];
  const event: RevisionFound = {
    kind: "revision_found",
    at: Date.now(),
    ...seriesOf(task),
    what,
    bars,
    from,
    to,
    detail,
  };
  return [event];
}

/** The event of newly found gaps; none if there are none. */
export function gapsFound(task: SymbolTask, gaps: readonly Gap[]): GapFound[] {
  const [first, last] = [gaps[0], gaps.at(-1)];
  if (first === undefined || last === undefined) return [];
  const [from, to] = [first.date, last.date];
  return [{ kind: "gap_found", at: Date.now(), ...seriesOf(task), missing: missingOf(gaps), from, to }];
}

/** `3 sessions`, `1 session cut short`, `3 sessions and 1 cut short` */
function missingOf(gaps: readonly Gap[]): string {
  const short = gaps.filter(({ kind }) => kind === "truncated").length;
  const whole = gaps.length - short;
  if (short === 0) return sessions(whole);
  return whole === 0 ? `${sessions(short)} cut short` : `${sessions(whole)} and ${short} cut short`;
}

const sessions = (count: number) => `${count} ${count === 1 ? "session" : "sessions"}`;
