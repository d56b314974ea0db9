/** @jsxImportSource hono/jsx */
/** `/audit` and `GET /api/audit`: the audit log by filter and page; the page with `format=csv` is a download. */

import { createRoute, z } from "@hono/zod-openapi";
import { Hono } from "hono";
import Papa from "papaparse";
import { onOneLine, Refusal } from "../../domain/errors.ts";
import { parseSymbol } from "../../domain/market/symbol.ts";
import { isInOrder, NOT_IN_ORDER, parseIsoDay } from "../../domain/time.ts";
import type { PieceSource } from "../../pipeline/exports/export-queue.ts";
import { wholeNumberText } from "../../schemas.ts";
import { type AuditFilter, auditChoices, listAudit } from "../../storage/access/audit.ts";
import type { Database } from "../../storage/db.ts";
import { AUDIT_FIELDS, type AuditFields, AuditPage } from "../../views/access/audit-page.tsx";
import {
  apiRouter,
  idParameter,
  inOrder,
  json,
  momentParameter,
  refusals,
  symbolParameter,
} from "../api/parameters.ts";
import { compressed } from "../compression.ts";
import { chosen, idIn } from "../http/page-query.ts";
import { endOf, exported } from "../http/stream-body.ts";
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
    if (chosen(c, "format", ["csv"]) === "csv") {
      if (error !== null) throw new Refusal("invalid", error);
      return exported(c, () => exporter.lists.body(() => csvOf(db, filter), endOf(c)), {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": 'attachment; filename="audit.csv"',
      });
    }
    const [before, after] = [idIn(c, "before"), idIn(c, "after")];
    const cursor = after !== undefined ? { after } : before !== undefined ? { before } : {};
    const view = {
      ...(await readPage(db, filter, cursor, PAGE_SIZE)),
      fields,
      error,
      ...(await auditChoices(db)),
    };
    return c.html(<AuditPage page={c.var.page} view={view} />, error === null ? 200 : 422);
  });

  return pages;
}

/** A page of what matches, newest first, and the ids from which the pages with older and with newer rows begin. */
async function readPage(
  db: Database,
  filter: AuditFilter,
  cursor: Pick<AuditFilter, "before" | "after">,
  size: number,
) {
  const forward = cursor.after !== undefined;
  const found = await listAudit(db, { ...filter, ...cursor }, size + 1);
  const more = found.length > size;
  // Newer rows are read in ascending order, so the extra row is the first one.
  const rows = forward && more ? found.slice(1) : found.slice(0, size);
  const [older, newer] = forward ? [true, more] : [more, cursor.before !== undefined];
  return { rows, older: older ? (rows.at(-1)?.id ?? null) : null, newer: newer ? (rows[0]?.id ?? null) : null };
}

const moment = momentParameter.transform((seconds) => seconds * 1_000).openapi({ type: "string" });
const State = z.record(z.string(), z.unknown()).nullable();
const EntryBody = z
  .object({
    id: z.int(),
    at: z.string(),
    actor: z.string(),
    action: z.string(),
    subject: z.string(),
    reason: z.string().nullable(),
    before: State,
    after: State,
  })
  .openapi("AuditEntry");

const list = createRoute({
  method: "get",
  path: "/audit",
  operationId: "listAudit",
  tags: ["Operation"],
  summary:
    "Who changed what, newest first; the next pages are at `before` and `after` with `older` and `newer` of the answer",
  request: {
    query: inOrder(
      z
        .strictObject({
          actor: z.string().max(100).optional(),
          action: z.string().max(100).optional().openapi({ example: "run.start" }),
          symbol: symbolParameter.optional().openapi({ description: "Only entries about this symbol" }),
          from: moment.optional(),
          to: moment.optional(),
          limit: wholeNumberText(1, 1_000).default(PAGE_SIZE),
          before: idParameter.optional(),
          after: idParameter.optional(),
        })
        .refine(({ before, after }) => before === undefined || after === undefined, {
          error: "before and after are two pages: ask for one",
          path: ["after"],
        }),
    ),
  },
  responses: {
    200: json(
      "The entries",
      z.object({ entries: z.array(EntryBody), older: z.string().nullable(), newer: z.string().nullable() }),
    ),
    ...refusals(422),
  },
});

export const auditApi = ({ db }: Pick<Services, "db">) =>
  apiRouter().openapi(list, async (c) => {
    const { limit, before, after, ...given } = c.req.valid("query");
    const filter = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as AuditFilter;
    const cursor = after !== undefined ? { after } : before !== undefined ? { before } : {};
    const { rows, older, newer } = await readPage(db, filter, cursor, limit);
    const entries = rows.map((row) => ({ ...row, at: new Date(row.at).toISOString() }));
    const text = (id: number | null) => (id === null ? null : String(id));
    return c.json({ entries, older: text(older), newer: text(newer) }, 200);
  });

/** The filter that the form describes. An invalid symbol or day is reported and left out. */
function filterOf({ actor, action, symbol, from, to }: AuditFields): { filter: AuditFilter; error: string | null } {
  const wanted = parseSymbol(symbol);
  const [first, last] = [parseIsoDay(from), parseIsoDay(to)];
  const error = [
    ...(symbol !== "" && wanted === null ? [`${symbol} is not a symbol.`] : []),
    ...[from, to].flatMap((day) =>
      day !== "" && parseIsoDay(day) === null ? [`${day} is not a day like 2026-01-31.`] : [],
    ),
    ...(isInOrder({ from: first ?? undefined, to: last ?? undefined }) ? [] : [`${to} ${NOT_IN_ORDER}.`]),
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

/** The rows as CSV, read as the client takes them. */
function csvOf(db: Database, filter: AuditFilter): PieceSource {
  const encoder = new TextEncoder();
  let before: number | undefined;
  let head = "at,actor,action,subject,reason,before,after\r\n";
  let ended = false;
  return {
    async next() {
      if (ended) return { bytes: null, isLast: true };
      const rows = await listAudit(db, before === undefined ? filter : { ...filter, before }, CHUNK);
      const json = (value: unknown) => (value === null ? "" : JSON.stringify(value));
      const cells = rows.map((row) => [
        new Date(row.at).toISOString(),
        // Rows of older versions may hold control characters.
        ...[row.actor, row.action, row.subject, row.reason ?? ""].map(onOneLine),
        json(row.before),
        json(row.after),
      ]);
      // A spreadsheet would evaluate a cell that begins like a formula.
      const text = cells.length > 0 ? `${Papa.unparse(cells, { escapeFormulae: true })}\r\n` : "";
      const bytes = encoder.encode(head + text);
      head = "";
      before = rows.at(-1)?.id;
      ended = rows.length < CHUNK;
      return { bytes, isLast: ended };
    },
    stop() {
      ended = true;
    },
  };
}
