/** `/api/snapshots`: writes, lists, compares and deletes snapshots, and serves their files. */

import { createRoute, z } from "@hono/zod-openapi";
import { invalidFields } from "../../domain/errors.ts";
import { isoMillisecond } from "../../domain/time.ts";
import { columnNames } from "../../pipeline/exports/series/read-rows.ts";
import type { Snapshots } from "../../scheduler/snapshots.ts";
import { fieldErrors, nameText, text } from "../../schemas.ts";
import type { SnapshotRow } from "../../storage/market/snapshots.ts";
import { apiRouter, json, jsonBody, refusals } from "../api/parameters.ts";
import { fileOnDisk, serveFile } from "../http/serve-file.ts";
import { endOf } from "../http/stream-body.ts";
import type { Services } from "../services.ts";
import { PanelRequests } from "./panel-request.ts";
import { panelQuery } from "./parameters.ts";
import { refuse } from "./table-request.ts";

const words = z.union([z.string(), z.array(z.string())], { error: "wants a list of texts" });

/** What a snapshot is made of: the parameters of a panel. */
export const snapshotBody = z.strictObject({
  name: nameText(80),
  symbols: words.optional(),
  watchlist: z.string().optional(),
  interval: z.string().optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  names: words.optional(),
  include: words.optional(),
  labels: words.optional(),
  adjust: z.string().optional(),
  as_known_at: z.string().optional(),
  dtype: z.string().optional(),
  provider: z.string().optional(),
});
export type SnapshotBody = z.infer<typeof snapshotBody>;

const reasonText = "why it is deleted; the reason is stored with the snapshot";
const id = z.object({ id: z.uuid({ error: "wants the id of a snapshot" }) });
const texts = z.array(z.string()).readonly();
const Snapshot = z
  .object({
    id: z.string(),
    name: z.string(),
    sha256: z.string(),
    rows: z.int(),
    files: z
      .array(
        z.object({ name: z.string(), rows: z.int(), bytes: z.int(), sha256: z.string(), path: z.string() }).readonly(),
      )
      .readonly(),
    created_at: z.string(),
    version: z.string(),
    catalog_version: z.string(),
    calendar_version: z.string(),
    request: z.record(z.string(), z.unknown()),
    symbols: texts,
    missing: texts,
    deleted_at: z.string().nullable(),
    deleted_reason: z.string().nullable(),
  })
  .openapi("Snapshot");
const versions = z.tuple([z.string(), z.string()]).readonly();
const Diff = z
  .object({
    a: z.string(),
    b: z.string(),
    same: z.boolean(),
    catalog_versions: versions,
    calendar_versions: versions,
    columns_added: texts,
    columns_removed: texts,
    bars_added: z.int(),
    bars_changed: z.int(),
    bars_removed: z.int(),
    symbols_added: texts,
    symbols_removed: texts,
    symbols_changed: z
      .array(
        z
          .object({
            symbol: z.string(),
            bars_added: z.int(),
            bars_changed: z.int(),
            bars_removed: z.int(),
            features_changed: z.int().nullable(),
          })
          .readonly(),
      )
      .readonly(),
  })
  .openapi("SnapshotDiff");

/** A snapshot as JSON. */
const snapshotJson = (row: SnapshotRow) => ({
  id: row.id,
  name: row.name,
  sha256: row.sha256,
  rows: row.rows,
  files: row.files.map((file) => ({ ...file, path: `/api/snapshots/${row.id}/files/${file.name}` })),
  created_at: isoMillisecond(row.createdAt / 1_000),
  version: row.version,
  catalog_version: row.catalogVersion,
  calendar_version: row.calendarVersion,
  request: row.request,
  symbols: row.symbols,
  missing: row.missing,
  deleted_at: row.deletedAt === null ? null : isoMillisecond(row.deletedAt / 1_000),
  deleted_reason: row.deletedReason,
});

/** Checks an order and writes the snapshot. @throws Refusal that names the field which is wrong */
export async function createSnapshot(
  { panels, snapshots }: { panels: PanelRequests; snapshots: Snapshots },
  { name, ...body }: SnapshotBody,
  signal?: AbortSignal,
): Promise<SnapshotRow> {
  const sent = Object.entries(body).filter(([, value]) => value !== undefined);
  const query = Object.fromEntries(sent.map(([key, value]) => [key, Array.isArray(value) ? value.join(",") : value]));
  const checked = panelQuery.safeParse({ ...query, format: "parquet" });
  if (!checked.success) throw invalidFields(fieldErrors(checked.error));
  const { request, missing } = await panels.read(checked.data);
  if (request.series.length === 0)
    throw refuse("symbols", "none of them has bars in the range: there is nothing to keep");
  const { interval, adjust, dtype } = request;
  const asked = { ...query, interval, adjust, dtype };
  const columns = columnNames(request);
  return snapshots.create({ name, request: asked, columns, missing, table: request }, signal);
}

export function snapshotRoutes(services: Pick<Services, "calendar" | "db" | "derived" | "profiles" | "snapshots">) {
  const { snapshots } = services;
  const panels = new PanelRequests(services);
  return apiRouter()
    .openapi(
      createRoute({
        method: "post",
        path: "/snapshots",
        operationId: "createSnapshot",
        tags: ["Data"],
        summary:
          "Writes a panel to files that never change; its hash is that of the content, the same on every machine",
        request: jsonBody(snapshotBody),
        responses: { 201: json("The snapshot", Snapshot), ...refusals(404, 422, 503) },
      }),
      async (c) =>
        c.json(snapshotJson(await createSnapshot({ panels, snapshots }, c.req.valid("json"), endOf(c))), 201),
    )
    .openapi(
      createRoute({
        method: "get",
        path: "/snapshots",
        operationId: "listSnapshots",
        tags: ["Data"],
        summary: "All snapshots, newest first, with those that were deleted",
        responses: { 200: json("The snapshots", z.object({ snapshots: z.array(Snapshot) })) },
      }),
      async (c) => c.json({ snapshots: (await snapshots.list()).map(snapshotJson) }, 200),
    )
    .openapi(
      createRoute({
        method: "get",
        path: "/snapshots/{id}",
        operationId: "readSnapshot",
        tags: ["Data"],
        summary: "One snapshot",
        request: { params: id },
        responses: { 200: json("The snapshot", Snapshot), ...refusals(404, 422) },
      }),
      async (c) => c.json(snapshotJson(await snapshots.get(c.req.valid("param").id)), 200),
    )
    .openapi(
      createRoute({
        method: "delete",
        path: "/snapshots/{id}",
        operationId: "deleteSnapshot",
        tags: ["Data"],
        summary: "Deletes the files of a snapshot; its record stays, with the reason",
        request: { params: id, query: z.object({ reason: text(300).openapi({ description: reasonText }) }) },
        responses: { 204: { description: "Deleted" }, ...refusals(404, 422) },
      }),
      async (c) => {
        await snapshots.remove(c.req.valid("param").id, c.req.valid("query").reason);
        return c.body(null, 204);
      },
    )
    .openapi(
      createRoute({
        method: "get",
        path: "/snapshots/{id}/files/{file}",
        operationId: "readSnapshotFile",
        tags: ["Data"],
        summary: "A Parquet file of a snapshot: whole or in ranges; it never changes",
        request: { params: id.extend({ file: z.string().max(40) }) },
        responses: {
          200: { description: "The file", content: { "application/vnd.apache.parquet": { schema: z.string() } } },
          206: { description: "The requested range of the file" },
          304: { description: "The client has the file already" },
          ...refusals(404, 416, 422),
        },
      }),
      async (c) => {
        const { id, file } = c.req.valid("param");
        const { path, sha256 } = await snapshots.file(id, file);
        const found = await fileOnDisk(path, sha256);
        if (found === null) throw new Error(`the file ${file} of snapshot ${id} is not there any more`);
        const options = { type: "application/vnd.apache.parquet", name: file, isImmutable: true };
        return (await serveFile(c, found, options)) as never;
      },
    )
    .openapi(
      createRoute({
        method: "get",
        path: "/snapshots/{id}/diff/{other}",
        operationId: "compareSnapshots",
        tags: ["Data"],
        summary: "Compare two snapshots: symbols, bars, and features by catalogue version",
        request: { params: id.extend({ other: id.shape.id }) },
        responses: { 200: json("The differences", Diff), ...refusals(404, 422, 503) },
      }),
      async (c) => {
        const { id, other } = c.req.valid("param");
        return c.json({ ...(await snapshots.diff(id, other, endOf(c))) }, 200);
      },
    );
}
