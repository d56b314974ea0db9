/** Fetching again: the parts of an ended job that a person can choose to request again. */

import type { BatchState } from "./coverage.ts";

/** What a job requests from its provider: nothing, only what was never requested, or all that has no answer. */
export const FETCH_MODES = ["unanswered", "missing", "nothing"] as const;
export type FetchMode = (typeof FETCH_MODES)[number];

/** `features` computes them again from the stored bars; the others also request from the provider. */
export const REFETCH_CHOICES = ["missing", "unanswered", "all", "features"] as const;
export type RefetchChoice = (typeof REFETCH_CHOICES)[number];

/** Whether `scope` includes a batch in this state. */
export function requests(scope: RefetchChoice, state: BatchState): boolean {
  switch (scope) {
    case "features":
      return false;
    case "missing":
      return state === "pending" || state === "retrying";
    case "unanswered":
      return state !== "fetched" && state !== "empty";
    case "all":
      return true;
  }
}

/** The fetch mode of a job with this scope, once the batches to request again count as not answered. */
export const fetchModeOf = (scope: RefetchChoice): FetchMode =>
  scope === "features" ? "nothing" : scope === "missing" ? "missing" : "unanswered";
