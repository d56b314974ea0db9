/** What the forms of schedules and promises have in common: typed fields, and the options for symbols and time zones. */

import { Refusal } from "../../domain/errors.ts";
import { splitSymbols } from "../../domain/market/symbol.ts";
import { readWatchlists } from "../../storage/companies/watchlists.ts";
import type { Database } from "../../storage/db.ts";
import type { SelectionField, SelectionOptions } from "../../views/ui/forms/selection-fields.tsx";

export async function selectionOptions(db: Database): Promise<SelectionOptions> {
  return {
    watchlists: await readWatchlists(db),
    timeZones: ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")],
  };
}

/** The names of the watchlists by id. */
export async function watchlistNames(db: Database): Promise<ReadonlyMap<number, string>> {
  return new Map((await readWatchlists(db)).map(({ id, name }) => [id, name]));
}

/** The fields of a form as sent; a missing field is empty, because browsers leave out an unchecked box. */
export function typedFields<Name extends string>(
  names: readonly Name[],
  body: Readonly<Record<string, unknown>>,
): Record<Name, string> {
  const text = (name: Name) => (typeof body[name] === "string" ? body[name] : "");
  return Object.fromEntries(names.map((name) => [name, text(name)])) as Record<Name, string>;
}

/** What the API calls the typed symbols or the chosen watchlist, whichever the scope asks for. */
export const selectionBody = (values: Readonly<Record<Exclude<SelectionField, "enabled" | "time_zone">, string>>) => ({
  ...(values.scope === "symbols" && { symbols: splitSymbols(values.symbols) }),
  ...(values.scope === "watchlist" && values.watchlist_id !== "" && { watchlist_id: Number(values.watchlist_id) }),
});

/**
 * The id in an address.
 * @param find throws if there is none of that id
 * @throws Refusal if the text is no id
 */
export async function idIn(
  text: string,
  what: string,
  find: (id: number) => Promise<{ readonly id: number }>,
): Promise<number> {
  if (!/^\d{1,15}$/.test(text)) throw new Refusal("not_found", `There is no such ${what}`);
  return (await find(Number(text))).id;
}
