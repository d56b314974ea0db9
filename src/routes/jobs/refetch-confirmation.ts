/** The dialog before batches are fetched again: the choices, each with its cost from a dry run. */

import { REFETCH_CHOICES, type RefetchChoice } from "../../domain/runs/refetch.ts";
import { isoDate } from "../../domain/time.ts";
import type { RefetchPlan, ScopePlan } from "../../scheduler/runs/refetch.ts";
import type { ConfirmView } from "../../views/ui/confirm-dialog.tsx";
import { plural } from "../../views/ui/format.ts";

const TITLES: Readonly<Record<RefetchChoice, string>> = {
  missing: "Missing",
  unanswered: "Missing and failed",
  all: "All",
  features: "Features only",
};

export function refetchDialog(plan: RefetchPlan, changed: boolean): Omit<ConfirmView, "action" | "fields" | "back"> {
  const most = plan.all ?? plan.features!;
  const first = REFETCH_CHOICES.map((scope) => plan[scope]).find((each) => each !== undefined && each.batches > 0);
  // The most expensive choice, or one that fetches nothing, is never preselected.
  const usual = (["missing", "unanswered"] as const).find((scope) => (plan[scope]?.batches ?? 0) > 0);
  return {
    title: `Fetch ${plural(most.symbols.length, "symbol")} again?`,
    facts: [
      ...(changed ? ["It has changed since you were asked: these are the new numbers."] : []),
      "Stored bars stay until the provider sends others. Symbols that are still in the queue are left alone.",
      ...(first === undefined ? [] : [`First windows: ${sampleOf(first)}.`]),
    ],
    choices: {
      name: "scope",
      options: REFETCH_CHOICES.flatMap((scope) => {
        const each = plan[scope];
        return each === undefined
          ? []
          : [
              {
                value: scope,
                title: TITLES[scope],
                detail: costOf(each),
                enabled: each.symbols.length > 0,
                chosen: scope === usual,
              },
            ];
      }),
    },
    expect: most.symbols.length,
    yes: "Fetch again",
    no: "Leave it",
  };
}

/** `3 batches of 2 symbols, 3 calls` */
function costOf({ symbols, batches, calls }: ScopePlan): string {
  const of = plural(symbols.length, "symbol");
  if (symbols.length === 0) return "nothing";
  return batches === 0
    ? `${of}, no calls`
    : `${plural(batches, "batch", "batches")} of ${of}, ${plural(calls, "call")}`;
}

function sampleOf({ sample, batches }: ScopePlan): string {
  const shown = sample.slice(0, 3).map(({ symbol, from, to }) => `${symbol} ${isoDate(from)} to ${isoDate(to - 1)}`);
  return batches > shown.length ? `${shown.join("; ")}; and ${batches - shown.length} more` : shown.join("; ");
}
