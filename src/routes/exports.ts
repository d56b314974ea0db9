/** `/api/bars/:symbol` and `/api/features/:symbol`: stored bars and the feature matrix, streamed. */

import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { isSynthetic } from "../domain/defaults.ts";
import { quote, Refusal } from "../domain/errors.ts";
import { ADJUSTMENTS } from "../domain/market/corporate-actions.ts";
import { FEATURES, featureNamed } from "../features/catalog.ts";
import { EXPORT_FORMATS, type ExportRequest } from "../pipeline/exports/export-table.ts";
import { choice, providerName, readable } from "../schemas.ts";
import { findSeries } from "../storage/market/series.ts";
import { apiRouter, intervalParameter, momentParameter, refusals, symbolParameter } from "./api/parameters.ts";
import { streamed } from "./http/stream-body.ts";
import type { Services } from "./services.ts";

const TYPES = {
  json: "application/json",
  csv: "text/csv; charset=utf-8",
  parquet: "application/vnd.apache.parquet",
} as const;

const params = z.object({ symbol: symbolParameter });
const range = {
  interval: intervalParameter,
  from: momentParameter.optional(),
  to: momentParameter.optional(),
  provider: providerName.optional(),
  format: choice(EXPORT_FORMATS).default("json"),
  adjust: choice(ADJUSTMENTS)
    .default("splits")
    .openapi({ description: "Which corporate actions are applied: stored bars are raw" }),
};

const namesIn = (text: string) => [...new Set(text.split(",").flatMap((name) => name.trim() || []))];
const isUnknown = (name: string) => featureNamed(name) === undefined;

const namesParameter = readable(
  (text) => {
    const names = namesIn(text);
    return names.length === 0 || names.some(isUnknown) ? null : names;
  },
  (text) => {
    const unknown = namesIn(text).find(isUnknown);
    return unknown === undefined
      ? "wants names of features, separated by commas"
      : `${quote(unknown)} is not a feature`;
  },
).openapi({ type: "string", example: "rsi_14,atr_14" });

const table = (summary: string) => ({
  200: {
    description: summary,
    content: {
      "application/json": {
        schema: z.looseObject({ symbol: z.string(), rows: z.array(z.looseObject({ ts: z.int() })) }),
      },
      "text/csv": { schema: z.string() },
      "application/vnd.apache.parquet": { schema: z.string() },
    },
  },
  ...refusals(404, 422),
});

const readBars = createRoute({
  method: "get",
  path: "/bars/{symbol}",
  summary: "Stored bars of a symbol, ascending; `from` is inclusive, `to` exclusive",
  request: { params, query: z.object(range) },
  responses: table("The bars"),
});
const readFeatures = createRoute({
  method: "get",
  path: "/features/{symbol}",
  summary: "The feature matrix: one row a bar, one column a feature, undefined values null or empty",
  request: { params, query: z.object({ ...range, names: namesParameter.optional() }) },
  responses: table("The matrix"),
});

type Query = z.infer<z.ZodObject<typeof range>>;

export function exportRoutes({ db, exporter }: Pick<Services, "db" | "exporter">) {
  const answer = async (
    c: Context,
    symbol: string,
    query: Query,
    content: ExportRequest["content"],
    names: string[],
  ) => {
    const { interval, provider, format, adjust, from = Number.MIN_SAFE_INTEGER, to = Number.MAX_SAFE_INTEGER } = query;
    const series = await findSeries(db, symbol, interval, provider);
    if (series === undefined) {
      throw new Refusal("not_found", `There are no ${interval} bars of ${symbol}: start a run for it first`);
    }
    const { feed, adjustment, provider: source } = series;
    const synthetic = isSynthetic(source);
    const head = { symbol, interval, provider: source, synthetic, feed, adjustment, adjust };
    const request = { content, seriesId: series.id, symbol, interval, from, to, names, format, adjust, head };
    if (format !== "json") c.header("Content-Disposition", disposition(symbol, interval, content, format));
    // CSV and Parquet have no place for it.
    if (synthetic) c.header("x-barkeep-synthetic", "true");
    return streamed(c, () => exporter.stream(request, c.req.raw.signal), { "Content-Type": TYPES[format] });
  };
  return apiRouter()
    .openapi(readBars, (c) => answer(c, c.req.valid("param").symbol, c.req.valid("query"), "bars", []))
    .openapi(readFeatures, (c) => {
      const { names = FEATURES.map((feature) => feature.name), ...query } = c.req.valid("query");
      return answer(c, c.req.valid("param").symbol, query, "features", names);
    });
}

function disposition(symbol: string, interval: string, content: string, format: string): string {
  return `attachment; filename="${symbol.replace("@", "_")}-${interval}-${content}.${format}"`;
}
