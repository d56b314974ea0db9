/** How the names of files say what they hold: `AAPL.csv`, `AAPL-1m.csv.gz`, `AAPL-1h.parquet`. */

import { INTERVALS, type Interval } from "../../domain/market/interval.ts";
import { parseSymbol } from "../../domain/market/symbol.ts";

/** Endings of files that are read, the first one found wins. */
export const FILE_ENDINGS = [".csv", ".csv.gz", ".txt", ".txt.gz", ".tsv", ".tsv.gz", ".parquet"] as const;

const endingOf = (name: string) => FILE_ENDINGS.find((ending) => name.toLowerCase().endsWith(ending));

/** Symbol and interval of a file by its name; `null` if it names no symbol. */
export function targetOf(name: string): { readonly symbol: string; readonly interval: Interval } | null {
  const ending = endingOf(name);
  const stem = ending === undefined ? name : name.slice(0, -ending.length);
  const interval = INTERVALS.find((each) => stem.toLowerCase().endsWith(`-${each}`));
  const symbol = parseSymbol(interval === undefined ? stem : stem.slice(0, -interval.length - 1));
  return symbol === null ? null : { symbol, interval: interval ?? "1d" };
}

/** The names without their ending under which files of a series are looked for. */
export const stemsOf = (symbol: string, interval: Interval): string[] =>
  interval === "1d" ? [`${symbol}-1d`, symbol] : [`${symbol}-${interval}`];

/** The name under which an uploaded file is stored: only its ending is kept. */
export const fileNameFor = (name: string, symbol: string, interval: Interval): string =>
  `${stemsOf(symbol, interval)[0]}${endingOf(name) ?? ".csv"}`;
