import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { nextSort, parseSort, SORT_KEYS } from "../../../../src/domain/runs/queue/job-sort.ts";
import { job } from "../../../helpers/fixtures.ts";

const NOW = 1_700_000_100_000;
const JOBS = [
  job({ symbol: "MSFT", status: "Complete", progress: 100, dataPoints: 500, apiCalls: 24, duration: 3.1, since: null }),
  job({ symbol: "AAPL", status: "Failed", progress: 20, dataPoints: 80, apiCalls: 9, duration: 1.5, since: null }),
  job({ symbol: "GOOGL", status: "Fetching history", progress: 20, dataPoints: 90, apiCalls: 4, since: NOW - 2_000 }),
  job({ symbol: "V", status: "Queued", progress: 0, dataPoints: 0, apiCalls: 0, duration: 0, since: null }),
];

test.each([
  ["", "MSFT AAPL GOOGL V"],
  ["nothing", "MSFT AAPL GOOGL V"],
  ["symbol", "AAPL GOOGL MSFT V"],
  ["-symbol", "V MSFT GOOGL AAPL"],
  ["status", "AAPL GOOGL V MSFT"],
  ["-progress", "MSFT AAPL GOOGL V"],
  ["progress", "V AAPL GOOGL MSFT"],
  ["-points", "MSFT GOOGL AAPL V"],
  ["calls", "V GOOGL AAPL MSFT"],
  ["-time", "MSFT GOOGL AAPL V"],
])("sort=%s", (text, symbols) => {
  const sorted = parseSort(text).apply(JOBS, NOW);
  expect(sorted.map(({ symbol }) => symbol).join(" ")).toBe(symbols);
});

describe("any order", () => {
  test("every sort keeps all jobs, and equal ones in the order of the run", () => {
    const jobs = fc.array(
      fc.integer({ min: 0, max: 3 }).map((progress) => job({ progress })),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(jobs, fc.constantFrom("progress", "-progress"), (list, text) => {
        const numbered = list.map((each, at) => ({ ...each, symbol: `S${at}` }));
        const sorted = parseSort(text).apply(numbered, NOW);
        expect(new Set(sorted)).toEqual(new Set(numbered));
        for (const [a, b] of sorted.slice(1).map((each, at) => [sorted[at]!, each] as const)) {
          const equal = a.progress === b.progress;
          if (equal) expect(numbered.indexOf(a as never)).toBeLessThan(numbered.indexOf(b as never));
          else expect(a.progress < b.progress).toBe(text === "progress");
        }
      }),
    );
  });

  test("clicks on a column sort one way, then the other, then not at all", () => {
    for (const key of SORT_KEYS) {
      const first = nextSort(key, parseSort(""));
      const second = nextSort(key, parseSort(first));
      expect([first, second].sort()).toEqual([`-${key}`, key]);
      expect(nextSort(key, parseSort(second))).toBe("");
    }
  });
});
