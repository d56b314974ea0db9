/** @jsxImportSource hono/jsx */
/** What came of the deadlines of a promise: a mark each, kept, missed or unknown by its shape too, and a list. */

import { useContext } from "hono/jsx";
import type { PromiseOutcome, PromiseResult } from "../../domain/promises/promise.ts";
import { writeMoment } from "../../domain/time.ts";
import { Moment, ReaderZone } from "../ui/components.tsx";
import { formatCount, plural } from "../ui/format.ts";

/** Deadlines that have a mark: they fit into one line. */
const MARKS = 20;
const WIDTH = 10;
const HEIGHT = 24;

const OUTCOME_TITLES: Readonly<Record<PromiseOutcome, string>> = {
  kept: "Kept",
  missed: "Missed",
  unknown: "Not known",
};

/** `Missed, 2026-11-23 12:00 UTC: 8 symbols of 50 lacked the last bar` */
function describeResult(result: PromiseResult, zone: string): string {
  const { outcome, deadline, note, total } = result;
  const what = note === "" ? plural(total, "symbol") : note;
  return `${OUTCOME_TITLES[outcome]}, ${writeMoment(deadline, zone, "minute")}: ${what}`;
}

/** Oldest first, so that time runs to the right. */
export const ResultStrip = ({ results, name }: { results: readonly PromiseResult[]; name: string }) => {
  const zone = useContext(ReaderZone);
  const marked = results.slice(0, MARKS);
  if (marked.length === 0) return null;
  return (
    <ol class="turns" aria-label={`Last ${plural(marked.length, "deadline")} of ${name}, the newest at the end`}>
      {marked.toReversed().map((result) => {
        const words = describeResult(result, zone);
        return (
          <li>
            <span role="img" title={words} aria-label={words}>
              <svg class={`turn result-${result.outcome}`} width={WIDTH} height={HEIGHT} aria-hidden="true">
                <path d={SHAPES[result.outcome]} />
              </svg>
            </span>
          </li>
        );
      })}
    </ol>
  );
};

/** A full block, a block with a point that is cut in two, a ring. */
const SHAPES: Readonly<Record<PromiseOutcome, string>> = {
  kept: `M1 ${HEIGHT - 0.5}V8.5H9V${HEIGHT - 0.5}z`,
  missed: `M1 ${HEIGHT}V6L5 1L9 6V11H1M1 ${HEIGHT}V14H9V${HEIGHT}z`,
  unknown: `M5 ${HEIGHT - 1}a3.5 3.5 0 1 1 .01 0z`,
};

/** `27 kept, 2 missed` */
function outcomesText(results: readonly PromiseResult[]): string {
  const counts = (["kept", "missed", "unknown"] as const).flatMap((outcome) => {
    const count = results.filter((each) => each.outcome === outcome).length;
    return count === 0 ? [] : [`${formatCount(count)} ${OUTCOME_TITLES[outcome].toLowerCase()}`];
  });
  return counts.join(", ");
}

/** The same as a list, with what was wrong; folded away. */
export const ResultList = ({ results }: { results: readonly PromiseResult[] }) => (
  <details class="promise-history">
    <summary>
      Last {plural(results.length, "deadline")}: {outcomesText(results)}
    </summary>
    <ol>
      {results.map(({ deadline, outcome, fresh, total, note, recoveredAt }) => (
        <li>
          <Moment at={deadline} /> <b>{OUTCOME_TITLES[outcome]}</b>, {formatCount(fresh)} of {formatCount(total)} fresh
          {note === "" ? "." : `: ${note}.`}
          {recoveredAt === null ? null : (
            <>
              {" "}
              Up to date since <Moment at={recoveredAt} />.
            </>
          )}
        </li>
      ))}
    </ol>
  </details>
);
