/** `get_bars` and `get_features`: the newest rows of a range, as the API gives them, with the coverage of their series. */

import { z } from "zod";
import { ADJUSTMENTS } from "../../domain/market/corporate-actions.ts";
import { READ_INTERVALS, type ReadInterval } from "../../domain/market/interval.ts";
import { marketOf } from "../../domain/market/symbol.ts";
import { isoMillisecond } from "../../domain/time.ts";
import { FEATURES } from "../../features/catalog.ts";
import { barsPerYear } from "../../features/kernels/volatility.ts";
import { findSources } from "../../pipeline/exports/find-sources.ts";
import { choice, providerName, strictObject, symbol, wholeNumber } from "../../schemas.ts";
import { startOfLast } from "../../storage/market/bars.ts";
import { formatCount, plural } from "../../views/ui/format.ts";
import { inOrder, momentParameter } from "../api/parameters.ts";
import type { Services } from "../services.ts";
import type { OwnApi } from "./own-api.ts";
import { SeriesCoverages } from "./series-coverage.ts";
import { type Tool, tool } from "./tool.ts";

const MAX_ROWS = 1_000;
/** Most values of a feature matrix: rows times features. */
const MAX_VALUES = 10_000;
const MAX_FEATURES = FEATURES.length;
const YEAR = 365.25 * 86_400;
/** Derived bars are not counted in the store: this many times their usual number is read, for weekends and holidays. */
const MARGIN = 1.5;
const FEW_DAYS = 5 * 86_400;

const range = {
  symbol,
  interval: choice(READ_INTERVALS).default("1d").describe("built from a finer stored interval if it is not stored"),
  from: momentParameter
    .optional()
    .describe("bars that start at this time or later, UTC: 2024-01-31 or 2024-01-31T14:30:00Z"),
  to: momentParameter.optional().describe("bars that start before"),
  provider: providerName.optional(),
  adjust: choice(ADJUSTMENTS).default("splits").describe("which corporate actions are applied"),
  limit: wholeNumber(1, MAX_ROWS).default(100).describe("most rows; the newest of the range are given"),
};

const names = z
  .array(z.string().max(80))
  .min(1)
  .max(MAX_FEATURES)
  .describe("features such as rsi_14, or rsi_14@1h for the last 1h bar that has ended; GET /api/features lists all");

const RangeInput = inOrder(strictObject(range));
type RangeInput = z.infer<typeof RangeInput>;

/** What `GET /api/bars` and `/api/features` answer. */
interface Table {
  readonly data: readonly { readonly timestamp: string; readonly [column: string]: unknown }[];
  readonly [head: string]: unknown;
}

export function dataTools(services: Pick<Services, "calendar" | "db" | "profiles">): Tool[] {
  const { db } = services;
  const calendar = services.calendar;
  const coverages = new SeriesCoverages(services);

  /** The stored series that answers, and from where on it has about `limit` rows of the range. */
  const sourceOf = async ({ symbol, interval, from, to, provider, limit }: RangeInput) => {
    const [first, end] = [from ?? Number.MIN_SAFE_INTEGER, to ?? Number.MAX_SAFE_INTEGER];
    const query = { symbols: [symbol], interval, longer: [], provider, from: first, to: end };
    const { series, stored, rows } = await findSources(db, calendar, query);
    const source = series[0]?.base;
    if (source === undefined) return null;
    const id = source.seriesId;
    const start =
      source.source === interval
        ? await startOfLast(db, id, end, limit)
        : ((await startOfLast(db, id, end, 0)) ?? end) - usualSeconds(symbol, interval, limit);
    if (start === null || start <= first) return { stored: stored[0]!, rows, from, hasEarlier: false };
    const earlier = await startOfLast(db, id, start, 0);
    return { stored: stored[0]!, rows, from: start, hasEarlier: earlier !== null && earlier >= first };
  };

  const answer = async (api: OwnApi, path: string, input: RangeInput, names: string | null) => {
    const { symbol, interval, from, to, provider, adjust, limit } = input;
    const source = await sourceOf(input);
    const addressOf = (start: number | undefined, end: number | undefined) => {
      const parameters = new URLSearchParams({ interval, adjust });
      if (names !== null) parameters.set("names", names);
      if (start !== undefined) parameters.set("from", isoMillisecond(start));
      if (end !== undefined) parameters.set("to", isoMillisecond(end));
      if (provider !== undefined) parameters.set("provider", provider);
      return `${path}/${encodeURIComponent(symbol)}?${parameters}`;
    };
    // Without a series the API says why.
    const { data, ...head } = await api.get<Table>(addressOf(source === null ? from : source.from, to));
    const rows = data.slice(-limit);
    const [first, last] = [rows[0]?.timestamp, rows.at(-1)?.timestamp];
    const isCut = data.length > rows.length || source?.hasEarlier === true;
    const all = api.address(addressOf(from, to));
    const cut = isCut
      ? ` Cut: the newest of about ${formatCount(Math.max(source?.rows ?? 0, data.length))} rows of the range. The ones before: to=${first}. All: GET ${all}`
      : "";
    const extent = rows.length === 0 ? "" : `, ${first} to ${last}`;
    const what = names === null ? `${interval} bar` : `${interval} row`;
    return {
      summary: `${plural(rows.length, what)} of ${symbol}${extent}.${cut}`,
      ...head,
      coverage: source === null ? null : await coverages.ofSeries(source.stored),
      cut: isCut,
      all,
      data: rows,
    };
  };

  return [
    tool({
      name: "get_bars",
      title: "Price bars",
      description: `Bars (open, high, low, close, volume) of a symbol, ascending: at most ${MAX_ROWS}, the newest of the range, with the coverage and health of the series. A null volume is unknown.`,
      input: RangeInput,
      run: (input, { api }) => answer(api, "/api/bars", input, null),
    }),
    tool({
      name: "get_features",
      title: "Features",
      description: `Features of a symbol, one row a bar, ascending: at most ${MAX_ROWS} rows and ${MAX_VALUES} values, the newest of the range, with the coverage and health of the series. An undefined value is null.`,
      input: inOrder(strictObject({ ...range, names })),
      run: ({ names, ...input }, { api }) => {
        const wanted = names.join(",").split(",");
        const columns = wanted.includes("all") ? MAX_FEATURES : wanted.length;
        const limit = Math.max(1, Math.min(input.limit, Math.floor(MAX_VALUES / columns)));
        return answer(api, "/api/features", { ...input, limit }, wanted.join(","));
      },
    }),
  ];
}

/** The time that `rows` bars of an interval usually take, with a margin, seconds. */
const usualSeconds = (symbol: string, interval: ReadInterval, rows: number): number =>
  Math.ceil(((rows * YEAR) / barsPerYear({ market: marketOf(symbol), interval })) * MARGIN) + FEW_DAYS;
