import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readCompanyFile } from "../../src/pipeline/companies/parse-file.ts";

const symbols = (text: string) => readCompanyFile(text).companies.map(({ symbol }) => symbol);
const badLines = (text: string) => readCompanyFile(text).bad.map(({ line }) => line);

describe("a list of companies", () => {
  test("a company list needs no header: symbol, name, exchange", () => {
    const { companies, bad } = readCompanyFile('aapl,"Apple, Inc.",NASDAQ\nMSFT,Microsoft\nIBM');
    expect(companies).toEqual([
      { symbol: "AAPL", name: "Apple, Inc.", exchange: "NASDAQ" },
      { symbol: "MSFT", name: "Microsoft", exchange: "" },
      { symbol: "IBM", name: "", exchange: "" },
    ]);
    expect(bad).toEqual([]);
  });

  test.each([
    ["Symbol,Name,Exchange\nAAPL,Apple,NASDAQ"],
    ["exchange;company name;TICKER\r\nNASDAQ;Apple;AAPL\r\n"],
    ["\ufeffName\tSymbol\tMarket\nApple\tAAPL\tNASDAQ\n"],
    ["# my list\n\ncode|security name|mic\n\nAAPL|Apple|NASDAQ\n\n"],
  ])("may have a header with columns in any order and any usual delimiter: %j", (text) => {
    expect(readCompanyFile(text)).toEqual({
      companies: [{ symbol: "AAPL", name: "Apple", exchange: "NASDAQ" }],
      bad: [],
    });
  });

  test("a company list may be symbols only, one a line or many on a line", () => {
    expect(symbols("AAPL\nMSFT\r\nBRK.B\n\nBTC-USD")).toEqual(["AAPL", "MSFT", "BRK.B", "BTC-USD"]);
    expect(symbols("AAPL MSFT  GOOGL\nAMZN, NVDA, TSLA, META")).toEqual([
      "AAPL",
      "MSFT",
      "GOOGL",
      "AMZN",
      "NVDA",
      "TSLA",
      "META",
    ]);
  });

  test("a line of two or three symbols is as many companies, unless the list has names or exchanges", () => {
    expect(symbols("AAPL, MSFT, GOOGL")).toEqual(["AAPL", "MSFT", "GOOGL"]);
    expect(symbols("AAPL;MSFT\nBRK.B;BTC-USD;VOD@LSE\nIBM")).toEqual([
      "AAPL",
      "MSFT",
      "BRK.B",
      "BTC-USD",
      "VOD@LSE",
      "IBM",
    ]);
    expect(readCompanyFile("IBM,IBM,NYSE").companies).toEqual([{ symbol: "IBM", name: "IBM", exchange: "NYSE" }]);
    expect(readCompanyFile("V,VISA\nMSFT,Microsoft").companies[0]).toEqual({ symbol: "V", name: "VISA", exchange: "" });
    expect(readCompanyFile("MSFT,MICROSOFT").companies).toEqual([{ symbol: "MSFT", name: "MICROSOFT", exchange: "" }]);
  });

  test("a company list keeps the valid lines and reports each invalid one with its number", () => {
    const { companies, bad } = readCompanyFile(
      "symbol,name\nAAPL,Apple\n../etc,Hacker\n,Nameless\n\n# fine\nMSFT,Microsoft\nTOO LONG,x",
    );
    expect(companies.map(({ symbol }) => symbol)).toEqual(["AAPL", "MSFT"]);
    expect(bad.map(({ line }) => line)).toEqual([3, 4, 8]);
    expect(bad[0]!.reason).toContain('"../etc" is not a symbol');
    expect(bad[1]!.reason).toBe("the symbol is missing");
  });

  test("a company list counts lines without content", () => {
    expect(badLines('$$$\n# a comment, "quoted"\n\n$$$\n# "open\n$$$')).toEqual([1, 4, 6]);
  });

  test("a company list counts the lines of quoted cells that contain line breaks", () => {
    expect(badLines('A,"two\nlines"\nB,"three\nmore\nlines"\n$$$\n')).toEqual([6]);
  });

  test("a quotation mark that is never closed costs only its own line", () => {
    const text = 'AAPL,Apple\nMSFT,"Microsoft\nIBM,Machines\nGE,General Electric\n';
    expect(symbols(text)).toEqual(["AAPL", "IBM", "GE"]);
    expect(badLines(text)).toEqual([2]);
  });

  test("a company that is listed twice counts once: the last line wins, but clears nothing", () => {
    expect(readCompanyFile("FB,Facebook,NASDAQ\nFB,Meta\nFB").companies).toEqual([
      { symbol: "FB", name: "Meta", exchange: "NASDAQ" },
    ]);
  });

  test("a company list may be empty", () => {
    expect(readCompanyFile("")).toEqual({ companies: [], bad: [] });
    expect(readCompanyFile("symbol,name\n")).toEqual({ companies: [], bad: [] });
  });
});

test("property: every line of a company list is either kept, reported, or without content", () => {
  const good = fc.stringMatching(/^[A-Z]{1,6}$/).filter((text) => !/^(CODE|TICKER|SYMBOL|S)$/.test(text));
  const bad = fc.constantFrom("a b", "$", "-X", "A..B", "THISSYMBOLISMUCHTOOLONGFORONE", "\u00e9");
  const line = fc.oneof(
    good.map((text) => ({ text: `${text},Some name`, good: text, bad: false })),
    bad.map((text) => ({ text: `${text},Some name`, good: null, bad: true })),
    fc.constant({ text: "", good: null, bad: false }),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 40 }), fc.constantFrom("\n", "\r\n"), (lines, end) => {
      const text = ["symbol,name", ...lines.map((each) => each.text)].join(end);
      expect(new Set(symbols(text))).toEqual(new Set(lines.flatMap((each) => each.good ?? [])));
      expect(badLines(text)).toEqual(lines.flatMap((each, index) => (each.bad ? [index + 2] : [])));
    }),
  );
});

describe("facts in a list of companies", () => {
  test("columns of a header may be facts, under their usual names; what is not known is left out", () => {
    const { companies, bad } = readCompanyFile(
      "Ticker,Sector,Industry,Country,IPO Date,ISIN,Asset Type,Currency,Composite FIGI\n" +
        "AAPL,Technology,Consumer Electronics,USA,1980-12-12,us0378331005,Common Stock,usd,BBG000B9XRY4\n" +
        "MSFT,Technology,N/A,,-,,ETF,,\nAAPL,,Computers,,,,,,",
    );
    expect(bad).toEqual([]);
    expect(companies).toEqual([
      {
        symbol: "AAPL",
        name: "",
        exchange: "",
        facts: {
          type: "stock",
          currency: "USD",
          country: "United States",
          sector: "Technology",
          industry: "Computers",
          listed_on: "1980-12-12",
          isin: "US0378331005",
          figi: "BBG000B9XRY4",
        },
      },
      { symbol: "MSFT", name: "", exchange: "", facts: { type: "etf", sector: "Technology" } },
    ]);
  });

  test.each([
    ["isin", "12345", "an ISIN"],
    ["figi", "AAPL", "a FIGI"],
    ["currency", "US Dollar", "a currency"],
    ["listed_on", "12/12/1980", "a date"],
    ["delisted_on", "1980-02-30", "a date"],
  ])("a line whose %s is %s is reported", (column, cell, what) => {
    const { companies, bad } = readCompanyFile(`symbol,${column}\nAAPL,${cell}\nMSFT,\n`);
    expect(companies.map(({ symbol }) => symbol)).toEqual(["MSFT"]);
    expect(bad).toEqual([{ line: 2, reason: expect.stringContaining(`"${cell}" is not ${what}`) }]);
  });
});

test.each([
  ["aapl, msft, googl", "AAPL MSFT GOOGL"],
  ["Symbols\nAAPL, MSFT, GOOGL\nTSLA", "AAPL MSFT GOOGL TSLA"],
  ["BRK-B, BRK.B, BF.B", "BRK.B BF.B"],
  ["symbol,name\nAAPL, MSFT", "AAPL (MSFT)"],
  ["aapl,apple,nasdaq", "AAPL (apple)"],
  ["aapl,apple inc\nmsft,msft", "AAPL (apple inc) MSFT (msft)"],
])("the symbols of %p are %s", (text, expected) => {
  const { companies, bad } = readCompanyFile(text);
  expect(companies.map(({ symbol, name }) => `${symbol}${name && ` (${name})`}`).join(" ")).toBe(expected);
  expect(bad).toEqual([]);
});

test("a pair with a slash in a list of companies is refused with the spelling that is wanted", () => {
  expect(readCompanyFile("BTC/USDT").bad[0]!.reason).toEndWith("; a pair is written BTC-USDT");
});

test.each(["\n", "\r\n", "\r"])("lines that end with %j have the same companies and numbers", (end) => {
  const text = ["symbol,name", "AAPL,Apple", "not a symbol!,x", "MSFT,Microsoft", '"open,x', "KO,Coca-Cola"].join(end);
  const { companies, bad } = readCompanyFile(text);
  expect(companies.map(({ symbol }) => symbol)).toEqual(["AAPL", "MSFT", "KO"]);
  expect(bad.map(({ line }) => line)).toEqual([3, 5]);
});

test("a file with more lines or cells than a list can have is refused as a whole", () => {
  const most = { lines: 1_000, cells: 1_000 };
  expect(readCompanyFile("A\n".repeat(1_000), most).companies).toHaveLength(1);
  for (const text of ["A\n".repeat(1_200), "\r".repeat(1_200), `"\n${"A\n".repeat(1_200)}`]) {
    const { companies, bad } = readCompanyFile(text, most);
    expect([companies, bad]).toEqual([
      [],
      [{ line: 1_001, reason: "the file has more lines than the 1000 of a list" }],
    ]);
  }
  expect(readCompanyFile(",".repeat(1_200), most).bad).toEqual([{ line: 1, reason: "it has more than 1000 cells" }]);
  // Other line ends once took time by the square of the size: hours for this.
  expect(readCompanyFile("\r".repeat(16 * 2 ** 20)).companies).toEqual([]);
});
