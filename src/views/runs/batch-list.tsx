/** @jsxImportSource hono/jsx */
/** The cells of a coverage strip as a list: dates, result, and a button to fetch them again. */

import type { BatchState } from "../../domain/runs/coverage.ts";
import { isoDate } from "../../domain/time.ts";
import { jobAddress } from "../ui/dom.ts";
import { plural } from "../ui/format.ts";

/** One cell: a batch, or several neighbours if there are too many. */
export interface BatchGroup {
  /** Half-open window, epoch seconds. */
  readonly from: number;
  readonly to: number;
  readonly batches: number;
  readonly state: BatchState;
  /** Batches of the cell without an answer. */
  readonly unanswered: number;
  readonly bars: number;
  readonly rejected: number;
  /** The highest number of attempts of any of its batches. */
  readonly attempts: number;
  readonly error: string | null;
}

const WORDS: Readonly<Record<Exclude<BatchState, "fetched">, string>> = {
  empty: "no bars",
  not_in_plan: "not in the plan",
  pending: "not requested yet",
  retrying: "being tried again",
  failed: "failed",
};

/** `2026-01-02 to 2026-01-31: 21 bars, attempt 2` */
export function describeGroup({ from, to, batches, state, bars, rejected, attempts, error }: BatchGroup): string {
  const parts = [
    state === "fetched" || (bars > 0 && state !== "failed") ? plural(bars, "bar") : WORDS[state as "failed"],
    ...(state === "not_in_plan" && bars > 0 ? [WORDS.not_in_plan] : []),
    ...(batches > 1 ? [plural(batches, "batch", "batches")] : []),
    ...(rejected > 0 ? [`${rejected} rejected`] : []),
    ...(attempts > 1 ? [`attempt ${attempts}`] : []),
    ...(error ? [error] : []),
  ];
  return `${isoDate(from)} to ${isoDate(to - 1)}: ${parts.join(", ")}`;
}

/** Neighbours that failed for one reason as one group. */
export function failuresOf(groups: readonly BatchGroup[]): BatchGroup[] {
  const merged: BatchGroup[] = [];
  for (const group of groups.filter(({ state }) => state === "failed")) {
    const last = merged.at(-1);
    if (last?.to !== group.from || last.error !== group.error) merged.push(group);
    else
      merged[merged.length - 1] = {
        ...last,
        to: group.to,
        batches: last.batches + group.batches,
        unanswered: last.unanswered + group.unanswered,
        bars: last.bars + group.bars,
        rejected: last.rejected + group.rejected,
        attempts: Math.max(last.attempts, group.attempts),
      };
  }
  return merged;
}

/** The cells of one job; with `again`, each with a button that fetches it again. */
export const BatchList = (props: { runId: string; symbol: string; groups: readonly BatchGroup[]; again: boolean }) => (
  <>
    {props.again ? <AlsoFetched groups={props.groups} /> : null}
    <ol class="batches">
      {props.groups.map((group, cell) => (
        <li data-cell={cell} data-state={group.state}>
          <i class={`cell cell-${group.state}`} aria-hidden="true" />
          <span class="num">{describeGroup(group)}</span>
          {props.again ? (
            <form method="post" action={`${jobAddress(props.runId, props.symbol)}/batches`} data-actions>
              <input type="hidden" name="from" value={group.from} />
              <input type="hidden" name="to" value={group.to} />
              <button
                type="submit"
                class="button"
                aria-label={`Fetch ${isoDate(group.from)} to ${isoDate(group.to - 1)} again`}
              >
                Fetch again
              </button>
            </form>
          ) : null}
        </li>
      ))}
    </ol>
  </>
);

/** Says that fetching a cell also fetches the batches without an answer. */
const AlsoFetched = ({ groups }: { groups: readonly BatchGroup[] }) => {
  const missing = groups.reduce((sum, { unanswered }) => sum + unanswered, 0);
  return missing === 0 ? null : (
    <p class="muted also-asked">
      Fetching any of them again also asks for {plural(missing, "batch that is", "batches that are")} missing.
    </p>
  );
};

/** The list as a card beside its strip. */
export const BatchCard = (props: Parameters<typeof BatchList>[0] & { words: string }) => (
  <section aria-label={`Batches of ${props.symbol}`}>
    <header>
      <h3>
        {props.symbol}: {props.words}
      </h3>
      {props.again ? null : <p class="muted">Cells can be fetched again once the symbol has ended.</p>}
    </header>
    <BatchList {...props} />
  </section>
);
