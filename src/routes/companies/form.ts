/** The form of the companies page: reads what was typed, selected and uploaded, and builds the view. */

import type { Context } from "hono";
import {
  COMPANY_FILTERS,
  type CompanyFilter,
  type CompanyFilterName,
  LISTINGS,
  MAX_NAME_LENGTH,
  TOP_TEN,
} from "../../domain/companies.ts";
import { Refusal } from "../../domain/errors.ts";
import { MAX_SYMBOLS, parseSymbol } from "../../domain/market/symbol.ts";
import { utf16Of } from "../../providers/files/text-stream.ts";
import { factProviders, listingProviders } from "../../scheduler/companies.ts";
import {
  companiesNamed,
  countCompanies,
  readCompanyLists,
  readFilterValues,
  searchCompanies,
} from "../../storage/companies/companies.ts";
import { readWatchlists, symbolsOf } from "../../storage/companies/watchlists.ts";
import type { CompaniesView } from "../../views/companies/companies-page.tsx";
import { requireKnownFields } from "../form-errors.ts";
import type { Services } from "../services.ts";

/** Companies on a page. */
const PAGE_SIZE = 50;

/** The form as sent. */
export interface CompanyFields {
  readonly search: string;
  readonly watchlist: number | undefined;
  readonly after: string | undefined;
  /** Canonical symbols, without duplicates. */
  readonly selected: readonly string[];
  /** The button that changes the selection: `top`, `page`, `list` or `clear`. */
  readonly quick: string;
  readonly listName: string;
  /** The watchlist to add the selection to. */
  readonly target: number | undefined;
  readonly filter: CompanyFilter;
  /** The provider from which facts of the selection are fetched. */
  readonly factsFrom: string;
}

/** The fields of the form. */
export const COMPANY_FIELDS = [
  ...["q", "list", "after", "pick", "quick", "list_name", "to", "facts_from"],
  ...COMPANY_FILTERS,
] as const;

type Sent = Readonly<Record<string, unknown>>;

/** Reads the form from a body (`parseBody({ all: true })`) or from the query. */
export function companyFields(sent: Sent): CompanyFields {
  const text = (name: string) => {
    const value = [sent[name]].flat().at(-1);
    return typeof value === "string" ? value : "";
  };
  const number = (name: string) => (/^\d{1,15}$/.test(text(name)) ? Number(text(name)) : undefined);
  const picks = [sent.pick].flat().flatMap((each) => (typeof each === "string" ? each.split(",") : []));
  const symbols = picks.flatMap((pick) => parseSymbol(pick) ?? []);
  return {
    search: text("q").slice(0, 100),
    watchlist: number("list"),
    after: text("after") || undefined,
    selected: [...new Set(symbols)].slice(0, MAX_SYMBOLS),
    quick: text("quick"),
    listName: text("list_name"),
    target: number("to"),
    filter: filterOf(text),
    factsFrom: text("facts_from").slice(0, 40),
  };
}

/** The filters that are set, each at most as long as a stored value. */
export function filterOf(textOf: (name: CompanyFilterName) => string | undefined): CompanyFilter {
  return Object.fromEntries(
    COMPANY_FILTERS.flatMap((name) => {
      const value = (textOf(name) ?? "").trim().slice(0, MAX_NAME_LENGTH);
      const known = name !== "listing" || (LISTINGS as readonly string[]).includes(value);
      return value !== "" && known ? [[name, value]] : [];
    }),
  );
}

/** What the page shows, after the requested change of the selection. */
export async function companiesView(
  services: Pick<Services, "db" | "provider" | "settings">,
  fields: CompanyFields,
  more: Partial<CompaniesView> = {},
): Promise<Omit<CompaniesView, "address">> {
  const { db } = services;
  const { search, watchlist, after, filter } = fields;
  const [page, watchlists, total, lists, values] = await Promise.all([
    searchCompanies(db, { search, watchlist, after, filter, limit: PAGE_SIZE }),
    readWatchlists(db),
    countCompanies(db),
    readCompanyLists(db),
    readFilterValues(db),
  ]);
  const selected = await quickSelection(
    services,
    fields,
    page.companies.map(({ symbol }) => symbol),
  );
  const names = await companiesNamed(db, selected);
  return {
    search,
    filter,
    filterValues: values,
    watchlist: watchlists.find(({ id }) => id === watchlist) ?? null,
    page,
    first: after === undefined,
    total,
    selected: selected.map((symbol) => ({ symbol, name: names.get(symbol) ?? "" })),
    watchlists,
    providers: listingProviders(services, services.settings.values),
    lists,
    factProviders: factProviders(services, services.settings.values),
    flash: null,
    report: null,
    ...more,
  };
}

async function quickSelection(
  { db }: Pick<Services, "db">,
  fields: CompanyFields,
  onPage: readonly string[],
): Promise<string[]> {
  const { selected, quick, watchlist } = fields;
  const more =
    quick === "top"
      ? TOP_TEN
      : quick === "page"
        ? onPage
        : quick === "list" && watchlist !== undefined
          ? await symbolsOf(db, watchlist)
          : [];
  return quick === "clear" ? [] : [...new Set([...selected, ...more])].slice(0, MAX_SYMBOLS);
}

/**
 * The text of an import: a raw body, or a form with a `file` or a `text`.
 * @throws Refusal if there is none
 */
export async function importedText(c: Context): Promise<string> {
  const type = c.req.header("Content-Type") ?? "";
  if (!/^(multipart\/form-data|application\/x-www-form-urlencoded)/i.test(type))
    return decoded(await c.req.arrayBuffer());
  const sent = await c.req.parseBody();
  requireKnownFields(sent, ["file", "text"]);
  const { file, text } = sent;
  if (file instanceof File && file.size > 0) return decoded(await file.arrayBuffer());
  if (typeof text === "string" && text.trim() !== "") return text;
  throw new Refusal("invalid", "Choose a file or paste a list", [{ path: "file", message: "is missing" }]);
}

/** UTF-8, or UTF-16 as spreadsheets save "Unicode text". @throws Refusal if it is neither */
function decoded(bytes: ArrayBuffer): string {
  const encoding = utf16Of(new Uint8Array(bytes)) ?? "utf-8";
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    if (!text.includes("\0")) return text;
  } catch {
    // Refused below.
  }
  throw new Refusal("invalid", "The file is not text in UTF-8 or UTF-16: save it as CSV UTF-8 or as plain text");
}
