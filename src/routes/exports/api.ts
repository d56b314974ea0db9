/** `/api/bars/:symbol`, `/api/features/:symbol` and `/api/panel`: bars, features and labels, exported. */

import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { Refusal } from "../../domain/errors.ts";
import { ADJUSTMENTS } from "../../domain/market/corporate-actions.ts";
import { READ_INTERVALS } from "../../domain/market/interval.ts";
import { isoMillisecond } from "../../domain/time.ts";
import { FORMAT_TYPES, isText } from "../../pipeline/exports/describe-table.ts";
import type { ExportRequest } from "../../pipeline/exports/export-table.ts";
import { findSources } from "../../pipeline/exports/find-sources.ts";
import { choice } from "../../schemas.ts";
import { apiRouter, refusals } from "../api/parameters.ts";
import { acceptedCodings } from "../compression.ts";
import { endOf, exported } from "../http/stream-body.ts";
import type { Services } from "../services.ts";
import { PanelRequests } from "./panel-request.ts";
import { barsQuery, featuresQuery, panelQuery, type RangeQuery, symbolParams } from "./parameters.ts";
import { headersOf, rangeOf, requireLonger, tableRequest } from "./table-request.ts";

const tableHead = {
  interval: choice(READ_INTERVALS),
  source_interval: z.string().openapi({ description: "The stored interval that the bars were built from" }),
  provider: z.string(),
  synthetic: z.boolean().openapi({ description: "Whether bars are made up: those of the provider `demo`" }),
  feed: z.string(),
  adjust: choice(ADJUSTMENTS),
  as_known_at: z.string().optional(),
  partial: z
    .array(z.string())
    .optional()
    .openapi({
      description:
        "Rows of a derived interval that may hold a part of their time only: the stored bars begin after their beginning, or end before their end",
      example: ["AAPL/2026-11-23T00:00:00Z"],
    }),
  known_since: z.string().nullish().openapi({ description: "Since when arrivals of these bars are recorded" }),
};
const Value = z.number().nullable();
const Row = z.object({ timestamp: z.string() });
const prices = { open: Value, high: Value, low: Value, close: Value, volume: Value };
const symbolHead = {
  symbol: z.string(),
  ...tableHead,
  adjustment: z.string().openapi({ description: "What the provider has already applied to the prices" }),
};
const Bars = z.object({ ...symbolHead, data: z.array(Row.extend(prices)) }).openapi("Bars");
const Matrix = z.object({ ...symbolHead, data: z.array(Row.catchall(Value)) }).openapi("FeatureMatrix");
const Panel = z
  .object({
    ...tableHead,
    missing: z.array(z.string()).openapi({ description: "Symbols without bars in the range" }),
    data: z.array(Row.extend({ symbol: z.string() }).catchall(Value)),
  })
  .openapi("Panel");

const table = (summary: string, schema: z.ZodType) => ({
  200: {
    description: `${summary}. The header x-barkeep-provider names the provider of its bars, x-barkeep-source-interval the stored interval that it was built from`,
    content: {
      "application/json": { schema },
      "text/csv": { schema: z.string() },
      "application/x-ndjson": { schema: z.string() },
      "application/vnd.apache.parquet": { schema: z.string() },
      "application/vnd.apache.arrow.file": { schema: z.string() },
    },
  },
  ...refusals(404, 422, 503),
});

const readBars = createRoute({
  method: "get",
  path: "/bars/{symbol}",
  operationId: "readBars",
  tags: ["Data"],
  summary: "Bars of a symbol, ascending; `from` is inclusive, `to` exclusive",
  request: { params: symbolParams, query: barsQuery },
  responses: table("The bars", Bars),
});
const readFeatures = createRoute({
  method: "get",
  path: "/features/{symbol}",
  operationId: "readFeatures",
  tags: ["Data"],
  summary: "The feature matrix: one row a bar, one column a feature, undefined values null or empty",
  request: { params: symbolParams, query: featuresQuery },
  responses: table("The matrix", Matrix),
});
const readPanel = createRoute({
  method: "get",
  path: "/panel",
  operationId: "readPanel",
  tags: ["Data"],
  summary:
    "Bars, features and labels of up to 5,000 symbols in one long table. Symbols without bars in the range are named in the header x-barkeep-missing",
  request: { query: panelQuery },
  responses: table("The table", Panel),
});

export function exportRoutes(services: Pick<Services, "calendar" | "db" | "derived" | "exporter" | "profiles">) {
  const { calendar, db, exporter } = services;
  const panels = new PanelRequests(services);

  const send = (c: Context, request: ExportRequest, name: string) => {
    const { format } = request;
    const coding = isText(format) ? (acceptedCodings(c.req.header("Accept-Encoding"))[0] ?? null) : null;
    const open = () => exporter.body({ ...request, coding }, endOf(c));
    return exported(c, open, {
      "Content-Type": FORMAT_TYPES[format],
      ...headersOf(request),
      ...(format !== "json" && { "Content-Disposition": `attachment; filename="${name}.${format}"` }),
      ...(isText(format) && { Vary: "Accept-Encoding" }),
      ...(coding !== null && { "Content-Encoding": coding }),
    });
  };

  const one = async (c: Context, symbol: string, query: RangeQuery, names: readonly string[] | null) => {
    const { interval, provider } = query;
    const longer = requireLonger(interval, names ?? []);
    const knownAt = query.as_known_at;
    const range = { ...rangeOf(query), knownAt };
    const found = await findSources(db, calendar, { symbols: [symbol], interval, longer, provider, ...range });
    const content = names === null ? "bars" : "features";
    const columns = { hasBars: names === null, features: names ?? [], labels: [] };
    const request = tableRequest(query, columns, found);
    const [series] = request.stored;
    if (series === undefined) {
      const detail =
        knownAt === undefined
          ? `There are no ${interval} bars of ${symbol}: start a run for it first`
          : `No ${interval} bars of ${symbol} were stored at ${isoMillisecond(knownAt / 1_000)}`;
      throw new Refusal("not_found", detail);
    }
    return send(c, request.request, `${symbol.replace("@", "_")}-${interval}-${content}`);
  };

  return apiRouter()
    .openapi(readBars, (c) => one(c, c.req.valid("param").symbol, c.req.valid("query"), null))
    .openapi(readFeatures, (c) => {
      const { names, ...query } = c.req.valid("query");
      return one(c, c.req.valid("param").symbol, query, names);
    })
    .openapi(readPanel, async (c) => {
      const { request } = await panels.read(c.req.valid("query"));
      return send(c, request, `panel-${request.interval}`);
    });
}
