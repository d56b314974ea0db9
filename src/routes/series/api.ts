/** `/api/storage`: the stored series with their sizes, and the deletion of old bars. */

import { createRoute, z } from "@hono/zod-openapi";
import { isSynthetic } from "../../domain/defaults.ts";
import { invalid } from "../../domain/errors.ts";
import { INTERVALS } from "../../domain/market/interval.ts";
import type { PrunePreview } from "../../domain/series/prune-preview.ts";
import { PROFILE_FILTERS } from "../../domain/series/selection.ts";
import { isoOrNull } from "../../domain/time.ts";
import { choice, providerName, strictObject, text, wholeNumber, wholeNumberText } from "../../schemas.ts";
import { apiRouter, json, jsonBody, refusals } from "../api/parameters.ts";
import type { Services } from "../services.ts";
import { parseBefore, parseSort, requireIdle } from "./query.ts";

/** Series named in one request. */
const MAX_NAMED = 50_000;

const Count = z.int().nonnegative();
const Bytes = Count.nullable();
const Progress = z.object({ done: Count, total: Count });

const Filter = {
  q: z.string().max(24).optional().openapi({ description: "Part of the symbol" }),
  interval: choice(INTERVALS).optional(),
  provider: providerName.optional(),
  profile: choice(PROFILE_FILTERS).optional().openapi({ description: "Whether a profile shows the series" }),
};

const Series = z
  .object({
    id: z.int(),
    symbol: z.string(),
    interval: z.enum(INTERVALS),
    provider: z.string(),
    feed: z.string(),
    synthetic: z.boolean(),
    bars: Count.nullable().openapi({ description: "null: not counted yet" }),
    bytes: Bytes.openapi({ description: "About how many bytes the bars take in the database" }),
    lake_bytes: Bytes,
    first_bar: z.string().nullable(),
    last_bar: z.string().nullable(),
    profile: z.boolean(),
    updated_at: z.string().nullable(),
    kept_from: z.string().nullable().openapi({ description: "Bars before it were deleted by choice" }),
    pruning: z.boolean().openapi({ description: "Whether older bars are being deleted" }),
  })
  .openapi("StoredSeries");

const list = createRoute({
  method: "get",
  path: "/storage",
  operationId: "listStoredSeries",
  tags: ["Operation"],
  summary: "List the stored series with their sizes, and the disk space in use",
  request: {
    query: z.strictObject({
      ...Filter,
      sort: z
        .string()
        .max(12)
        .default("")
        .openapi({ description: "Column to sort by, such as `bars`; descending with `-` in front" }),
      limit: wholeNumberText(1, 1_000).default(100),
      offset: wholeNumberText(0, 1_000_000).default(0),
    }),
  },
  responses: {
    200: json(
      "A page of the series; `bars` counts those of all that match except `uncounted` series",
      z.object({
        total: Count,
        bars: Count,
        uncounted: Count,
        bytes: Bytes,
        lake_bytes: Bytes,
        database: z.object({ bytes: Bytes, log_bytes: Bytes, unused_bytes: Bytes, disk_free_bytes: Bytes }).openapi({
          description: "The file, its write-ahead log, and what is free in it and on its disk; null on a server",
        }),
        lake: z.object({ bytes: Bytes }).nullable(),
        backups: z.object({ files: Count, bytes: Count }).nullable(),
        pruning: Progress.nullable(),
        series: z.array(Series),
      }),
    ),
    ...refusals(422, 503),
  },
});

const PruneBody = strictObject({
  before: text(12).describe("the first day that is kept, as 2020-01-31, or an age as 5y or 18mo"),
  series: z.array(wholeNumber(1, 1e15)).min(1).max(MAX_NAMED).optional().describe("ids; or filter"),
  filter: strictObject(Filter).optional().describe("all series that match; {} for all there are"),
  dry_run: z
    .boolean({ error: "wants true or false" })
    .default(true)
    .describe("only reports what would be deleted; false deletes it"),
  expect: wholeNumber(0, 1e9)
    .optional()
    .describe("the number of series that the dry run reported; if it is another one now, the request is refused"),
});

const Preview = z
  .object({
    dry_run: z.boolean(),
    before: z.string(),
    selected: Count.openapi({ description: "Series that are selected" }),
    series: Count.openapi({ description: "Those of them with bars before the date" }),
    counted: Count.openapi({ description: "Those of these that are counted below: all, unless it takes too long" }),
    busy: Count.openapi({ description: "Series with active jobs: nothing is deleted while there are any" }),
    bars: Count,
    bytes: Bytes.openapi({ description: "About; in the file of the database, which keeps its size at first" }),
    lake_bytes: Bytes.openapi({ description: "About" }),
    emptied: Count.openapi({ description: "Series that lose all bars" }),
    profiles_deleted: Count,
    profiles_recomputed: Count,
    revisions: Count,
    refused_rows: Count,
    gaps: Count,
    findings: Count,
    windows: Count,
    arrivals: Count,
  })
  .openapi("Pruning");

const prune = createRoute({
  method: "post",
  path: "/storage/prune",
  operationId: "pruneSeries",
  tags: ["Operation"],
  summary: "Deletes the bars of series before a day, or says what that would delete",
  request: jsonBody(PruneBody),
  responses: {
    200: json("What would be deleted", Preview),
    202: json("Accepted: the bars are deleted in the background; `GET /api/storage` reports the progress", Preview),
    ...refusals(409, 422, 503),
  },
});

export function storageApi({ stored, lake }: Pick<Services, "lake" | "stored">) {
  const { pruning } = stored;
  return apiRouter()
    .openapi(list, async (c) => {
      const { sort, limit, offset, ...filter } = c.req.valid("query");
      const [page, totals] = await Promise.all([
        stored.list({ filter, ...parseSort(sort), limit, offset }),
        stored.totals(),
      ]);
      const body = {
        ...{ total: page.total, bars: page.bars, uncounted: page.uncounted },
        ...{ bytes: page.bytes, lake_bytes: page.lakeBytes },
        database: {
          bytes: totals.database,
          log_bytes: totals.log,
          unused_bytes: page.file?.free ?? null,
          disk_free_bytes: totals.free,
        },
        lake: lake.name === undefined ? null : { bytes: page.lakeTotal },
        backups: totals.backups,
        pruning: pruning.progress,
        series: page.rows.map((row) => ({
          ...{ id: row.id, symbol: row.symbol, interval: row.interval, provider: row.provider, feed: row.feed },
          ...{ synthetic: isSynthetic(row.provider), bars: row.bars, bytes: row.bytes, lake_bytes: row.lakeBytes },
          first_bar: isoOrNull(row.firstBar),
          last_bar: isoOrNull(row.lastBar),
          profile: row.hasProfile,
          updated_at: row.updatedAt === null ? null : new Date(row.updatedAt).toISOString(),
          kept_from: isoOrNull(row.keptFrom),
          pruning: row.isPruning,
        })),
      };
      return c.json(body, 200);
    })
    .openapi(prune, async (c) => {
      const { before: day, series: ids, filter, dry_run, expect } = c.req.valid("json");
      if ((ids === undefined) === (filter === undefined))
        throw invalid("series", "either series or filter has to be given");
      const before = parseBefore(day);
      const selection = ids === undefined ? { filter: filter ?? {} } : { ids };
      const preview = await stored.previewPruning(selection, before);
      if (dry_run) return c.json({ dry_run: true, ...previewToWire(preview, before) }, 200);
      requireIdle(preview);
      const { series, bars, symbols } = preview;
      if (series === 0) throw invalid("before", "no series that is meant has bars before it");
      await pruning.begin({ selection, before, expect: expect ?? series, bars, symbols });
      return c.json({ dry_run: false, ...previewToWire(preview, before) }, 202);
    });
}

function previewToWire(preview: PrunePreview, before: number) {
  const { symbols: _, busySymbols: __, lakeBytes, profiles, recomputed, refused, ...counts } = preview;
  return {
    ...{ before: isoOrNull(before)!, lake_bytes: lakeBytes, refused_rows: refused },
    ...{ profiles_deleted: profiles, profiles_recomputed: recomputed },
    ...counts,
  };
}
