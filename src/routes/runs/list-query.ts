/** The filter in the query of `/runs`, field by field. */

import { canonicalProvider } from "../../domain/defaults.ts";
import { INTERVALS } from "../../domain/market/interval.ts";
import { parseSymbol } from "../../domain/market/symbol.ts";
import { MODES, RUN_STATES } from "../../domain/runs/states.ts";
import { isInOrder, NOT_IN_ORDER, parseIsoDay } from "../../domain/time.ts";
import type { RunFilter } from "../../storage/runs/run-list.ts";
import { RUN_LIST_FIELDS, type RunListForm } from "../../views/runs/run-list-page.tsx";

const DAY_MS = 86_400_000;

/** The filter in the form's fields. An invalid field is reported and left out. */
export function readRunFilter(query: (name: string) => string | undefined): { filter: RunFilter; form: RunListForm } {
  const values = Object.fromEntries(
    RUN_LIST_FIELDS.map((name) => [name, (query(name) ?? "").trim().slice(0, 60)]),
  ) as RunListForm["values"];
  const errors: Partial<Record<(typeof RUN_LIST_FIELDS)[number], string>> = {};
  /** The parsed value of a field; `undefined` if it is empty or invalid. */
  function take<T>(name: (typeof RUN_LIST_FIELDS)[number], read: (text: string) => T | null | undefined, what: string) {
    if (values[name] === "") return undefined;
    const value = read(values[name]) ?? undefined;
    if (value === undefined) errors[name] = `${values[name]} is not ${what}`;
    return value;
  }
  const among =
    <T extends string>(all: readonly T[]) =>
    (text: string) =>
      all.find((each) => each === text);
  const state = take("state", among(RUN_STATES), "a status of a run");
  const mode = take("mode", among(MODES), "a mode");
  const interval = take("interval", among(INTERVALS), "an interval");
  const provider = take("provider", canonicalProvider, "a provider");
  const symbol = take("symbol", parseSymbol, "a symbol");
  const from = take("from", parseIsoDay, "a day like 2026-01-31");
  const last = take("to", parseIsoDay, "a day like 2026-01-31");
  if (!isInOrder({ from, to: last })) errors.to = `${values.to} ${NOT_IN_ORDER}`;
  const filter: RunFilter = {
    ...(state && { state }),
    ...(mode && { mode }),
    ...(interval && { interval }),
    ...(provider && { provider }),
    ...(symbol && { symbol }),
    ...(from !== undefined && { from }),
    // The last day is included.
    ...(last !== undefined && { to: last + DAY_MS }),
  };
  return { filter, form: { values, errors } };
}
