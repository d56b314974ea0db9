/** Which jobs of a run an action is meant for: all that a filter finds, or those whose boxes are checked. */

import type { Context } from "hono";
import { Refusal } from "../../domain/errors.ts";
import { parseFilter } from "../../domain/runs/job-filter.ts";
import type { JobProgress } from "../../domain/runs/progress.ts";

export interface JobSelection {
  /** What was picked, for a person to read; empty for everything. */
  readonly title: string;
  picks(job: JobProgress): boolean;
  /** Where a yes to a question goes, and what it carries, so that it means the same jobs. */
  readonly search: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/**
 * What the filter in the address finds.
 * @throws Refusal if it cannot be understood
 */
export function pickMatching(c: Context): JobSelection {
  const filter = parseFilter(c.req.query("q") ?? "");
  if ("error" in filter) throw new Refusal("invalid", filter.error);
  const search = filter.text === "" ? "" : `?q=${encodeURIComponent(filter.text)}`;
  return { title: filter.text, picks: filter.matches, search, fields: [] };
}

/**
 * The symbols that the form names, or with `all` what the filter finds.
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
