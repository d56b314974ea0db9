/** `find_symbols`, `coverage` and `screen`: which symbols there are and what is stored of them. */

import { z } from "zod";
import { INTERVALS, READ_INTERVALS, type ReadInterval } from "../../domain/market/interval.ts";
import { HEALTHS } from "../../domain/profiles/health.ts";
import { isoSecond } from "../../domain/time.ts";
import { choice, strictObject, symbol, text, wholeNumber } from "../../schemas.ts";
import { searchCompanies } from "../../storage/companies/companies.ts";
import type { ProfileQuery } from "../../storage/profiles/select-profiles.ts";
import { profilesOf } from "../../storage/search.ts";
import { plural } from "../../views/ui/format.ts";
import { derivedMatches, isDerived } from "../profiles/derived-list.tsx";
import { MAX_PROFILES } from "../profiles/download.ts";
import { requireReadable, screenerOf } from "../profiles/list-query.ts";
import type { Services } from "../services.ts";
import { MONTH_MEANINGS, type SeriesCoverage, SeriesCoverages } from "./series-coverage.ts";
import { type Tool, tool } from "./tool.ts";

const MAX_FOUND = 50;
const MAX_SCREENED = 200;
const MAX_MONTHS = 120;

const interval = choice(INTERVALS).optional();

type SymbolServices = Pick<Services, "calendar" | "db" | "derived" | "profiles">;

export function symbolTools(services: SymbolServices): Tool[] {
  const coverages = new SeriesCoverages(services);
  return [findSymbols(services, coverages), coverage(coverages), screen(services, coverages)];
}

const findSymbols = ({ db }: SymbolServices, coverages: SeriesCoverages): Tool =>
  tool({
    name: "find_symbols",
    title: "Find symbols",
    description:
      "Symbols that begin with a text, or whose company's name has words that do, each with the series that are stored of it, their extent and health.",
    input: strictObject({
      query: text(100).describe("beginning of a symbol or of words of a company's name"),
      limit: wholeNumber(1, MAX_FOUND).default(10),
    }),
    async run({ query, limit }, { api }) {
      // One more than is shown, to know whether there are others.
      const { companies } = await searchCompanies(db, { search: query, limit: limit + 1 });
      const named = companies.map((each) => each.symbol);
      const withBars = await profilesOf(db, query.toUpperCase(), named, (limit + 1) * INTERVALS.length);
      const found = [...new Set([...withBars.map((each) => each.symbol), ...named])];
      const shown = found.slice(0, limit);
      const stored = Map.groupBy(await coverages.ofSymbols(shown), (each) => each.symbol);
      const byName = new Map(companies.map((each) => [each.symbol, each]));
      const address = api.address(`/api/companies?${new URLSearchParams({ q: query, limit: "1000" })}`);
      const cut =
        found.length > limit ? ` There are more: name more of it, or GET ${address} for listed companies.` : "";
      return {
        summary: `${plural(shown.length, "symbol")} found for ${JSON.stringify(query)}.${cut}`,
        symbols: shown.map((each) => ({
          symbol: each,
          name: byName.get(each)?.name ?? null,
          exchange: byName.get(each)?.exchange ?? null,
          stored: (stored.get(each) ?? []).map(({ symbol: _, ...series }) => series),
        })),
      };
    },
  });

const coverage = (coverages: SeriesCoverages): Tool =>
  tool({
    name: "coverage",
    title: "What is stored of a symbol",
    description:
      "The stored series of a symbol: first and last bar, number of bars, whether the history is complete, health with the findings behind it, and the state of each month.",
    input: strictObject({
      symbol,
      interval,
      months: wholeNumber(1, MAX_MONTHS).default(24).describe("months whose state is given, up to the present one"),
    }),
    async run({ symbol, interval, months }, { api }) {
      const series = await coverages.ofSymbol(symbol, interval);
      const states = await coverages.months(symbol, interval, months);
      const what = interval === undefined ? "series" : `${interval} series`;
      const summary =
        series.length === 0
          ? `Nothing is stored of ${symbol}${interval === undefined ? "" : ` at ${interval}`}: plan_run says what fetching it would cost.`
          : `${series.length} ${what} of ${symbol}: ${series.map(inWords).join("; ")}.`;
      const address = api.address(`/api/quality?${new URLSearchParams({ q: symbol, months: String(MAX_MONTHS) })}`);
      return { summary, series, months: states, meanings: MONTH_MEANINGS, all_months: address };
    },
  });

const screen = (services: SymbolServices, coverages: SeriesCoverages): Tool =>
  tool({
    name: "screen",
    title: "Screen symbols by their features",
    description:
      'Symbols whose newest features satisfy an expression such as `rsi_14 < 30 and rank(rvol_20) > 0.9`: comparisons with and, or, not and parentheses; rank(feature) is the share of symbols whose value is not greater; top(feature, 100); facts such as sector = "Energy". Answers the values of the features named, with coverage and health.',
    input: strictObject({
      where: z.string().max(1_000).default("").describe("the expression; empty for all profiles"),
      sort: z
        .string()
        .max(60)
        .default("")
        .describe("a feature, rank(feature), symbol, health, bars, last_bar; - before it for descending"),
      interval: choice(READ_INTERVALS)
        .optional()
        .describe("if no profile is stored at it, they are derived from stored bars of a shorter one"),
      health: z.array(choice(HEALTHS)).default([]).describe("only profiles of these healths; empty for all"),
      limit: wholeNumber(1, MAX_SCREENED).default(25),
    }),
    async run({ where, sort, interval, health, limit }, { api }) {
      const query = screenerOf(where, sort);
      requireReadable(query);
      const filter = {
        where: query.condition,
        sort: query.sort,
        columns: query.columns.map(({ operand }) => operand),
        healths: health,
      };
      const { matched, of, values, stored, facts } = await matches(services, coverages, { filter, interval, limit });
      const rows = (await coverages.ofProfiles(stored)).map((each, at) => ({
        ...each,
        ...facts[at],
        values: Object.fromEntries(query.columns.map(({ name }, column) => [name, finite(values[column]![at]!)])),
      }));
      const wanted = { interval, where, sort, health: health.join(","), limit: String(MAX_PROFILES) };
      const parameters = new URLSearchParams(
        Object.entries(wanted).filter((pair): pair is [string, string] => !!pair[1]),
      );
      const all = api.address(`/api/profiles?${parameters}`);
      const cut = matched > limit ? ` Only the first ${limit} are here; all of them: GET ${all}.` : "";
      const origin = facts.length > 0 ? ` They are derived from stored bars: derived says how.` : "";
      return {
        summary: `${plural(matched, "profile")} of ${of} match.${cut}${origin}`,
        matched,
        rows,
        all,
      };
    },
  });

interface Screened {
  readonly filter: Omit<ProfileQuery, "interval">;
  readonly interval: ReadInterval | undefined;
  readonly limit: number;
}

/** The first matches: the stored profiles behind them, their values by column, and of derived ones what they are. */
async function matches(services: SymbolServices, coverages: SeriesCoverages, { filter, interval, limit }: Screened) {
  if (interval !== undefined && (await isDerived(services, interval))) {
    const { found, rows } = await derivedMatches(services, { filter, interval, clock: coverages.clock() }, "whole");
    const shown = rows.slice(0, limit).map(({ entry }) => entry);
    return {
      ...{ matched: rows.length, of: found.total, stored: shown.map(found.sourceOf) },
      values: found.columns.map((column) => shown.map(({ at }) => column[at]!)),
      facts: shown.map((entry) => {
        const { partial } = found.detailsOf(entry);
        return { derived: { interval, last_bar: isoSecond(entry.lastBar), last_bar_is_partial: partial.last } };
      }),
    };
  }
  const { entries, columns } = await services.profiles.select({ ...filter, interval }, coverages.clock());
  const shown = entries.slice(0, limit);
  return {
    ...{ matched: entries.length, of: (await services.profiles.all()).length, stored: shown, facts: [] },
    values: columns.map((column) => shown.map(({ at }) => column[at]!)),
  };
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

const inWords = ({ interval, provider, synthetic, bars, first_bar, last_bar, health }: SeriesCoverage): string => {
  const from = `${interval} from ${provider}${synthetic ? " (made up)" : ""}`;
  if (bars === null) return `${from}: extent and health unknown`;
  return `${from}: ${plural(bars, "bar")}, ${first_bar} to ${last_bar}, ${health}`;
};
