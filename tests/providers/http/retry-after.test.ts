import { expect, test } from "bun:test";
import fc from "fast-check";
import { classify, retryAfterOf } from "../../../src/providers/http/classify.ts";

const NOW = Date.UTC(2026, 10, 20, 12);
const read = (value: string) => retryAfterOf(new Headers({ "retry-after": value }), NOW);
const date = (ms: number) => new Date(ms).toUTCString();

test.each([
  ["7", 7],
  ["0.3", 0.3],
  ["2592000", 2_592_000],
  [date(NOW + 20_000), 20],
  // A moment of the epoch in seconds or milliseconds, for "in 90 seconds".
  [String(NOW / 1_000 + 90), 90],
  [String(NOW + 90_000), 90],
])("the Retry-After %s means %d seconds", (value, seconds) => {
  expect(read(value)).toBeCloseTo(seconds, 6);
});

test.each(["0", "-5", "soon", "", "1e3", "9".repeat(400), String(10 * 365 * 86_400), date(NOW - 5_000), date(NOW)])(
  "the Retry-After %p states no wait",
  (value) => {
    expect(read(value)).toBeUndefined();
  },
);

test("property: whatever a Retry-After says, the wait is positive and at most 31 days, or not stated", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.double().map(String), fc.integer().map(String), fc.date().map(String)),
      (value) => {
        const text = value.replace(/[^\x20-\x7e]/g, "");
        const seconds = read(text);
        if (seconds === undefined) return;
        expect(seconds).toBeGreaterThan(0);
        expect(seconds).toBeLessThanOrEqual(31 * 86_400);
      },
    ),
  );
});

test("a 503 that asks for hours concerns the vendor as a whole, one that asks for seconds the request", () => {
  const kindOf = (seconds: string) =>
    classify({ status: 503, headers: new Headers({ "retry-after": seconds }), text: "", json: undefined })?.kind;
  expect(kindOf("5")).toBe("transient");
  expect(kindOf("7200")).toBe("rate_limited");
});
