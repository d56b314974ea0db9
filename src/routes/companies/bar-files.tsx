/** @jsxImportSource hono/jsx */
/** `/files`: shows how a file of bars is understood, then stores it in the folder of the provider `files` and reads it. */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { messageOf, ProviderError, quote, Refusal, withoutPaths } from "../../domain/errors.ts";
import { BAR_FIELDS } from "../../domain/market/bars.ts";
import { venueOf } from "../../domain/market/exchanges/exchanges.ts";
import { type Interval, isInterval } from "../../domain/market/interval.ts";
import { parseRequestedSymbol } from "../../domain/market/symbol.ts";
import { type RejectedRow, validateBars } from "../../domain/market/validate-bars.ts";
import { isoDate, isoSecond } from "../../domain/time.ts";
import type { BarFile } from "../../providers/files/bar-file.ts";
import { fileNameFor, targetOf } from "../../providers/files/file-names.ts";
import { BarFilePage, type BarFileView, type CheckedFile } from "../../views/companies/bar-file-page.tsx";
import { plural } from "../../views/ui/format.ts";
import { requireKnownFields } from "../form-errors.ts";
import type { Services } from "../services.ts";
import { storeNew, TOO_MANY, type Uploads } from "./uploads.ts";

/** Bars shown at each end. */
const SHOWN = 3;
/** What an uploaded file may unpack to, bytes: a dozen times what may be sent. */
const MAX_UNPACKED = 200 * 2 ** 20;

export function barFilePages({ runs, settings }: Pick<Services, "runs" | "settings">, uploads: Uploads) {
  const pages = new Hono();
  const folderOf = () => settings.values.BARKEEP_CSV_DIR || null;

  const show = (c: Context, more: Partial<BarFileView> = {}, status: ContentfulStatusCode = 200) => {
    const view = { symbol: "", interval: "", checked: null, flash: null, folder: folderOf(), ...more };
    return c.html(<BarFilePage page={{ ...c.var.page, path: "/files" }} view={view} />, status);
  };
  const refused = (c: Context, text: string, more: Partial<BarFileView> = {}) =>
    show(c, { ...more, flash: { level: "error", text } }, 422);

  pages.get("/files", (c) => show(c));
  pages.get("/files/import", (c) => c.redirect("/files"));

  pages.post("/files", async (c) => {
    const sent = await c.req.parseBody();
    requireKnownFields(sent, ["file", "symbol", "interval"]);
    const { file, symbol: typed = "", interval: chosen = "" } = sent;
    const form = { symbol: String(typed).slice(0, 40), interval: String(chosen).slice(0, 4) };
    if (!(file instanceof File) || file.size === 0) return refused(c, "Choose a file", form);
    const named = targetOf(file.name);
    const symbol = parseRequestedSymbol(form.symbol || (named?.symbol ?? ""));
    const interval = isInterval(form.interval) ? form.interval : named?.interval;
    if (symbol === null)
      return refused(
        c,
        `${quote(form.symbol || file.name)} names no symbol: enter the symbol and choose the file again`,
        form,
      );
    if (interval === undefined) return refused(c, "Choose the interval, and the file again", form);
    const [id, { path }] = await uploads.keep(file, symbol, interval);
    try {
      const target = {
        name: file.name,
        symbol,
        interval,
        venue: venueOf(symbol),
        zone: "UTC",
        maxUnpacked: MAX_UNPACKED,
      };
      const { readBarFile } = await import("../../providers/files/bar-file.ts");
      const read = await readBarFile(path, target);
      return show(c, { ...form, checked: checkedFile(id, file.name, symbol, interval, read) });
    } catch (error) {
      if (uploads.find(id) === undefined) return refused(c, TOO_MANY, form);
      uploads.drop(id);
      if (!(error instanceof ProviderError)) throw error;
      return refused(c, error.message, form);
    }
  });

  pages.post("/files/import", async (c) => {
    const { id } = await c.req.parseBody();
    const folder = folderOf();
    const upload = uploads.find(String(id));
    if (upload === undefined) return refused(c, "The file is no longer here: check it again");
    if (folder === null) return refused(c, "The server has no folder for files: set BARKEEP_CSV_DIR");
    const { symbol, interval, path, name } = upload;
    const stored = fileNameFor(name, symbol, interval);
    const target = join(folder, stored);
    try {
      // A file of the user is never overwritten.
      await storeNew(path, target);
    } catch (error) {
      const isThere = (error as NodeJS.ErrnoException).code === "EEXIST";
      const taken = `${stored} is in the folder of BARKEEP_CSV_DIR already: remove it first`;
      return refused(c, isThere ? taken : withoutPaths(messageOf(error)));
    }
    try {
      const run = { symbols: [symbol], mode: "full", interval, years: "all", provider: "files" } as const;
      await runs.start({ ...run, batchDays: 365, rebuild: undefined, repairProvider: undefined });
    } catch (error) {
      // Without its run nothing was imported: the same file can be imported again.
      await rm(target, { force: true });
      if (error instanceof Refusal) return refused(c, error.message);
      throw error;
    }
    uploads.drop(String(id));
    return c.redirect("/", 303);
  });

  return pages;
}

function checkedFile(id: string, name: string, symbol: string, interval: Interval, file: BarFile): CheckedFile {
  const { layout, dialect, encoding, rows } = file;
  const all = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, asOf: Date.now() / 1000 };
  // An import rejects these rows as well, so they are no part of what is offered for it.
  const { bars, rejected } = validateBars(file.bars, { interval, ...all });
  const length = bars.ts.length;
  const startOf = (at: number) => (interval === "1d" ? isoDate : isoSecond)(bars.ts[at]!);
  const places = [...bars.ts.keys()].filter((at) => at < SHOWN || at >= length - SHOWN);
  const columns = BAR_FIELDS.map(
    (field) => `${field === "ts" ? "time" : field}: ${columnName(file, layout.columns[field])}`,
  );
  const facts: [string, string][] = [
    ["Format", layout.format],
    ["Encoding", encoding],
    ["Columns", columns.join(", ")],
    ...dialectFacts(dialect),
    ...(interval === "1d" ? [] : [["Times without an offset", layout.zone] as [string, string]]),
  ];
  if (length > 0) facts.push(["First bar", startOf(0)], ["Last bar", startOf(length - 1)]);
  const sample = places.map((at) => [
    startOf(at),
    ...BAR_FIELDS.slice(1).map((field) => (Number.isNaN(bars[field][at]) ? "unknown" : String(bars[field][at]))),
  ]);
  const prefix = `${name}: `;
  const notes = file.notes.map((note) => (note.startsWith(prefix) ? note.slice(prefix.length) : note));
  return {
    id,
    name,
    symbol,
    interval,
    rows,
    bars: length,
    facts,
    sample,
    notes: [...notes, ...rejectedNotes(rejected)],
  };
}

/** `2 bars rejected, the first of 2026-01-09T00:00:00.000Z: the high is below the low`, one line for each reason. */
function rejectedNotes(rejected: readonly RejectedRow[]): string[] {
  return [...Map.groupBy(rejected, ({ reason }) => reason)].map(([reason, rows]) => {
    const first = rows.length === 1 ? "" : "the first ";
    return `${plural(rows.length, "bar")} rejected, ${first}of ${rows[0]!.where}: ${reason}`;
  });
}

/** How dates and decimals are written; nothing for a file that stores them as values. */
function dialectFacts(dialect: BarFile["dialect"]): [string, string][] {
  if (dialect === null) return [];
  const { order, sign } = dialect;
  return [
    ...(order === "day-first" || order === "month-first" ? [["Dates", order] as [string, string]] : []),
    ...(sign === "," || sign === "." ? [["Decimals", sign === "," ? "comma" : "point"] as [string, string]] : []),
  ];
}

/** The name of a column, or its number where the file names none. */
const columnName = ({ layout }: BarFile, at: number): string =>
  at < 0 ? "unknown" : layout.header[at]?.trim() || `column ${at + 1}`;
