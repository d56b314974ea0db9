/** `/api/bars/:symbol`: stored bars, streamed page by page. */

import { createRoute, z } from "@hono/zod-openapi";
import type { BarColumns } from "../../domain/bars.ts";
import { Refusal } from "../../domain/errors.ts";
import { barPages } from "../../storage/bars.ts";
import { findSeries } from "../../storage/series.ts";
import type { Services } from "../services.ts";
import { apiRouter, intervalParameter, momentParameter, refusals, symbolParameter } from "./parameters.ts";

const read = createRoute({
  method: "get",
  path: "/bars/{symbol}",
  summary: "Stored bars of a symbol, ascending, `from` inclusive, `to` exclusive",
  request: {
    params: z.object({ symbol: symbolParameter }),
    query: z.object({
      interval: intervalParameter,
      from: momentParameter.optional(),
      to: momentParameter.optional(),
      provider: z.string().max(40).optional(),
      format: z.enum(["json", "csv"], { error: "wants json or csv" }).default("json"),
    }),
  },
  responses: {
    200: {
      description: "The bars",
      content: { "application/json": { schema: z.any() }, "text/csv": { schema: z.string() } },
    },
    ...refusals(404, 422),
  },
});

export function barRoutes({ db }: Services) {
  return apiRouter().openapi(read, async (c) => {
    const { symbol } = c.req.valid("param");
    const {
      interval,
      from = Number.MIN_SAFE_INTEGER,
      to = Number.MAX_SAFE_INTEGER,
      provider,
      format,
    } = c.req.valid("query");
    const series = await findSeries(db, symbol, interval, provider);
    if (series === undefined)
      throw new Refusal("not_found", `There are no ${interval} bars of ${symbol}: start a run for it first`);
    const pages = barPages(db, series.id, from, to);
    if (format === "csv") {
      return c.body(textStream(csvOf(pages)), 200, {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": `attachment; filename="${symbol}-${interval}.csv"`,
      });
    }
    const head = { symbol, interval, provider: series.provider, adjustment: series.adjustment, feed: series.feed };
    return c.body(textStream(jsonOf(head, pages)), 200, { "Content-Type": "application/json" });
  });
}

/** A body that is written as fast as it is read, and no faster. */
function textStream(chunks: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await chunks.return(undefined);
    },
  });
}

const iso = (seconds: number) => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");

async function* csvOf(pages: AsyncIterable<BarColumns>): AsyncGenerator<string> {
  yield "timestamp,open,high,low,close,volume\n";
  for await (const { ts, open, high, low, close, volume } of pages) {
    let text = "";
    for (let i = 0; i < ts.length; i++)
      text += `${iso(ts[i]!)},${open[i]},${high[i]},${low[i]},${close[i]},${volume[i]}\n`;
    yield text;
  }
}

async function* jsonOf(head: object, pages: AsyncIterable<BarColumns>): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"bars":[`;
  let comma = "";
  for await (const { ts, open, high, low, close, volume } of pages) {
    let text = "";
    for (let i = 0; i < ts.length; i++) {
      text += `${comma}{"ts":${ts[i]},"open":${open[i]},"high":${high[i]},"low":${low[i]},"close":${close[i]},"volume":${volume[i]}}`;
      comma = ",";
    }
    yield text;
  }
  yield "]}";
}
