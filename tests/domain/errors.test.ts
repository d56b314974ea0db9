import { expect, test } from "bun:test";
import { describeError, invalid, invalidFields, quote } from "../../src/domain/errors.ts";

test("input that is wrong at one field is refused with the field before the message", () => {
  const { kind, status, message, errors } = invalid("years", "wants a whole number");
  expect([kind, status, message]).toEqual(["invalid", 422, "years: wants a whole number"]);
  expect(errors).toEqual([{ path: "years", message: "wants a whole number" }]);
});

test("of several wrong fields the message says the number, of one the fault itself", () => {
  const [years, whole] = [
    { path: "years", message: "wants a whole number" },
    { path: "", message: "wants a JSON object" },
  ];
  expect(invalidFields([years, whole]).message).toBe("2 fields are wrong");
  expect(invalidFields([years, whole]).errors).toEqual([years, whole]);
  expect(invalidFields([years]).message).toBe("years: wants a whole number");
  expect(invalidFields([whole]).message).toBe("wants a JSON object");
  expect([years, whole].map(describeError)).toEqual(["years: wants a whole number", "wants a JSON object"]);
});

test("what is quoted is short and has no control characters", () => {
  expect(quote('say "hi"')).toBe('"say \\"hi\\""');
  expect(quote("a\0b\nc\x9bd")).toBe('"a\ufffdb\ufffdc\ufffdd"');
  expect(quote("Zürich 東京")).toBe('"Zürich 東京"');
  expect(quote("x".repeat(40))).toBe(`"${"x".repeat(40)}"`);
  expect(quote("x".repeat(41))).toBe(`"${"x".repeat(40)}…"`);
});
