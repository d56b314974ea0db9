import { expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import type { Interval } from "../../../src/domain/market/interval.ts";
import { readFile, refusalOf } from "./read-file.ts";

const HEAD = "timestamp,open,high,low,close,volume\n";
const BAR = "1 2 0.5 1.5 10";

/** Title, file name, content, and the bars that it holds. */
const FILES: [title: string, name: string, content: string | Uint8Array, bars: string[]][] = [
  ["microseconds", "AAPL-1m.csv", `${HEAD}1790812800000000,1,2,.5,1.5,10`, [`2026-10-01T00:00:00Z ${BAR}`]],
  ["nanoseconds", "AAPL-1m.csv", `${HEAD}1790812800000000000,1,2,.5,1.5,10`, [`2026-10-01T00:00:00Z ${BAR}`]],
  ["slashed ISO dates", "AAPL.csv", `${HEAD}2024/1/2,1,2,.5,1.5,10`, [`2024-01-02T00:00:00Z ${BAR}`]],
  ["named months", "AAPL.csv", `${HEAD}02-Jan-2024,1,2,.5,1.5,10`, [`2024-01-02T00:00:00Z ${BAR}`]],
  ["months in words", "AAPL.csv", `${HEAD}"Jan 2, 2024",1,2,.5,1.5,10`, [`2024-01-02T00:00:00Z ${BAR}`]],
  [
    "US dates and currency signs, as Nasdaq writes them",
    "AAPL.csv",
    "Date,Close/Last,Volume,Open,High,Low\n01/31/2024,$1.50,10,$1,$2,$0.50\n01/03/2024,$1.50,10,$1,$2,$0.50\n",
    [`2024-01-03T00:00:00Z ${BAR}`, `2024-01-31T00:00:00Z ${BAR}`],
  ],
  [
    "German dates, names and numbers",
    "AAPL.csv",
    "Datum;Erster;Hoch;Tief;Schlusskurs;Stuecke;Volumen\n31.01.2024;1.187,04;1.191,1;1.184,35;1.188;1.234;5\n" +
      "03.02.2024;187,04;191,1;184,35;188,04;500;5\n",
    ["2024-01-31T00:00:00Z 1187.04 1191.1 1184.35 1188 1234", "2024-02-03T00:00:00Z 187.04 191.1 184.35 188.04 500"],
  ],
  [
    "a line without a comma in a file of decimal commas",
    "AAPL.csv",
    "Date;Open;High;Low;Close;Volume\n2024-01-02;1;2;1;1;1.234\n2024-01-03;1,5;2;1;1;10\n",
    ["2024-01-02T00:00:00Z 1 2 1 1 1234", "2024-01-03T00:00:00Z 1.5 2 1 1 10"],
  ],
  [
    "thousands in quotation marks, suffixes and the newest row first, as Investing.com writes them",
    "AAPL.csv",
    '"Date","Price","Open","High","Low","Vol.","Change %"\n"01/31/2024","1,188.04","1,187.04","1,191.10","1,184.35",' +
      '"55.47M","-1.94%"\n"01/30/2024","188.04","187.04","191.10","184.35","1.2B","1%"\n',
    [
      "2024-01-30T00:00:00Z 187.04 191.1 184.35 188.04 1200000000",
      "2024-01-31T00:00:00Z 1187.04 1191.1 1184.35 1188.04 55470000",
    ],
  ],
  [
    "Indian groups of digits",
    "AAPL.csv",
    'Date,OPEN,HIGH,LOW,close,VOLUME\n02-Jan-2024,"1,234.5","1,240",1200,1230,"1,23,45,678"\n',
    ["2024-01-02T00:00:00Z 1234.5 1240 1200 1230 12345678"],
  ],
  [
    "MetaTrader 5 exports",
    "AAPL-1m.csv",
    "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\r\n" +
      "2020.01.02\t00:01:00\t1\t2\t0.5\t1.5\t10\t0\t5\r\n",
    [`2020-01-02T00:01:00Z ${BAR}`],
  ],
  ["MetaTrader 4 exports", "AAPL-1m.csv", "2020.01.02,00:01,1,2,0.5,1.5,10\n", [`2020-01-02T00:01:00Z ${BAR}`]],
  [
    "HistData exports, whose clock has no daylight saving time",
    "AAPL-1m.csv",
    "20120201 000100;1;2;0.5;1.5;10\n20120701 000100;1;2;0.5;1.5;10\n",
    [`2012-02-01T05:01:00Z ${BAR}`, `2012-07-01T05:01:00Z ${BAR}`],
  ],
  [
    "Stooq exports",
    "AAPL-5m.txt",
    "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\nAAPL.US,5,20200102,153000,1,2,0.5,1.5,10,0\n",
    [`2020-01-02T15:30:00Z ${BAR}`],
  ],
  [
    "Dukascopy exports",
    "AAPL-1h.csv",
    "Gmt time,Open,High,Low,Close,Volume\n31.12.2019 22:00:00.000,1,2,0.5,1.5,10\n01.02.2020 23:00:00.000,1,2,0.5,1.5,10\n",
    [`2019-12-31T22:00:00Z ${BAR}`, `2020-02-01T23:00:00Z ${BAR}`],
  ],
  [
    "Binance archives",
    "AAPL-1m.csv",
    "1499040000000,1,2,0.5,1.5,10,1499040059999,2434.19,308,1756.87,28.46,17928899.6\n",
    [`2017-07-03T00:00:00Z ${BAR}`],
  ],
  ["Kraken archives", "AAPL-1m.csv", "1381095240,1,2,0.5,1.5,10,1\n", [`2013-10-06T21:34:00Z ${BAR}`]],
  [
    "a header of several lines, as data frames of several symbols are saved",
    "AAPL.csv",
    "Price,Close,High,Low,Open,Volume\nTicker,AAPL,AAPL,AAPL,AAPL,AAPL\nDate,,,,,\n2024-01-02,1.5,2,.5,1,10\n",
    [`2024-01-02T00:00:00Z ${BAR}`],
  ],
  [
    "title and disclaimer lines",
    "AAPL.csv",
    "Prices of Apple, all rights reserved\nSource: somebody\n\nDate;Open;High;Low;Close;Volume\n2024-01-02;1;2;0,5;1,5;10\n",
    [`2024-01-02T00:00:00Z ${BAR}`],
  ],
  [
    "the separator that Excel writes",
    "AAPL.csv",
    "sep=;\nDate;Open;High;Low;Close;Volume\n2024-01-02;1;2;0.5;1.5;10\n",
    [`2024-01-02T00:00:00Z ${BAR}`],
  ],
  [
    "twelve hours and a named zone",
    "AAPL-1h.csv",
    "Date (America/New_York),Open,High,Low,Close,Volume\n1/31/2024 9:30 AM,1,2,0.5,1.5,10\n7/31/2024 12:30 PM,1,2,0.5,1.5,10\n",
    [`2024-01-31T14:30:00Z ${BAR}`, `2024-07-31T16:30:00Z ${BAR}`],
  ],
  [
    "a stated order",
    "AAPL.csv",
    "Date (DD/MM/YYYY),o,h,l,c,v\n04/06/2026,1,2,.5,1.5,10\n",
    [`2026-06-04T00:00:00Z ${BAR}`],
  ],
  [
    "the other order",
    "AAPL.csv",
    "Date (MM/DD/YYYY),o,h,l,c,v\n04/06/2026,1,2,.5,1.5,10\n",
    [`2026-04-06T00:00:00Z ${BAR}`],
  ],
  [
    "a cell over two lines",
    "AAPL.csv",
    'timestamp,open,high,low,close,volume,Note\n2024-01-02,1,2,.5,1.5,10,"a\nb, ""c"""\n2024-01-03,1,2,.5,1.5,10,\n',
    [`2024-01-02T00:00:00Z ${BAR}`, `2024-01-03T00:00:00Z ${BAR}`],
  ],
  [
    "a second header further down",
    "AAPL.csv",
    `${HEAD}2024-01-02,1,2,.5,1.5,10\n${HEAD}2024-01-03,1,2,.5,1.5,10\n`,
    [`2024-01-02T00:00:00Z ${BAR}`, `2024-01-03T00:00:00Z ${BAR}`],
  ],
  [
    "UTF-16 with a mark",
    "AAPL.csv",
    Buffer.from(`\ufeff${HEAD}2024-01-02,1,2,.5,1.5,10\r\n`, "utf16le"),
    [`2024-01-02T00:00:00Z ${BAR}`],
  ],
  [
    "UTF-16 without a mark",
    "AAPL.csv",
    Buffer.from(`${HEAD}2024-01-02,1,2,.5,1.5,10\n`, "utf16le").swap16(),
    [`2024-01-02T00:00:00Z ${BAR}`],
  ],
  [
    "lone carriage returns",
    "AAPL.csv",
    `${HEAD}2024-01-02,1,2,.5,1.5,10\n2024-01-03,1,2,.5,1.5,10\n`.replaceAll("\n", "\r"),
    [`2024-01-02T00:00:00Z ${BAR}`, `2024-01-03T00:00:00Z ${BAR}`],
  ],
  [
    "no volumes",
    "AAPL.csv",
    "Date,Open,High,Low,Close\n2024-01-02,1,2,.5,1.5\n",
    ["2024-01-02T00:00:00Z 1 2 0.5 1.5 NaN"],
  ],
  [
    "some unknown volumes",
    "AAPL.csv",
    `${HEAD}2024-01-02,1,2,.5,1.5,\n2024-01-03,1,2,.5,1.5,n/a\n2024-01-04,1,2,.5,1.5,10\n`,
    ["2024-01-02T00:00:00Z 1 2 0.5 1.5 NaN", "2024-01-03T00:00:00Z 1 2 0.5 1.5 NaN", `2024-01-04T00:00:00Z ${BAR}`],
  ],
  ["gzip", "AAPL.csv.gz", gzipSync(`${HEAD}2024-01-02,1,2,.5,1.5,10\n`), [`2024-01-02T00:00:00Z ${BAR}`]],
  [
    "gzip of several members",
    "AAPL.csv.gz",
    Buffer.concat([gzipSync(`${HEAD}2024-01-02,1,2,.5,1.5,10\n`), gzipSync("2024-01-03,1,2,.5,1.5,10\n")]),
    [`2024-01-02T00:00:00Z ${BAR}`, `2024-01-03T00:00:00Z ${BAR}`],
  ],
];

const intervalOf = (name: string) => (/-(\d+[mh])\./.exec(name)?.[1] ?? "1d") as Interval;

test.each(FILES)("files may hold %s", async (_title, name, content, bars) => {
  const read = await readFile(name, content, { interval: intervalOf(name) });
  expect(read.rejected).toEqual([]);
  expect(read.bars).toEqual(bars);
});

const rows = (count: number, row: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => row(at)).join("\n");

/** Title, file name, content, and the message. */
const REFUSED: [title: string, name: string, content: string | Uint8Array, message: string][] = [
  [
    "an Excel workbook",
    "AAPL.csv",
    Buffer.from("504b030414000600", "hex"),
    "AAPL.csv is a ZIP archive or an Excel workbook",
  ],
  [
    "a gzip file cut short",
    "AAPL.csv.gz",
    gzipSync(HEAD.repeat(9)).subarray(0, 30),
    "AAPL.csv.gz is a damaged gzip file",
  ],
  [
    "a line without an end",
    "AAPL.csv",
    "x".repeat(2 ** 21),
    "AAPL.csv has a line of more than 1048576 bytes: it is no table of bars",
  ],
  [
    "a table of two symbols, such as a library's for a list of them",
    "AAPL.csv",
    "Price,Close,Close,High,High,Low,Low,Open,Open,Volume,Volume\nTicker,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT\nDate,,,,,,,,,,\n2024-01-02,1,9,1,9,1,9,1,9,5,5\n",
    'AAPL.csv:1: several columns are named "Open", as in a table of several symbols',
  ],
  [
    "two columns of closes",
    "AAPL.csv",
    "Date,Open,High,Low,Close,close,Volume\n2024-01-02,1,1,1,1,9,5\n",
    'AAPL.csv:1: several columns are named "Close"',
  ],
  ["a page of HTML", "AAPL.csv", "<!DOCTYPE html>\n<html></html>\n", "AAPL.csv:1: no column for timestamp, open, high"],
  ["a damaged Parquet file", "AAPL.parquet", "PAR1 nothing", "AAPL.parquet cannot be read as Parquet: it does not end"],
  ["the start of a Parquet file", "AAPL.parquet", "PAR1", "AAPL.parquet cannot be read as Parquet: it does not end as"],
  [
    "hourly rows under the name of daily bars",
    "AAPL.csv",
    HEAD + rows(28, (at) => `2026-10-0${1 + Math.floor(at / 7)}T${14 + (at % 7)}:30:00Z,1,2,.5,1.5,10`),
    "AAPL.csv: several rows a day, an hour apart, are no daily bars; the name says which bars a file holds",
  ],
  [
    "quarters of an hour under the name of hours",
    "AAPL-1h.csv",
    HEAD + rows(8, (at) => `${1_790_812_800 + 900 * at},1,2,.5,1.5,10`),
    "AAPL-1h.csv: rows 15 minutes apart are no 1h bars",
  ],
  [
    "daily rows under the name of minutes",
    "AAPL-1m.csv",
    HEAD + rows(25, (at) => `${1_790_812_800 + 86_400 * at},1,2,.5,1.5,10`),
    "AAPL-1m.csv: rows that are all a multiple of a day apart are no 1m bars",
  ],
  [
    "daily rows by their own statement",
    "AAPL-5m.csv",
    "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>\nA,D,20200102,000000,1,2,.5,1.5,10\n",
    "AAPL-5m.csv:2: the file holds daily bars, not 5m",
  ],
  [
    "dates that can be read in two ways",
    "AAPL.csv",
    HEAD + "04/06/2026,100,101,99,100,1000\n".repeat(20),
    '20 of 20 rows refused: row 2: "04/06/2026" is not a date (4 June or 6 April? no line of the file shows which',
  ],
  [
    "numbers that can be read in two ways",
    "AAPL.csv",
    "Date;Open;High;Low;Close;Volume\n2024-01-03;1,500;2,500;1,250;1,500;10\n",
    '1 of 1 rows refused: row 2: open "1,500" may be 1500 or 1.500: no cell of the file shows which',
  ],
];

test.each(REFUSED)("files are refused with the reason if they hold %s", async (_title, name, content, message) => {
  expect(await refusalOf(name, content, { interval: intervalOf(name) })).toContain(`: ${message}`);
});

test("an open quotation mark loses its own row only, and the line is named", async () => {
  const day = (at: number) => new Date(Date.UTC(2024, 0, 1 + at)).toISOString().slice(0, 10);
  const text = `${HEAD.trim()},Note\n${rows(40, (at) => `${day(at)},1,2,.5,1.5,10,${at === 4 ? '"oops' : "fine"}`)}`;
  const { bars, rejected, logs } = await readFile("AAPL.csv", text);
  expect(bars).toHaveLength(39);
  expect(rejected).toEqual(["6: a quotation mark is not closed"]);
  expect(logs).toEqual(["AAPL.csv: 1 of 40 rows rejected, line 6: a quotation mark is not closed"]);
});

test("dates of both orders in one file are read where they have one reading, and refused elsewhere", async () => {
  const { bars, rejected } = await readFile(
    "AAPL.csv",
    `${HEAD}13/01/2024,1,2,.5,1.5,10\n01/14/2024,1,2,.5,1.5,10\n02/03/2024,1,2,.5,1.5,10\n05/05/2024,1,2,.5,1.5,10\n`,
  );
  expect(bars.map((bar) => bar.slice(0, 10))).toEqual(["2024-01-13", "2024-01-14", "2024-05-05"]);
  expect(rejected).toEqual([
    '4: "02/03/2024" is not a date (2 March or 3 February? line 2 has the day first, line 3 the month)',
  ]);
});

test("hexadecimal numbers, words and commas that split a row are no numbers, and one message counts each kind", async () => {
  const { bars, rejected, logs } = await readFile(
    "AAPL.csv",
    `${HEAD}2024-01-02,1,0x6A,.5,1.5,10\n2024-01-03,1,2,.5,Infinity,10\n2024-01-04,1,2,.5,1.5,10\n2024-01-05,1,5,2,0,5,1,5,10\n`,
  );
  expect(bars).toEqual([`2024-01-04T00:00:00Z ${BAR}`]);
  expect(rejected).toEqual([
    '2: high "0x6A" is not a number',
    '3: close "Infinity" is not a number',
    "5: 9 columns, the first row has 6; numbers with commas need quotation marks",
  ]);
  expect(logs).toEqual([
    'AAPL.csv: 2 of 4 rows rejected, lines 2, 3; line 2: high "0x6A" is not a number',
    "AAPL.csv: 1 of 4 rows rejected, line 5: 9 columns, the first row has 6; numbers with commas need quotation marks",
  ]);
});

test("a reason that all rejected lines have is said of all, and another of its line alone", async () => {
  const { logs } = await readFile(
    "AAPL.csv",
    `${HEAD}${rows(3, () => "2024-01-02,1,2,.5,x,10")}\n2024-01-03,1,2,.5,1.5,10\n`,
  );
  expect(logs).toEqual(['AAPL.csv: 3 of 4 rows rejected, lines 2, 3, 4: close "x" is not a number']);
});

test("ten thousand invalid rows are one message", async () => {
  const invalid = rows(10_000, () => "2024-01-02,1,2,.5,x,10");
  const { logs, rejected } = await readFile("AAPL.csv", `${HEAD}${invalid}\n2024-01-03,1,2,.5,1.5,10\n`);
  expect(logs).toEqual([
    'AAPL.csv: 10000 of 10001 rows rejected, lines 2, 3, 4 and others; line 2: close "x" is not a number',
  ]);
  expect(rejected).toHaveLength(1_000);
});

test("a row of a file that is corrected further down is replaced, and that is said", async () => {
  const { bars, rejected, logs } = await readFile(
    "AAPL.csv",
    `${HEAD}2024-01-02,1,2,.5,1.5,9\n2024-01-03,1,2,.5,1.5,10\n2024-01-02,1,2,.5,1.5,10\n2024-01-03,1,2,.5,1.5,10\n`,
  );
  expect(bars).toEqual([`2024-01-02T00:00:00Z ${BAR}`, `2024-01-03T00:00:00Z ${BAR}`]);
  expect(rejected).toEqual(["2: replaced by line 4, which has the same time", "3: the same row as line 5"]);
  expect(logs.slice(1)).toEqual([
    "AAPL.csv: 1 of 4 rows replaced by later rows, line 2: replaced by line 4, which has the same time",
    "AAPL.csv: 1 of 4 rows repeated, line 3: the same row as line 5",
  ]);
});

test("rows of another symbol in a file are refused", async () => {
  const head = "symbol,timestamp,open,high,low,close,volume\n";
  const { bars, rejected } = await readFile(
    "AAPL.csv",
    `${head}AAPL,2024-01-02,1,2,.5,1.5,10\nMSFT,2024-01-03,1,2,.5,1.5,10\n`,
  );
  expect(bars).toHaveLength(1);
  expect(rejected).toEqual(['3: a row of "MSFT"; the rows before are of "AAPL"']);
});

test.each([
  ["2026-04-01 00:00:00+09:00", "7203@TSE"],
  ["2026-04-01T00:00:00-05:00", "AAPL"],
  ["2026-04-01 00:00:00", "AAPL"],
  ["2026-04-01 16:00", "AAPL"],
  ["2026-04-01T00:00:00Z", "AAPL"],
  ["2026-04-01T04:00:00Z", "AAPL"],
  ["1775016000", "AAPL"],
  ["2026-04-01T00:00:00+09", "BTC-USD"],
])("the daily bar of %s is that of April 1st", async (stamp, symbol) => {
  const { bars } = await readFile(`${symbol}.csv`, `${HEAD}${stamp},1,2,.5,1.5,10\n`, { symbol });
  expect(bars).toEqual([`2026-04-01T00:00:00Z ${BAR}`]);
});

test("a file is read the same wherever its chunks are cut", async () => {
  const minutes = rows(3_000, (at) => `${1_790_812_800 + 60 * at},1,2,.5,1.5,${at},"näme ${at}"`);
  const { bars } = await readFile("AAPL-1m.csv", `${HEAD.trim()},note\n${minutes}\n`, { interval: "1m" });
  expect(bars).toHaveLength(3_000);
  expect(bars.at(-1)).toEndWith(" 1 2 0.5 1.5 2999");
});

test("bars that no run requests, before 1970 or in the future, are named when the file is read", async () => {
  const future = `${new Date().getUTCFullYear() + 2}-01-04`;
  const rows = ["1969-12-31", "2024-01-02", "2024-01-03", future].map((day) => `${day},10,12,9,11,500`);
  const { logs } = await readFile("AAPL.csv", `${HEAD}${rows.join("\n")}`);
  expect(logs).toEqual([
    "AAPL.csv: 1 of 4 bars not stored: before 1970-01-01",
    `AAPL.csv: 1 of 4 bars not stored: in the future, the last of ${future}`,
  ]);
});
