import { expect, test } from "bun:test";
import { listSymbols, marketOf, parseSymbol, symbolHint } from "../../../src/domain/market/symbol.ts";

test("a list of symbols names the first and counts the others", () => {
  const lists = [[], ["A"], ["A", "B"], ["A", "B", "C"], ["A", "B", "C", "D"]];
  expect(lists.map((symbols) => listSymbols(symbols, 2))).toEqual([
    "",
    "A",
    "A, B",
    "A, B and 1 more",
    "A, B and 2 more",
  ]);
});

test("share classes and preferred shares have one spelling, whatever was typed", () => {
  const spellings = [
    "BRK-B",
    "brk.b",
    "BAC-PL",
    "BAC.PRL",
    "BAC-P-L",
    "BAC.PR.L",
    "BACpL",
    "NOVO-B@CO",
    "VOD@LSE",
    "appl",
  ];
  expect(spellings.map(parseSymbol)).toEqual([
    "BRK.B",
    "BRK.B",
    "BAC.PL",
    "BAC.PL",
    "BAC.PL",
    "BAC.PL",
    "BAC.PL",
    "NOVO.B@CO",
    "VOD@LSE",
    "APPL",
  ]);
});

test("pairs keep their dash, however short the base and whatever the quote", () => {
  const pairs = ["S-USDT", "T-USDT", "BTC-TRY", "BTC-FDUSD", "BNB-TRY", "1000SATS-USDT", "ETH-BTC"];
  expect(pairs.map(parseSymbol)).toEqual(pairs);
  expect([...new Set(pairs.map(marketOf))]).toEqual(["crypto"]);
  expect(["AAPL", "BRK.B", "BF.B"].map(marketOf)).toEqual(["us_equity", "us_equity", "us_equity"]);
});

test("letters that become others in upper case are refused, and a pair with a slash gets a hint", () => {
  expect(["ßA", "ﬁ", "ıBM", "BTC/USDT"].map(parseSymbol)).toEqual([null, null, null, null]);
  expect(symbolHint("btc/usdt")).toBe("; a pair is written BTC-USDT");
  expect(symbolHint("??")).toBe("");
});
