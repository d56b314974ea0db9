/** Builds the alert events of revisions that a job finds. Pure. */

import type { RevisionFound } from "../../domain/alerts.ts";
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
