/** Companies: symbols with their names. */

export interface Company {
  /** Canonical, as `parseSymbol` gives it. */
  readonly symbol: string;
  /** Empty where it is not known. */
  readonly name: string;
  /** The exchange, in its source's spelling, e.g. `NASDAQ`; empty where it is not known. */
  readonly exchange: string;
}

/** A line of an import that was left out. */
export interface BadLine {
  /** Counted from 1. */
  readonly line: number;
  readonly reason: string;
}

/** An import, read but not yet stored. */
export interface CompanyFile {
  /** Each symbol once, in the order of the file. */
  readonly companies: readonly Company[];
  readonly bad: readonly BadLine[];
}

/** The ten US companies offered by the button "Top 10", by market value in 2025. */
export const TOP_TEN: readonly string[] = [
  "NVDA",
  "MSFT",
  "AAPL",
  "GOOGL",
  "AMZN",
  "META",
  "AVGO",
  "TSLA",
  "BRK.B",
  "JPM",
];

/** Longest stored name of a company or watchlist. */
export const MAX_NAME_LENGTH = 200;
