/** How lines of the log are printed. */

import { expect, test } from "bun:test";
import { printedLine } from "../../src/domain/log.ts";

const line = { at: Date.UTC(2026, 0, 5), level: "warn", runId: "r1", symbol: null, message: 'says "no"' } as const;

test("a line for people begins with its time and level", () => {
  expect(printedLine("text", line)).toBe('2026-01-05T00:00:00.000Z warn  says "no"');
});

test("a line for programs is one JSON object, with run and symbol where there are some", () => {
  expect(JSON.parse(printedLine("json", line))).toEqual({
    time: "2026-01-05T00:00:00.000Z",
    level: "warn",
    message: 'says "no"',
    run_id: "r1",
  });
  expect(JSON.parse(printedLine("json", { ...line, symbol: "AAPL" }))).toMatchObject({ symbol: "AAPL" });
});
