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

/** `3 sessions`, `1 session cut short`, `3 sessions, 1 cut short and 2 with holes` */
function missingOf(gaps: readonly Gap[]): string {
  const count = (kinds: readonly string[]) => gaps.filter(({ kind }) => kinds.includes(kind)).length;
  const parts = [
    [count(["missing"]), ""],
    [count(["truncated"]), " cut short"],
    [count(["hole", "sparse"]), " with holes"],
  ] as const;
  const words = parts
    .filter(([sessions]) => sessions > 0)
    .map(([sessions, what], at) => `${sessions}${at === 0 ? (sessions === 1 ? " session" : " sessions") : ""}${what}`);
  return words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words.at(-1)}` : words.join("");
}
