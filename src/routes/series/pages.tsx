/** @jsxImportSource hono/jsx */
/** `/storage`: what is stored, and the deletion of old bars after a confirmation. */

import { Hono } from "hono";
import { Refusal } from "../../domain/errors.ts";
import type { SeriesSelection } from "../../domain/series/selection.ts";
import { PrunePage } from "../../views/series/prune-page.tsx";
import { storageAddress } from "../../views/series/series-table.tsx";
import { StoragePage } from "../../views/series/storage-page.tsx";
import { compressed } from "../compression.ts";
import { capitalised, requireKnownFields } from "../form-errors.ts";
import { reasonFor } from "../page-context.ts";
import type { Services } from "../services.ts";
import { parseBefore, parseFields } from "./query.ts";

const PAGE_SIZE = 100;

export function storagePages({ stored, lake, redact }: Pick<Services, "lake" | "redact" | "stored">) {
  const { pruning } = stored;
  const pages = new Hono();
  pages.use("/storage", compressed);

  pages.get("/storage", async (c) => {
    const { fields, ...query } = parseFields((name) => c.req.query(name));
    const page = Math.min(10_000, Math.max(1, Math.trunc(Number(c.req.query("page"))) || 1));
    const [list, totals] = await Promise.all([
      stored.list({ ...query, offset: (page - 1) * PAGE_SIZE, limit: PAGE_SIZE }),
      stored.totals(),
    ]);
    const { file, lakeTotal, ...shown } = list;
    const { failure } = pruning;
    const view = {
      ...{ ...shown, fields, page },
      hasNext: page * PAGE_SIZE < list.total,
      totals: {
        ...totals,
        unused: file?.free ?? null,
        canShrink: file?.canShrink ?? false,
        lake: lake.name === undefined ? null : { bytes: lakeTotal },
      },
      pruning: pruning.progress,
      failure: failure === null ? null : reasonFor(c, redact(failure)),
    };
    return c.html(<StoragePage page={c.var.page} view={view} />);
  });

  pages.get("/storage/prune", (c) => c.redirect("/storage", 303));
  pages.post("/storage/prune", async (c) => {
    const { fields, filter } = parseFields((name) => c.req.query(name));
    const body = await c.req.parseBody({ all: true });
    requireKnownFields(body, ["series", "scope", "before", "expect", "confirm"]);
    const ids = [body.series ?? []].flat().map(Number).filter(Number.isSafeInteger);
    const scope = body.scope === "all" ? "all" : "picked";
    if (scope === "picked" && ids.length === 0) throw new Refusal("invalid", "Tick the series first, or choose all");
    const selection: SeriesSelection = scope === "all" ? { filter } : { ids };
    const before = parseBefore(String(body.before ?? ""));
    const preview = await stored.previewPruning(selection, before);
    const ask = (error: string | null, status: 200 | 409 = 200) => {
      const view = { fields, scope, ids: scope === "all" ? [] : ids, before, error, preview };
      return c.html(<PrunePage page={{ ...c.var.page, path: storageAddress(fields) }} view={view} />, status);
    };
    if (body.confirm !== "yes") return ask(null);
    if (body.expect !== String(preview.series))
      return ask("Other series match than when you were asked: look again.", 409);
    const { series: expect, bars, symbols } = preview;
    try {
      await pruning.begin({ selection, before, expect, bars, symbols });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return ask(`${capitalised(error.message)}.`, 409);
    }
    return c.redirect(storageAddress(fields), 303);
  });
  return pages;
}
