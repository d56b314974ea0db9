/** Fetching again: what of an ended job is asked for once more, by names that a person can choose from. */

import type { BatchState } from "./coverage.ts";

/** What a job asks its provider for: nothing, only what was never asked for, or all that has no answer. */
export const FETCH_MODES = ["unanswered", "missing", "nothing"] as const;
export type FetchMode = (typeof FETCH_MODES)[number];

/** `features` computes them again from the stored bars; the others also ask the provider. */
export const REFETCH_CHOICES = ["missing", "unanswered", "all", "features"] as const;
export type RefetchChoice = (typeof REFETCH_CHOICES)[number];

/** Whether `scope` asks for a batch in this state. */
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

/** What a job of this scope asks for, once what it has to ask again counts as not answered. */
export const fetchModeOf = (scope: RefetchChoice): FetchMode =>
  scope === "features" ? "nothing" : scope === "missing" ? "missing" : "unanswered";
