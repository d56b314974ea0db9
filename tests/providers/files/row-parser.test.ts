import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseDecimal, parseMoment, RowParser } from "../../../src/providers/files/row-parser.ts";
import { parseTimestamp } from "../../../src/providers/timestamp.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const decimal = (text: string) => parseDecimal(bytesOf(text), 0, text.length);
const moment = (text: string) => parseMoment(bytesOf(text), 0, text.length);

describe("parseDecimal", () => {
  const figures = fc.stringMatching(/^[+-]?\d{1,9}(\.\d{0,9})?$/);

  test("property: parseDecimal reads every decimal to the bit as Number does, or leaves it", () => {
    fc.assert(
      fc.property(figures, (text) => {
        const value = decimal(text);
        if (!Number.isNaN(value)) expect(value).toBe(Number(text));
        else expect(text.replace(/\D/g, "").length).toBeGreaterThan(15);
      }),
    );
  });

  test("property: parseDecimal never reads what Number does not", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), (text) => {
        const bytes = bytesOf(text);
        const value = parseDecimal(bytes, 0, bytes.length);
        if (!Number.isNaN(value)) expect(value).toBe(Number(text));
      }),
    );
  });

  test("parseDecimal reads fifteen digits exactly and leaves more of them, signs alone, exponents and hexadecimals", () => {
    expect(decimal("123456789.012345")).toBe(123456789.012345);
    expect(decimal("0.1")).toBe(0.1);
    expect(decimal("-0.30")).toBe(-0.3);
    for (const text of ["1234567890.123456", "", "-", ".", "1e5", "0x6A", "1,5", " 1", "1.2.3", "NaN"]) {
      expect(decimal(text)).toBeNaN();
    }
  });
});

describe("parseMoment", () => {
  const date = fc.date({ min: new Date("1900-01-01"), max: new Date("2200-01-01"), noInvalidDate: true });
  const spellings: readonly ((iso: string) => string)[] = [
    (iso) => iso.slice(0, 10),
    (iso) => iso.slice(0, 10).replaceAll("-", ""),
    (iso) => iso.slice(0, 16).replace("T", " "),
    (iso) => iso.slice(0, 19),
    (iso) => `${iso.slice(0, 19)}Z`,
  ];

  test("property: parseMoment reads dates and times as parseTimestamp does", () => {
    fc.assert(
      fc.property(date, fc.constantFrom(...spellings), (at, spell) => {
        const text = spell(at.toISOString());
        expect(moment(text)).toBe(parseTimestamp(text));
      }),
    );
  });

  test("property: parseMoment never reads what parseTimestamp reads as another moment", () => {
    const near = fc.stringMatching(/^\d{4}-?\d{2}-?\d{2}([T ]\d{2}:\d{2}(:\d{2})?Z?)?$/);
    fc.assert(
      fc.property(fc.oneof(near, fc.stringMatching(/^\d{8,13}$/), fc.string({ maxLength: 20 })), (text) => {
        const bytes = bytesOf(text);
        const value = parseMoment(bytes, 0, bytes.length);
        if (!Number.isNaN(value)) expect(value).toBe(parseTimestamp(text));
      }),
      { numRuns: 500 },
    );
  });

  test("parseMoment leaves days that do not exist, offsets, fractions and 24:00", () => {
    expect(moment("2024-02-29")).toBe(Date.UTC(2024, 1, 29) / 1000);
    expect(moment("1700000000")).toBe(1_700_000_000);
    expect(moment("1700000000000")).toBe(1_700_000_000);
    for (const text of ["2023-02-29", "2024-13-01", "2024-01-01 24:00", "2024-01-01T10:00:00+02:00", "01/02/2024"]) {
      expect(moment(text)).toBeNaN();
    }
  });
});

test("a row parser reads its columns at any position and does not parse a line that lacks one", () => {
  const parser = new RowParser(";".charCodeAt(0), [2, 0, 4]);
  const row = new Float64Array(3);
  const parse = (text: string) => parser.parse(bytesOf(text), 0, text.length, row);
  expect(parse("1.5;x;2024-01-02;;7;more")).toBe(true);
  expect([...row]).toEqual([Date.UTC(2024, 0, 2) / 1000, 1.5, 7]);
  expect(parse("1.5;x;2024-01-02;")).toBe(false);
  expect(parse("1.5;x;2024-01-02;;")).toBe(false);
  expect(parse("")).toBe(false);
});
