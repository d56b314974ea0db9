import { expect, test } from "bun:test";
import fc from "fast-check";
import { requestedRange } from "../../../src/routes/http/byte-range.ts";

test("a range is given by its first and last byte, by its first, or by its length from the end", () => {
  const of1000 = (header: string) => requestedRange(header, 1_000);
  expect(of1000("bytes=0-499")).toEqual({ start: 0, end: 500 });
  expect(of1000("bytes=500-")).toEqual({ start: 500, end: 1_000 });
  expect(of1000("bytes=-8")).toEqual({ start: 992, end: 1_000 });
  expect(of1000("bytes=-2000")).toEqual({ start: 0, end: 1_000 });
  expect(of1000("bytes=990-1999")).toEqual({ start: 990, end: 1_000 });
  expect(of1000("BYTES= 7-7 ,")).toEqual({ start: 7, end: 8 });
  expect(of1000("bytes=0-99999999999999999999999999")).toEqual({ start: 0, end: 1_000 });
});

test("a range without a byte of the file is unsatisfiable", () => {
  for (const header of ["bytes=1000-", "bytes=1000-1001", "bytes=-0", "bytes=99999999999999999999999999-"]) {
    expect([header, requestedRange(header, 1_000)]).toEqual([header, "unsatisfiable"]);
  }
});

test("several ranges and what is no range of bytes mean the whole file, as every range of an empty one does", () => {
  for (const header of [
    "bytes=0-1,5-6",
    "bytes=5-4",
    "bytes=-",
    "bytes=",
    "bytes",
    "lines=0-1",
    "bytes=a-b",
    "bytes=1-2-3",
    "",
  ]) {
    expect([header, requestedRange(header, 1_000)]).toEqual([header, "whole"]);
  }
  expect(requestedRange(undefined, 1_000)).toBe("whole");
  for (const header of ["bytes=0-", "bytes=-1", "bytes=0-0"]) expect(requestedRange(header, 0)).toBe("whole");
});

test("every range that is answered lies in the file, and has the bytes that slicing by its text has", () => {
  const position = fc.nat({ max: 300 });
  fc.assert(
    fc.property(
      position,
      position,
      fc.nat({ max: 200 }),
      fc.constantFrom("both", "open", "suffix"),
      (a, b, size, kind) => {
        const bytes = Array.from({ length: size }, (_, i) => i);
        const header = { both: `${a}-${b}`, open: `${a}-`, suffix: `-${b}` }[kind];
        const expected = { both: bytes.slice(a, b + 1), open: bytes.slice(a), suffix: b === 0 ? [] : bytes.slice(-b) }[
          kind
        ];
        const range = requestedRange(`bytes=${header}`, size);
        if (range === "whole") expect(size === 0 || (kind === "both" && b < a)).toBe(true);
        else if (range === "unsatisfiable") expect(expected).toEqual([]);
        else expect(bytes.slice(range.start, range.end)).toEqual(expected);
      },
    ),
  );
});

test("no header makes a range that is empty, reversed or outside of the file", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."0123456789-, =bytes") }), fc.nat({ max: 99 }), (text, size) => {
      const range = requestedRange(`bytes=${text}`, size);
      if (typeof range === "string") return;
      expect(range.start).toBeWithin(0, range.end);
      expect(range.end).toBeLessThanOrEqual(size);
    }),
  );
});
