/** Companies: symbols with their names, and what is known of them. */

import { parseIsoDate } from "./time.ts";

/** What may be known of a company, besides its name and exchange. */
export const FACT_NAMES = [
  "type",
  "currency",
  "country",
  "sector",
  "industry",
  "listed_on",
  "delisted_on",
  "isin",
  "figi",
] as const;
export type FactName = (typeof FACT_NAMES)[number];
/** Values as `cleanFacts` gives them; unknown ones are absent. An empty `delisted_on` means that it is listed. */
export type CompanyFacts = Readonly<Partial<Record<FactName, string>>>;

export interface Company {
  /** Canonical, as `parseSymbol` gives it. */
  readonly symbol: string;
  /** Empty where it is not known. */
  readonly name: string;
  /** The exchange, in its source's spelling, e.g. `NASDAQ`; empty where it is not known. */
  readonly exchange: string;
  readonly facts?: CompanyFacts;
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

/** What lists of companies can be filtered by; each by one value. */
export const COMPANY_FILTERS = ["exchange", "type", "currency", "country", "sector", "industry", "listing"] as const;
export type CompanyFilterName = (typeof COMPANY_FILTERS)[number];
/** `listing` is `listed` or `delisted`, where that is known. */
export type CompanyFilter = Readonly<Partial<Record<CompanyFilterName, string>>>;
export const LISTINGS = ["listed", "delisted"] as const;

/** Longest value of a fact. */
const MAX_FACT_LENGTH = 100;

/** Kinds of securities by the words of the sources; others are kept in small letters. */
const TYPES: readonly (readonly [string, RegExp])[] = [
  ["etf", /^etf|exchange[- ]traded fund|^etp|^etn|^ets$|^etv$/i],
  ["adr", /\badr|depositary|^gdr/i],
  ["preferred", /^pfd|preferred|preference/i],
  ["warrant", /warrant/i],
  ["right", /^rights?$/i],
  ["unit", /^units?$/i],
  ["fund", /fund|trust/i],
  ["crypto", /crypto|digital currency/i],
  ["stock", /stock|^cs$|^os$|equity|share/i],
];
const COUNTRIES: ReadonlyMap<string, string> = new Map([
  ["USA", "United States"],
  ["US", "United States"],
  ["UK", "United Kingdom"],
  ["GB", "United Kingdom"],
]);

/** Whether a text stands for an unknown value. */
export const isUnstated = (text: string): boolean => /^(?:n\/?a|none|null|unknown|-)?$/i.test(text.trim());

/** What a value of a fact must be, where not every text is one. */
export const FACT_FORMS: Readonly<Partial<Record<FactName, string>>> = {
  currency: "a currency: three letters, such as USD",
  listed_on: "a date such as 2010-01-01",
  delisted_on: "a date such as 2010-01-01",
  isin: "an ISIN such as US0378331005",
  figi: "a FIGI such as BBG000B9XRY4",
};

/** Reads a fact as a source states it; `null` if it is not valid. */
export function readFact(name: FactName, text: string): string | null {
  const value = text.replace(/\s+/g, " ").trim();
  if (isUnstated(value) || value.length > MAX_FACT_LENGTH) return null;
  switch (name) {
    case "type":
      return TYPES.find(([, words]) => words.test(value))?.[0] ?? value.toLowerCase();
    case "currency":
      if (value === "GBp") return "GBX";
      return /^[A-Za-z]{3}$/.test(value) ? value.toUpperCase() : null;
    case "country":
      return COUNTRIES.get(value) ?? value;
    case "listed_on":
    case "delisted_on":
      return Number.isNaN(parseIsoDate(value.slice(0, 10))) ? null : value.slice(0, 10);
    case "isin":
      return /^[A-Z]{2}[A-Z0-9]{9}\d$/.test(value.toUpperCase()) ? value.toUpperCase() : null;
    case "figi":
      return /^BBG[A-Z0-9]{9}$/.test(value.toUpperCase()) ? value.toUpperCase() : null;
    default:
      return value;
  }
}

/** The facts among what a source states; invalid ones are left out. */
export function cleanFacts(stated: Readonly<Partial<Record<FactName, string | null | undefined>>>): CompanyFacts {
  const facts: Partial<Record<FactName, string>> = {};
  for (const name of FACT_NAMES) {
    const value = readFact(name, stated[name] ?? "");
    if (value !== null) facts[name] = value;
  }
  return facts;
}
