/** @jsxImportSource hono/jsx */
/** `/snapshots`: lists, makes, compares and deletes snapshots. */

import { type Context, Hono } from "hono";
import { Refusal } from "../../domain/errors.ts";
import { listSymbols } from "../../domain/market/symbol.ts";
import { isoDate } from "../../domain/time.ts";
import type { SnapshotDiff } from "../../scheduler/snapshots.ts";
import { firstFault } from "../../schemas.ts";
import type { SnapshotRow } from "../../storage/market/snapshots.ts";
import { type DiffView, type SnapshotItem, SnapshotsPage } from "../../views/exports/snapshots.tsx";
import { capitalised } from "../form-errors.ts";
import { endOf } from "../http/stream-body.ts";
import type { Services } from "../services.ts";
import { PanelRequests } from "./panel-request.ts";
import { createSnapshot, type SnapshotBody, snapshotBody } from "./snapshots-api.ts";

/** Symbols of a comparison that the page shows. */
const SHOWN = 50;
const MAX_REASON = 200;

export function snapshotPages(services: Pick<Services, "calendar" | "db" | "derived" | "profiles" | "snapshots">) {
  const { snapshots } = services;
  const panels = new PanelRequests(services);
  const pages = new Hono();

  const show = async (c: Context, diff: DiffView | null, refusal?: Refusal) => {
    const rows = await snapshots.list();
    const view = {
      snapshots: rows.map(itemOf),
      folder: snapshots.folder,
      chosen: { a: c.req.query("a") ?? "", b: c.req.query("b") ?? "" },
      diff,
      error: refusal === undefined ? null : capitalised(refusal.message),
    };
    return c.html(<SnapshotsPage page={{ ...c.var.page, path: "/snapshots" }} view={view} />, refusal?.status ?? 200);
  };
  const orRefused = async (c: Context, work: () => Promise<Response>): Promise<Response> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return show(c, null, error);
    }
  };

  pages.get("/snapshots", (c) => {
    const [a, b] = [c.req.query("a"), c.req.query("b")];
    if (a === undefined || b === undefined) return show(c, null);
    return orRefused(c, async () => {
      const [before, after] = [await snapshots.get(a), await snapshots.get(b)];
      return show(c, diffView(before, after, await snapshots.diff(a, b, endOf(c))));
    });
  });

  pages.post("/snapshots", (c) =>
    orRefused(c, async () => {
      const form = await c.req.parseBody();
      const {
        format: _,
        sort: __,
        reason: ___,
        ...sent
      } = Object.fromEntries(Object.entries(form).filter(([, value]) => value !== ""));
      const { id } = await createSnapshot({ panels, snapshots }, orderOf(sent), endOf(c));
      return c.redirect(`/snapshots#snapshot-${id}`, 303);
    }),
  );

  pages.post("/snapshots/:id/delete", (c) =>
    orRefused(c, async () => {
      const { reason } = await c.req.parseBody();
      const text = typeof reason === "string" ? reason.trim().slice(0, MAX_REASON) : "";
      if (text === "") throw new Refusal("invalid", "A deletion wants a reason, which is kept");
      await snapshots.remove(c.req.param("id"), text);
      return c.redirect("/snapshots", 303);
    }),
  );
  return pages;
}

function orderOf(sent: Readonly<Record<string, unknown>>): SnapshotBody {
  const checked = snapshotBody.safeParse(sent);
  if (checked.success) return checked.data;
  throw new Refusal("invalid", firstFault(checked.error, "the form"));
}

function itemOf(row: SnapshotRow): SnapshotItem {
  const { id, name, sha256, rows, files, createdAt, version, catalogVersion, deletedAt, deletedReason } = row;
  const date = isoDate(createdAt / 1_000);
  return {
    id,
    name,
    sha256,
    interval: String(row.request.interval),
    symbols: row.symbols.length,
    rows,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    createdAt,
    citation: `“${name}”, snapshot ${id} of ${rows} rows made on ${date} by Barkeep ${version} (feature catalogue ${catalogVersion}), SHA-256 of the content ${sha256}.`,
    files: files.map((file) => ({
      name: file.name,
      path: `/api/snapshots/${id}/files/${file.name}`,
      bytes: file.bytes,
    })),
    deleted: deletedAt === null ? null : { at: deletedAt, reason: deletedReason ?? "" },
  };
}

function diffView(before: SnapshotRow, after: SnapshotRow, diff: SnapshotDiff): DiffView {
  const pair = ([old, now]: readonly [string, string]) => (old === now ? old : `${old}, then ${now}`);
  const list = (symbols: readonly string[]) => (symbols.length === 0 ? "none" : listSymbols(symbols, 12));
  return {
    before: before.name,
    after: after.name,
    same: diff.same,
    facts: [
      ["Symbols added", list(diff.symbols_added)],
      ["Symbols removed", list(diff.symbols_removed)],
      [
        "Bars of the other symbols",
        `${diff.bars_added} added, ${diff.bars_changed} changed, ${diff.bars_removed} removed`,
      ],
      [
        "Columns",
        `added: ${diff.columns_added.join(", ") || "none"}; removed: ${diff.columns_removed.join(", ") || "none"}`,
      ],
      ["Feature catalogue", pair(diff.catalog_versions)],
      ["Sessions of the calendar", pair(diff.calendar_versions)],
    ],
    symbols: diff.symbols_changed.slice(0, SHOWN).map((each) => ({
      symbol: each.symbol,
      added: each.bars_added,
      changed: each.bars_changed,
      removed: each.bars_removed,
      features: each.features_changed,
    })),
    more: Math.max(0, diff.symbols_changed.length - SHOWN),
  };
}
