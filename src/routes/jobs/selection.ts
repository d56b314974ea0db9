/** The jobs of a run that an action applies to: all that match a filter, or those that were checked. */

import type { Context } from "hono";
import { Refusal } from "../../domain/errors.ts";
import type { JobProgress } from "../../domain/runs/progress.ts";
import { parseFilter } from "../../domain/runs/queue/job-filter.ts";

export interface JobSelection {
  /** The selection in words; empty for everything. */
  readonly title: string;
  picks(job: JobProgress): boolean;
  /** Query and form fields that a confirmation sends again, so that it applies to the same jobs. */
  readonly search: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** The fields of every form that acts on jobs. */
export const SELECTION_FIELDS = ["symbol", "all", "expect", "back"] as const;

/**
 * The jobs that match the filter in the address.
 * @throws Refusal if it cannot be understood
 */
export function pickMatching(c: Context): JobSelection {
  const filter = parseFilter(c.req.query("q") ?? "");
  if ("error" in filter) throw new Refusal("invalid", filter.error);
  const search = filter.text === "" ? "" : `?q=${encodeURIComponent(filter.text)}`;
  return { title: filter.text, picks: filter.matches, search, fields: [] };
}

/**
 * The jobs of the symbols in the form, or with `all` those that match the filter.
 * @throws Refusal if nothing is selected
 */
export function pickSelected(c: Context, body: Readonly<Record<string, unknown>>): JobSelection {
  if (body.all !== undefined) return { ...pickMatching(c), fields: [["all", "1"]] };
  const named = [body.symbol].flat().filter((symbol) => typeof symbol === "string");
  const symbols = new Set(named);
  if (symbols.size === 0) throw new Refusal("invalid", "Nothing is selected: check the boxes of some rows first");
  return {
    title: symbols.size > 3 ? "" : [...symbols].join(", "),
    picks: ({ symbol }) => symbols.has(symbol),
    search: "",
    fields: [...symbols].map((symbol) => ["symbol", symbol] as const),
  };
}
