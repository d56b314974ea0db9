/** @jsxImportSource hono/jsx */
/** `/audit`: the audit log by filter and page; with `format=csv` a download. */

import { Hono } from "hono";
import Papa from "papaparse";
import { parseSymbol } from "../../domain/market/symbol.ts";
import { parseIsoDate } from "../../domain/time.ts";
import type { PieceSource } from "../../pipeline/exports/export-queue.ts";
import { type AuditFilter, auditChoices, listAudit } from "../../storage/access/audit.ts";
import type { Database } from "../../storage/db.ts";
import { AUDIT_FIELDS, type AuditFields, AuditPage } from "../../views/access/audit-page.tsx";
import { compressed } from "../compression.ts";
import { streamed } from "../http/stream-body.ts";
import type { Services } from "../services.ts";

const PAGE_SIZE = 100;
/** Rows read at a time for a download. */
const CHUNK = 1_000;
const DAY_MS = 86_400_000;

export function auditPages({ db, exporter }: Pick<Services, "db" | "exporter">) {
  const pages = new Hono();
  pages.use("/audit", compressed);

  pages.get("/audit", async (c) => {
    const fields = Object.fromEntries(
      AUDIT_FIELDS.map((name) => [name, (c.req.query(name) ?? "").trim().slice(0, 100)]),
    ) as AuditFields;
    const { filter, error } = filterOf(fields);
    if (c.req.query("format") === "csv") {
      return streamed(c, () => exporter.lists.stream(() => csvOf(db, filter), c.req.raw.signal), {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": 'attachment; filename="audit.csv"',
      });
    }
    const [before, after] = [idOf(c.req.query("before")), idOf(c.req.query("after"))];
    const cursor = after !== null ? { after } : before !== null ? { before } : {};
    const found = await listAudit(db, { ...filter, ...cursor }, PAGE_SIZE + 1);
    const more = found.length > PAGE_SIZE;
    // Newer rows are read in ascending order, so the extra row is the first one.
    const rows = after !== null && more ? found.slice(1) : found.slice(0, PAGE_SIZE);
    const [older, newer] = after !== null ? [true, more] : [more, before !== null];
    const view = {
      rows,
      older: older ? (rows.at(-1)?.id ?? null) : null,
      newer: newer ? (rows[0]?.id ?? null) : null,
      fields,
      error,
      ...(await auditChoices(db)),
    };
    return c.html(<AuditPage page={c.var.page} view={view} />);
  });

  return pages;
}

/** The id of a row, from a query parameter. */
const idOf = (text: string | undefined) => (text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null);

/** The filter that the form describes. An invalid symbol or day is reported and left out. */
function filterOf({ actor, action, symbol, from, to }: AuditFields): { filter: AuditFilter; error: string | null } {
  const wanted = parseSymbol(symbol);
  const [first, last] = [dayOf(from), dayOf(to)];
  const error = [
    ...(symbol !== "" && wanted === null ? [`${symbol} is not a symbol.`] : []),
    ...[from, to].flatMap((day) => (day !== "" && dayOf(day) === null ? [`${day} is not a day like 2026-01-31.`] : [])),
  ];
  const filter: AuditFilter = {
    ...(actor !== "" && { actor }),
    ...(action !== "" && { action }),
    ...(wanted !== null && { symbol: wanted }),
    ...(first !== null && { from: first }),
    // The last day is included.
    ...(last !== null && { to: last + DAY_MS }),
  };
  return { filter, error: error.length > 0 ? error.join(" ") : null };
}

/** Midnight UTC of `2026-01-31`, epoch milliseconds. */
function dayOf(text: string): number | null {
  const date = parseIsoDate(text);
  return Number.isNaN(date) ? null : date * 1_000;
}

/** The rows as CSV, read as the client takes them. */
function csvOf(db: Database, filter: AuditFilter): PieceSource {
  const encoder = new TextEncoder();
  let before: number | undefined;
  let head = "at,actor,action,subject,reason,before,after\r\n";
  let ended = false;
  return {
    async next() {
      if (ended) return null;
      const rows = await listAudit(db, before === undefined ? filter : { ...filter, before }, CHUNK);
      const json = (value: unknown) => (value === null ? "" : JSON.stringify(value));
      const cells = rows.map((row) => [
        new Date(row.at).toISOString(),
        row.actor,
        row.action,
        row.subject,
        row.reason ?? "",
        json(row.before),
        json(row.after),
      ]);
      // A spreadsheet would evaluate a cell that begins like a formula.
      const text = cells.length > 0 ? `${Papa.unparse(cells, { escapeFormulae: true })}\r\n` : "";
      const piece = encoder.encode(head + text);
      head = "";
      before = rows.at(-1)?.id;
      ended = rows.length < CHUNK;
      return piece;
    },
    stop() {
      ended = true;
    },
  };
}
