/** The day before which bars are deleted, as it is typed. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { parsePruneDate } from "../../../src/domain/series/prune-date.ts";
import { isoDate } from "../../../src/domain/time.ts";

const NOW = Date.UTC(2024, 1, 29, 15, 30) / 1_000;
const dayOf = (text: string, now = NOW) => {
  const day = parsePruneDate(text, now);
  return day === null ? null : isoDate(day);
};

test("a prune date is a day in the past, or an age in years or months", () => {
  expect(dayOf("2020-01-31")).toBe("2020-01-31");
  expect(dayOf(" 2024-02-29 ")).toBe("2024-02-29");
  expect(dayOf("5y")).toBe("2019-02-28");
  expect(dayOf("4 Y")).toBe("2020-02-29");
  expect(dayOf("18mo")).toBe("2022-08-29");
  expect(dayOf("1mo", Date.UTC(2023, 2, 31) / 1_000)).toBe("2023-02-28");
  expect(dayOf("0y")).toBe("2024-02-29");
});

test("what is no day, lies in the future, or is before 1900 is no prune date", () => {
  for (const text of [
    "",
    "5",
    "5m",
    "y",
    "2024-03-01",
    "2024-02-30",
    "31.01.2020",
    "1899-12-31",
    "200y",
    "-1y",
    "1.5y",
  ])
    expect(dayOf(text)).toBe(null);
});

test("an older age never gives a later day", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e9 }), fc.nat(300), fc.nat(300), (now, a, b) => {
      const [younger, older] = [Math.min(a, b), Math.max(a, b)].map((months) => parsePruneDate(`${months}mo`, now));
      if (older !== null) expect(older).toBeLessThanOrEqual(younger!);
    }),
  );
});
