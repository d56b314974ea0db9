import { describe, expect, test } from "bun:test";
import { readFact } from "../../src/domain/companies.ts";
import { canonicalProvider } from "../../src/domain/defaults.ts";

/** Names that every object inherits: a look-up in an object finds a function for them. */
const INHERITED = ["constructor", "toString", "valueOf", "hasOwnProperty", "__proto__"];

describe.each(INHERITED)("the text %s", (text) => {
  test("is the name of a provider that was never renamed", () => {
    expect(canonicalProvider(text)).toBe(text);
  });

  test("is the name of a country as it stands", () => {
    expect(readFact("country", text)).toBe(text);
  });
});
