import { expect, test } from "bun:test";
import { RUN_DEFAULTS } from "../../../src/domain/defaults.ts";
import { DAY } from "../../../src/domain/market/interval.ts";
import { parseIsoDate } from "../../../src/domain/time.ts";
import type { Provider } from "../../../src/providers/provider.ts";
import { parseRunRequest, type RunRequest, rangeOf } from "../../../src/scheduler/runs/run-request.ts";

const NOON = parseIsoDate("2026-03-02") + DAY / 2;
const provider = { historyStart: () => parseIsoDate("1990-01-02") + 9.5 * 3_600 } as Partial<Provider> as Provider;
const request = (years: RunRequest["years"]): RunRequest => ({ ...RUN_DEFAULTS, symbols: ["AAPL"], years });

test("a request that names only symbols is a run with the defaults, each symbol once", () => {
  expect(parseRunRequest({ symbols: ["aapl", "AAPL", "msft"] })).toEqual({
    ...RUN_DEFAULTS,
    symbols: ["AAPL", "MSFT"],
  });
});

test("a full run ends with the present day and begins as many times 365 days before", () => {
  const range = { from: parseIsoDate("2024-03-03"), to: parseIsoDate("2026-03-03") };
  expect(rangeOf(request(2), provider, NOON)).toEqual(range);
  expect(rangeOf(request(2), provider, NOON + DAY / 2 - 1)).toEqual(range);
  expect(rangeOf(request(2), provider, NOON + DAY / 2)).toEqual({ from: range.from + DAY, to: range.to + DAY });
});

test("a run of all there is begins with the day on which the provider's history begins", () => {
  expect(rangeOf(request("all"), provider, NOON).from).toBe(parseIsoDate("1990-01-02"));
});
