/**
 * Bars from a folder of files: `SYMBOL.csv` (or `SYMBOL-1d.csv`) holds daily bars, `SYMBOL-1m.csv` those of a minute,
 * and so on; gzipped CSV and Parquet likewise. A symbol only selects among the names in the folder; its owner may have put
 * links to other folders there.
 */

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, ProviderError, withoutPaths } from "../../domain/errors.ts";
import { barsBetween, pickBars, sliceBars } from "../../domain/market/bars.ts";
import { CALENDAR, type Calendar } from "../../domain/market/calendar.ts";
import { venueOf } from "../../domain/market/exchanges/exchanges.ts";
import { INTERVALS, type Interval } from "../../domain/market/interval.ts";
import { isoDates } from "../../domain/time.ts";
import type { BarWindow, FetchContext, FetchedBars, Provider } from "../provider.ts";
import type { BarFile } from "./bar-file.ts";
import { FILE_ENDINGS, stemsOf } from "./file-names.ts";

export interface FilesOptions {
  /** The folder that holds the files. */
  readonly directory: string;
  readonly calendar?: Calendar;
  /** Time zone of times without an offset: UTC unless given. */
  readonly zone?: string;
}

/** Parsed files kept in memory, so that the batches of a job parse their file once. */
const MAX_CACHED_FILES = 4;
/** The bars of a larger file are dropped when a job has read its end: they take 48 bytes each, beside those that the job reads back. */
const MAX_KEPT_BARS = 20_000;

interface CachedFile {
  /** Changes when the file does. */
  readonly version: string;
  readonly content: Promise<BarFile>;
  /** All bars but the first and the last are dropped: later windows need no others. Its last bar, epoch seconds. */
  readonly droppedTo?: number;
}

/** A copy of a file without what lies between its first and its last bar. */
function withoutInside(file: BarFile): BarFile {
  return { ...file, bars: pickBars(file.bars, [0, file.bars.ts.length - 1]) };
}

/** @throws ProviderError `bad_request` for what is no file, and for a link that leads nowhere; without where it leads */
async function fileAt(path: string, name: string) {
  const found = await stat(path).catch((error) => {
    const isGone = (error as NodeJS.ErrnoException).code === "ENOENT";
    const why = isGone ? "it is gone, or a link that leads nowhere" : withoutPaths(messageOf(error));
    throw new ProviderError("bad_request", `${name} cannot be read: ${why}`);
  });
  if (found.isFile()) return found;
  throw new ProviderError("bad_request", `${name} is no file${found.isDirectory() ? " but a folder" : ""}`);
}

export function createFilesProvider({ directory, calendar = CALENDAR, zone = "UTC" }: FilesOptions): Provider {
  const kept = new Map<string, CachedFile>();

  /** @throws ProviderError `unknown_symbol` naming the files that were tried; all readers see it, so not where the folder is */
  async function findFile(symbol: string, interval: Interval): Promise<string> {
    // A share class may be spelled with a dash in the name of a file: BRK-B.csv.
    const spellings = [...new Set([symbol, symbol.replaceAll(".", "-")])];
    const stems = spellings.flatMap((name) => stemsOf(name, interval));
    // New York may be named in a file's name.
    const named = symbol.includes("@") ? [] : spellings.flatMap((name) => stemsOf(`${name}@US`, interval));
    const entries = await readdir(directory, { withFileTypes: true }).catch((error) => {
      throw new ProviderError(
        "bad_request",
        `The folder of BARKEEP_CSV_DIR cannot be read: ${withoutPaths(messageOf(error))}`,
      );
    });
    const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
    const byName = new Map(names.map((name) => [name.toLowerCase(), name]));
    for (const stem of [...stems, ...named]) {
      for (const ending of FILE_ENDINGS) {
        const name = byName.get(`${stem}${ending}`.toLowerCase());
        if (name) return name;
      }
    }
    const tried = stems.map((stem) => `${stem}.csv`).join(" or ");
    throw new ProviderError(
      "unknown_symbol",
      `${symbol}: no file ${tried} in the folder of BARKEEP_CSV_DIR (also tried ${FILE_ENDINGS.slice(1).join(", ")})`,
    );
  }

  async function load({ symbol, interval, from }: BarWindow, log: FetchContext["log"]) {
    const name = await findFile(symbol, interval);
    const path = join(directory, name);
    // A link may lead to another folder of data, but not to what has no end, as a device does, or waits for a writer.
    const { mtimeMs, size } = await fileAt(path, name);
    const version = `${mtimeMs} ${size}`;
    let entry = kept.get(name);
    if (entry?.version !== version || from <= (entry.droppedTo ?? Number.NEGATIVE_INFINITY)) {
      // Loaded with the first file: every start and every thread would pay for its readers.
      const content = import("./bar-file.ts").then(({ readBarFile }) =>
        readBarFile(path, { name, symbol, interval, venue: venueOf(symbol), zone }),
      );
      entry = { version, content };
      content.then(
        (file) => {
          for (const note of file.notes) log("warn", note);
        },
        () => kept.delete(name),
      );
    }
    kept.delete(name);
    kept.set(name, entry);
    if (kept.size > MAX_CACHED_FILES) kept.delete(kept.keys().next().value!);
    return { name, version, file: await entry.content };
  }

  async function fetchBars(window: BarWindow, context: FetchContext): Promise<FetchedBars> {
    const { symbol, interval, from, to, asOf } = window;
    context.signal.throwIfAborted();
    const { name, version, file } = await load(window, context.log);
    context.signal.throwIfAborted();
    const venue = venueOf(symbol);
    const inside = barsBetween(file.bars, from, to);
    const last = inside.ts.findLastIndex((ts) => calendar.isFinal(venue, interval, ts, asOf));
    const rejected = [...file.bad.values()]
      .flatMap(({ rows }) => rows)
      .filter((row) => row.ts >= from && row.ts < to)
      .sort((a, b) => a.line - b.line)
      .map(({ line, reason, raw }) => ({ where: `${name}:${line}`, reason, raw, isReported: true }));
    const { ts } = file.bars;
    if (ts.length > MAX_KEPT_BARS && to > ts.at(-1)!) {
      kept.set(name, { version, content: Promise.resolve(withoutInside(file)), droppedTo: ts.at(-1)! });
    }
    return {
      bars: sliceBars(inside, 0, last + 1),
      rejected,
      notFinal: inside.ts.length - last - 1,
      holds: ts.length === 0 ? `${name} has no rows` : `${name} holds bars of ${isoDates(ts[0]!, ts.at(-1)!)}`,
    };
  }

  return {
    name: "files",
    title: "Files (CSV, Parquet)",
    withoutActions: true,
    intervals: INTERVALS,
    maxWindowDays: () => 366,
    historyStart: () => Date.UTC(1970, 0, 1) / 1000,
    traits: (symbol) => ({
      feed: "file",
      adjustment: "none",
      sessions: venueOf(symbol) === "crypto" ? "continuous" : "regular",
    }),
    fetchBars,
  };
}
