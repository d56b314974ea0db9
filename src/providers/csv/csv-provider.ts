/**
 * Bars from a folder of CSV files: `SYMBOL.csv` (or `SYMBOL-1d.csv`) holds daily bars, `SYMBOL-1m.csv` those of a
 * minute, and so on. Nothing outside the folder can be read: a symbol only selects among the names in it.
 */

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, ProviderError } from "../../domain/errors.ts";
import { barsBetween, sliceBars } from "../../domain/market/bars.ts";
import { CALENDAR, type Calendar } from "../../domain/market/calendar.ts";
import { INTERVALS, type Interval } from "../../domain/market/interval.ts";
import { marketOf } from "../../domain/market/symbol.ts";
import type { BarWindow, FetchContext, FetchedBars, Provider } from "../provider.ts";
import { type CsvFile, readCsvFile } from "./csv-file.ts";

export interface CsvOptions {
  /** The folder that holds the files. */
  readonly directory: string;
  readonly calendar?: Calendar;
}

/** Parsed files kept in memory, so that the batches of a job parse their file once. */
const MAX_CACHED_FILES = 4;

interface CachedFile {
  /** Changes when the file does. */
  readonly version: string;
  readonly content: Promise<CsvFile>;
}

export function createCsvProvider({ directory, calendar = CALENDAR }: CsvOptions): Provider {
  const kept = new Map<string, CachedFile>();

  /** @throws ProviderError `unknown_symbol` naming the files that were tried */
  async function findFile(symbol: string, interval: Interval): Promise<string> {
    const wanted = interval === "1d" ? [`${symbol}-1d.csv`, `${symbol}.csv`] : [`${symbol}-${interval}.csv`];
    const names = await readdir(directory).catch((error) => {
      throw new ProviderError("bad_request", `The CSV folder ${directory} cannot be read: ${messageOf(error)}`);
    });
    for (const want of wanted) {
      const name = names.find((candidate) => candidate.toLowerCase() === want.toLowerCase());
      if (name) return name;
    }
    throw new ProviderError("unknown_symbol", `${symbol}: no file ${wanted.join(" or ")} in ${directory}`);
  }

  async function load(
    symbol: string,
    interval: Interval,
    log: FetchContext["log"],
  ): Promise<{ name: string; file: CsvFile }> {
    const name = await findFile(symbol, interval);
    const path = join(directory, name);
    const { mtimeMs, size } = await stat(path);
    const version = `${mtimeMs} ${size}`;
    let entry = kept.get(name);
    if (entry?.version !== version) {
      const content = readCsvFile(path, name, interval, marketOf(symbol));
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
    return { name, file: await entry.content };
  }

  async function fetchBars(window: BarWindow, context: FetchContext): Promise<FetchedBars> {
    const { symbol, interval, from, to, asOf } = window;
    context.signal.throwIfAborted();
    const { name, file } = await load(symbol, interval, context.log);
    context.signal.throwIfAborted();
    const market = marketOf(symbol);
    const inside = barsBetween(file.bars, from, to);
    const last = inside.ts.findLastIndex((ts) => calendar.isFinal(market, interval, ts, asOf));
    const rejected = file.bad
      .filter((line) => line.ts >= from && line.ts < to)
      .map(({ line, reason, raw }) => ({ where: `${name}:${line}`, reason, raw }));
    return { bars: sliceBars(inside, 0, last + 1), rejected };
  }

  return {
    name: "csv",
    title: "CSV folder",
    withoutActions: true,
    intervals: INTERVALS,
    maxWindowDays: () => 366,
    historyStart: () => Date.UTC(1970, 0, 1) / 1000,
    traits: (symbol) => ({
      feed: "file",
      adjustment: "none",
      sessions: marketOf(symbol) === "crypto" ? "continuous" : "regular",
    }),
    fetchBars,
  };
}
