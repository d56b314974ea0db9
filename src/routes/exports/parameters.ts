/** The query parameters of the data routes. */

import { z } from "@hono/zod-openapi";
import { RUN_DEFAULTS } from "../../domain/defaults.ts";
import { quote } from "../../domain/errors.ts";
import { ADJUSTMENTS } from "../../domain/market/corporate-actions.ts";
import { READ_INTERVALS } from "../../domain/market/interval.ts";
import { MAX_SYMBOLS, parseSymbol, symbolHint } from "../../domain/market/symbol.ts";
import { FEATURES } from "../../features/catalog.ts";
import { requestedFeature } from "../../features/names.ts";
import { EXPORT_FORMATS, TABLE_SORTS } from "../../pipeline/exports/formats.ts";
import { LABEL_HINT, labelNamed } from "../../pipeline/exports/series/labels.ts";
import { DTYPES } from "../../pipeline/exports/table-block.ts";
import { choice, providerName, readable } from "../../schemas.ts";
import { inOrder, momentParameter, symbolParameter } from "../api/parameters.ts";

/** A query that has no parameters but those of `shape`. */
const strictQuery = <const S extends z.ZodRawShape>(shape: S) =>
  z.strictObject(shape, {
    error: ({ code, keys }) =>
      code === "unrecognized_keys"
        ? `unknown parameter ${keys.map(quote).join(", ")}: there are ${Object.keys(shape).join(", ")}`
        : undefined,
  });

/** A moment in the past, as epoch milliseconds. */
const knownAtParameter = momentParameter
  .transform((seconds, context) => {
    const at = Math.round(seconds * 1_000);
    if (at <= Date.now()) return at;
    context.addIssue({ code: "custom", message: "lies in the future: nobody knows yet what is stored then" });
    return z.NEVER;
  })
  .openapi({
    type: "string",
    example: "2026-03-02T21:00:00Z",
    description:
      "Answer as the server would have at that time: with the bars it had received, their values at that time, and the corporate actions it knew",
  });

const range = {
  interval: choice(READ_INTERVALS).default(RUN_DEFAULTS.interval).openapi({
    description: "If it is not stored, the bars are built from the finest stored interval that divides it",
  }),
  from: momentParameter.optional().openapi({ description: "Bars that start at this time or later" }),
  to: momentParameter.optional().openapi({ description: "Bars that start before this time" }),
  provider: providerName.optional(),
  format: choice(EXPORT_FORMATS).default("json"),
  dtype: choice(DTYPES).default("float64").openapi({ description: "The values of all columns but the time" }),
  adjust: choice(ADJUSTMENTS)
    .default("splits")
    .openapi({ description: "Which corporate actions are applied to the stored bars, which are raw" }),
  as_known_at: knownAtParameter.optional(),
};

/** The words of a list with commas, each once. */
export const listOf = (text: string): string[] => [...new Set(text.split(",").flatMap((word) => word.trim() || []))];

const ALL = FEATURES.map(({ name }) => name);

function featureFault(name: string): string {
  if (labelNamed(name) !== null) return `${quote(name)} is a label and looks ahead: ask for it with labels= of a panel`;
  return `${quote(name)} is not a feature`;
}

/** Names of features, `all` of them or, where that makes sense, `none`. */
const namesParameter = (mayBeNone: boolean) =>
  readable(
    (text) => {
      const names = listOf(text);
      if (names.length === 1 && names[0] === "all") return ALL;
      if (names.length === 1 && names[0] === "none" && mayBeNone) return [];
      return names.length === 0 || names.some((name) => requestedFeature(name) === null) ? null : names;
    },
    (text) => {
      const unknown = listOf(text).find((name) => requestedFeature(name) === null);
      return unknown === undefined ? "wants names of features, separated by commas" : featureFault(unknown);
    },
  ).openapi({
    type: "string",
    example: "rsi_14,atr_14",
    description: `Names of features, separated by commas, or \`all\`${mayBeNone ? " or `none`" : ""}; rsi_14@1h is the value of the last 1h bar that has ended`,
  });

export const symbolParams = z.object({ symbol: symbolParameter });
export const barsQuery = inOrder(strictQuery(range));
export const featuresQuery = inOrder(strictQuery({ ...range, names: namesParameter(false).default(ALL) }));

const symbolsParameter = readable(
  (text) => {
    const symbols = listOf(text).map(parseSymbol);
    return symbols.length === 0 || symbols.length > MAX_SYMBOLS || symbols.includes(null)
      ? null
      : (symbols as string[]);
  },
  (text) => {
    const words = listOf(text);
    const unknown = words.find((word) => parseSymbol(word) === null);
    if (unknown !== undefined) return `${quote(unknown)} is not a symbol${symbolHint(unknown)}`;
    return `wants 1 to ${MAX_SYMBOLS} symbols, separated by commas`;
  },
).openapi({ type: "string", example: "AAPL,MSFT" });

const labelsParameter = readable(
  (text) => (listOf(text).some((name) => labelNamed(name) === null) ? null : listOf(text)),
  (text) => `${quote(listOf(text).find((name) => labelNamed(name) === null) ?? "")} is no label: ${LABEL_HINT}`,
).openapi({
  type: "string",
  example: "fwd_ret_1,tb_20_20_20",
  description: "Names of labels, separated by commas; labels look ahead in time, so they are no features",
});

const includeParameter = readable(
  (text) => (text.trim() === "" ? [] : listOf(text).every((word) => word === "ohlcv") ? listOf(text) : null),
  (text) => `${quote(text)} is not ohlcv`,
).openapi({ type: "string", example: "ohlcv", description: "`ohlcv`: open, high, low, close and volume" });

export const panelQuery = inOrder(
  strictQuery({
    symbols: symbolsParameter.optional(),
    watchlist: z.string().max(80).optional().openapi({ description: "The name of a watchlist" }),
    where: z.string().max(1_000).optional().openapi({
      description: "The symbols whose profile at the interval satisfies this, as in the screener",
      example: "rsi_14 < 30",
    }),
    ...range,
    names: namesParameter(true).default(ALL),
    include: includeParameter.default([]),
    labels: labelsParameter.default([]),
    sort: choice(TABLE_SORTS).default("symbol").openapi({
      description: "`symbol`: by symbol, then time; `timestamp`: by time, then symbol",
    }),
  }),
);

export type RangeQuery = z.infer<typeof barsQuery>;
export type PanelQuery = z.infer<typeof panelQuery>;
