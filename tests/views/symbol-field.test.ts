import { expect, test } from "bun:test";
import { symbolsOfTable } from "../../public/app/ui/symbol-field.js";

test("the column with symbols of a pasted table is taken, without its heading", () => {
  expect(symbolsOfTable("AAPL\nMSFT\n")).toEqual(["AAPL", "MSFT"]);
  expect(symbolsOfTable("Symbol\r\nAAPL\r\nBRK.B\r\n")).toEqual(["AAPL", "BRK.B"]);
  expect(symbolsOfTable("Apple Inc.\tAAPL\t12\nMicrosoft Corp.\tMSFT\t7")).toEqual(["AAPL", "MSFT"]);
  expect(symbolsOfTable("Name\tTicker\nApple Inc.\tAAPL\nMicrosoft Corp.\tMSFT")).toEqual(["AAPL", "MSFT"]);
  expect(symbolsOfTable("12\t7\n3\t4")).toBe(null);
});

test("other text is pasted as it is", () => {
  expect(symbolsOfTable("AAPL, MSFT GOOGL")).toBe(null);
  expect(symbolsOfTable("AAPL and\nmany words")).toBe(null);
  expect(symbolsOfTable("")).toBe(null);
});
