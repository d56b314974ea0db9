import { expect, test } from "bun:test";
import { invalid, invalidFields, Refusal } from "../../src/domain/errors.ts";
import { errorSentences, errorsByField } from "../../src/routes/form-errors.ts";

const FIELDS = ["symbols", "years"] as const;

test("errors are said in sentences at the fields they belong to", () => {
  const refusal = invalidFields([
    { path: "years", message: "wants a whole number" },
    { path: "symbols.1", message: '"a b" is not a symbol' },
    { path: "symbols.4", message: "wants text." },
  ]);
  expect(errorSentences(refusal, FIELDS)).toEqual({
    years: "Wants a whole number.",
    symbols: '"a b" is not a symbol. Wants text.',
  });
});

test("a field without a value is said to want one", () => {
  expect(errorSentences(invalid("symbols", "is missing"), FIELDS)).toEqual({ symbols: "Fill this in." });
});

test("of many errors at one field three are said and the others counted", () => {
  const refusal = invalidFields([1, 2, 3, 4, 5].map((at) => ({ path: `symbols.${at}`, message: `${at} is wrong` })));
  expect(errorSentences(refusal, FIELDS)).toEqual({ symbols: "1 is wrong. 2 is wrong. 3 is wrong. And 2 more." });
});

test("what belongs to no field is said for the whole form", () => {
  expect(errorSentences(invalid("rebuild", "wants true or false"), FIELDS)).toEqual({ form: "Wants true or false." });
  expect(errorSentences(new Refusal("conflict", "AAPL is active"), FIELDS)).toEqual({ form: "AAPL is active." });
});

test("errors by field keep their words", () => {
  expect(errorsByField(invalid("server", "wants smtp://HOST"))).toEqual({ server: "wants smtp://HOST" });
});
