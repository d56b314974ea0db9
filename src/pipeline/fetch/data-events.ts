/** What a job finds out about stored data, as events that are worth a mail: pure. */

import type { GapFound, RevisionFound } from "../../domain/alerts.ts";
import type { Gap } from "../../storage/market/gaps.ts";
import type { SymbolTask } from "../messages.ts";

type Finding = Pick<RevisionFound, "what" | "detail"> & {
  /** The bars concerned, epoch seconds, ascending. */
  readonly times: ArrayLike<number>;
  /** How many they are, where `times` has only the first and the last. */
  readonly bars?: number;
};

const seriesOf = ({ symbol, interval, provider }: SymbolTask) => ({ symbol, interval, provider });

/** The event of a revision; none if it concerns no bars. */
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

/** The event of gaps that nobody knew of until now; none if there are none. */
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
