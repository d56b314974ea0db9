/** Parses a list of companies from CSV or plain text: every line is either kept or reported with its number. */

import Papa from "papaparse";
import {
  type BadLine,
  type Company,
  type CompanyFacts,
  type CompanyFile,
  FACT_FORMS,
  FACT_NAMES,
  type FactName,
  isUnstated,
  MAX_NAME_LENGTH,
  readFact,
} from "../../domain/companies.ts";
import { quote } from "../../domain/errors.ts";
import { MAX_SYMBOL_LENGTH, parseRequestedSymbol, symbolHint } from "../../domain/market/symbol.ts";

/** Header names by field, lower case, letters only. */
const HEADERS = {
  symbol: ["symbol", "symbols", "ticker", "tickers", "code", "actsymbol"],
  name: ["name", "company", "companyname", "securityname", "security", "description", "title"],
  exchange: ["exchange", "market", "mic", "listingexchange", "exchangename"],
  type: ["type", "assettype", "securitytype", "quotetype"],
  currency: ["currency", "pricecurrency", "currencycode"],
  country: ["country"],
  sector: ["sector"],
  industry: ["industry"],
  listed_on: ["listedon", "listingdate", "ipodate"],
  delisted_on: ["delistedon", "delistingdate", "delisted"],
  isin: ["isin"],
  figi: ["figi", "compositefigi"],
} as const satisfies Readonly<Record<"symbol" | "name" | "exchange" | FactName, readonly string[]>>;
type Field = keyof typeof HEADERS;
const FIELDS = Object.keys(HEADERS) as Field[];
type ColumnIndexes = Readonly<Record<Field, number>>;

/** Without a header: `symbol[,name[,exchange]]`. */
const PLAIN: ColumnIndexes = indexesOf((field) => ["symbol", "name", "exchange"].indexOf(field));
/** Possible delimiters; a first line without any of them is one cell. */
const DELIMITERS = [",", ";", "\t", "|"];

/** Most lines of a list, and most cells of a line: several times all symbols that are listed anywhere. */
const MOST = { lines: 500_000, cells: 500_000 };

/**
 * Parses `symbol[,name[,exchange]]` lines, separated by commas, semicolons, tabs or bars; a header may name other columns. A
 * line that holds only symbols is one company per symbol; empty ones and those that begin with `#` are skipped. Of a file
 * with more lines than a list can have nothing is kept.
 */
export function readCompanyFile(text: string, most = MOST): CompanyFile {
  const body = text.replace(/^\ufeff/, "");
  const options = { delimiter: guessDelimiter(body) };
  const found = new Map<string, Company>();
  const bad: BadLine[] = [];
  const rows: { readonly cells: readonly string[]; readonly line: number }[] = [];
  let places: ColumnIndexes | null = null;

  function take(data: readonly string[], broken: boolean, line: number): void {
    if (data.length > most.cells) {
      bad.push({ line, reason: `it has more than ${most.cells} cells` });
      return;
    }
    const cells = data.map((cell) => cell.replace(/\s+/g, " ").trim());
    if (cells.every((cell) => cell === "") || cells[0]!.startsWith("#")) return;
    if (broken) {
      bad.push({ line, reason: "a quotation mark is not closed, or not doubled inside a quoted cell" });
      return;
    }
    if (places === null) {
      places = headerOf(cells);
      if (places) return;
    }
    rows.push({ cells, line });
  }

  let line = 1;
  let read = 0;
  let unreadFrom = -1;
  let steps = 0;
  let lineEnd = "\n";
  Papa.parse<string[]>(body, {
    ...options,
    step({ data, errors, meta }, parser) {
      steps += 1;
      // An end of the last line makes one more.
      if (steps > most.lines + 1) return parser.abort();
      const broken = errors.some(isBroken);
      lineEnd = meta.linebreak === "\r" ? "\r" : "\n";
      const text = body.slice(read, meta.cursor);
      if (broken && text.slice(0, -1).includes(lineEnd)) {
        // An open quotation mark takes in the lines after it: from here on lines are parsed one by one.
        unreadFrom = read;
        parser.abort();
        return;
      }
      take(data, broken, line);
      line += text.split(lineEnd).length - 1;
      read = meta.cursor;
    },
  });
  const unread = unreadFrom < 0 ? [] : body.slice(unreadFrom).split(lineEnd === "\r" ? "\r" : /\r?\n/, most.lines + 1);
  if (steps > most.lines + 1 || unread.length > most.lines) {
    const reason = `the file has more lines than the ${most.lines} of a list`;
    return { companies: [], bad: [{ line: most.lines + 1, reason }] };
  }
  for (const each of unread) {
    const { data, errors } = Papa.parse<string[]>(each, options);
    if (data[0]) take(data[0], errors.some(isBroken), line);
    line++;
  }
  const hasNames = rows.some(({ cells }) => isNamed(cells));
  for (const { cells, line } of rows) {
    const companies = companiesOf(cells, places ?? PLAIN, hasNames);
    if (typeof companies === "string") bad.push({ line, reason: companies });
    else for (const company of companies) found.set(company.symbol, merged(found.get(company.symbol), company));
  }
  return { companies: [...found.values()], bad: bad.sort((a, b) => a.line - b.line) };
}

const isBroken = ({ type }: Papa.ParseError) => type === "Quotes";

/** The column of each field, if the line is a header. */
function headerOf(cells: readonly string[]): ColumnIndexes | null {
  const names = cells.map((cell) => cell.toLowerCase().replace(/[^a-z]/g, ""));
  const find = (field: Field) => names.findIndex((name) => (HEADERS[field] as readonly string[]).includes(name));
  const symbol = find("symbol");
  if (symbol < 0) return null;
  // A title of one cell says nothing about the cells beside the first.
  return cells.length === 1 ? PLAIN : indexesOf(find);
}

function indexesOf(indexOf: (field: Field) => number): ColumnIndexes {
  return Object.fromEntries(FIELDS.map((field) => [field, indexOf(field)])) as ColumnIndexes;
}

/** The facts in a line, or what is wrong with one. */
function factsOf(cells: readonly string[], places: ColumnIndexes): CompanyFacts | string {
  const facts: Partial<Record<FactName, string>> = {};
  for (const fact of FACT_NAMES) {
    const cell = cells[places[fact]] ?? "";
    const value = readFact(fact, cell);
    if (value !== null) facts[fact] = value;
    else if (FACT_FORMS[fact] && !isUnstated(cell)) return `${quote(cell)} is not ${FACT_FORMS[fact]}`;
  }
  return facts;
}

/** The companies of one line, or what is wrong with it. */
function companiesOf(cells: readonly string[], places: ColumnIndexes, hasNames: boolean): Company[] | string {
  if (places === PLAIN) {
    const several = symbolsOfLine(cells, hasNames);
    if (several) return several.map((symbol) => ({ symbol, name: "", exchange: "" }));
  }
  const cell = cells[places.symbol] ?? "";
  if (cell === "") return "the symbol is missing";
  const symbol = parseRequestedSymbol(cell);
  if (symbol === null) {
    return `${quote(cell)} is not a symbol (up to ${MAX_SYMBOL_LENGTH} letters and digits, single dots or dashes between)${symbolHint(cell)}`;
  }
  const name = (cells[places.name] ?? "").slice(0, MAX_NAME_LENGTH);
  const facts = factsOf(cells, places);
  if (typeof facts === "string") return facts;
  const exchange = (cells[places.exchange] ?? "").slice(0, 40);
  return [{ symbol, name, exchange, ...(Object.keys(facts).length > 0 && { facts }) }];
}

/** Exchanges as lists name them in their third column. */
const EXCHANGES =
  /^(?:NYSE|NASDAQ|AMEX|ARCA|BATS|CBOE|IEX|OTC|PINK|NMS|NYQ|NGM|LSE|XETRA|TSX|TSE|ASX|NSE|BSE|SIX|X[A-Z]{3})\b/;
/** Longer words in capitals may be names. */
const TICKER = /^[A-Z0-9]{1,6}(?:[.-][A-Z0-9]{1,5})*(?:@[A-Z]{1,10})?$/;

/** Whether a line of two or three cells can only be a symbol with its name or its exchange. */
function isNamed(cells: readonly string[]): boolean {
  const [, name = "", exchange = ""] = cells;
  if (cells.length < 2 || cells.length > 3) return false;
  const isTicker = TICKER.test(name === name.toLowerCase() ? name.toUpperCase() : name);
  return (name !== "" && !isTicker) || EXCHANGES.test(exchange.toUpperCase());
}

/**
 * The symbols of a line like `AAPL MSFT GOOGL`, `AAPL, MSFT` or `aapl, msft`; names have capitals and small letters. Two or
 * three cells, and small letters, are symbols only in a file without names.
 */
function symbolsOfLine(cells: readonly string[], hasNames: boolean): string[] | null {
  const given = cells.flatMap((cell) => cell.split(/\s+/)).filter((word) => word !== "");
  const words = given.map((word) => word.toUpperCase());
  const isSmall = cells.length > 1 && cells.every((cell) => !cell.includes(" ") && cell === cell.toLowerCase());
  if (!isSmall && words.some((word, at) => word !== given[at])) return null;
  const isDoubtful = cells.length === 2 || cells.length === 3 || words.some((word, at) => word !== given[at]);
  if (words.length < 2 || (isDoubtful && (hasNames || !words.every((word) => TICKER.test(word))))) return null;
  const symbols = words.flatMap((word) => parseRequestedSymbol(word) ?? []);
  return symbols.length === words.length ? symbols : null;
}

/** A later line replaces an earlier one, except where it is empty. */
function merged(before: Company | undefined, after: Company): Company {
  if (before === undefined) return after;
  const facts = { ...before.facts, ...after.facts };
  return {
    ...after,
    name: after.name || before.name,
    exchange: after.exchange || before.exchange,
    ...(Object.keys(facts).length > 0 && { facts }),
  };
}

/** The delimiter that occurs most often in the first line with content. */
function guessDelimiter(text: string): string {
  const lines = text.matchAll(/[^\n]+/g).map(([each]) => each);
  const first = lines.find((each) => each.trim() !== "" && !each.startsWith("#")) ?? "";
  const count = (delimiter: string) => first.split(delimiter).length;
  return DELIMITERS.reduce((best, delimiter) => (count(delimiter) > count(best) ? delimiter : best));
}
