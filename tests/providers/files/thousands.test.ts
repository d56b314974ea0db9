/** Points that stand before decimals in one country and between thousands in another. */

import { expect, test } from "bun:test";
import { readFile, refusalOf } from "./read-file.ts";

test("a point before three digits between semicolons is read as the other prices show, and else refused with both readings", async () => {
  const head = "Date;Open;High;Low;Close;Volume\n";
  const read = async (...lines: string[]) => {
    const { bars, rejected } = await readFile("DAX.csv", `${head}${lines.join("\n")}\n`, { symbol: "DAX" });
    return rejected.length > 0 ? rejected : bars.map((bar) => bar.slice(21));
  };
  // A price below a thousand in the row, and in the row before.
  expect(await read("2024-01-02;998;1.004;997;1.001;12.500", "2024-01-03;1.001;1.010;1.000;1.009;9.750")).toEqual([
    "998 1004 997 1001 12500",
    "1001 1010 1000 1009 9750",
  ]);
  expect(await read("2024-01-02;997;999;996;998;500", "2024-01-03;1.001;1.010;1.000;1.009;9.750")).toEqual([
    "997 999 996 998 500",
    "1001 1010 1000 1009 9750",
  ]);
  // A price without its noughts, one of four digits, and a cell that shows the sign by itself.
  expect(await read("2024-01-02;12;12.345;11.987;12.100;500", "2024-01-03;12.100;12.200;12.050;12.150;9.750")).toEqual([
    "12 12.345 11.987 12.1 500",
    "12.1 12.2 12.05 12.15 9.75",
  ]);
  expect(await read("2024-01-02;9.123;9.345;9.012;9.100;500", "2024-01-03;9.100;9.45;9.050;9.150;2")).toEqual([
    "9.123 9.345 9.012 9.1 500",
    "9.1 9.45 9.05 9.15 2",
  ]);
  expect(await read("2024-01-02;1.187;1.191;1.184;1.188;500", "2024-01-03;1.187,5;1.191;1.184;1.188;2")).toEqual([
    "1187 1191 1184 1188 500",
    "1187.5 1191 1184 1188 2",
  ]);
  const rows = "2024-01-02;15.234;15.301;15.199;15.287;51.022\n2024-01-03;15.287;15.400;15.250;15.390;48.100\n";
  expect(await refusalOf("DAX.csv", head + rows, { symbol: "DAX" })).toBe(
    'no_data: 2 of 2 rows refused: row 2: open "15.234" may be 15.234 or 15234: no cell of the file shows which; ' +
      "write 15.2340 or 15234; DAX.csv",
  );
  // Between commas a point stands before decimals.
  const point = "Date,Open,High,Low,Close,Volume\n2024-01-02,15.234,15.301,15.199,15.287,51022\n";
  expect((await readFile("AAPL.csv", point)).bars).toEqual(["2024-01-02T00:00:00Z 15.234 15.301 15.199 15.287 51022"]);
});
