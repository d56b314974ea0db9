import { expect, test } from "bun:test";
import { failureReasons } from "../../../src/domain/runs/failures.ts";

const failed = (symbol: string, microStage: string) => ({ symbol, state: "failed", microStage }) as const;

test("symbols that failed for the same reason are counted together, commonest first", () => {
  const jobs = [
    failed("KO", "The key was refused"),
    failed("A", "A: no file A-1d.csv or A.csv in /data for API A"),
    failed("BRK.B", "BRK.B: no file BRK.B-1d.csv or BRK.B.csv in /data for API BRK.B"),
    { symbol: "MSFT", state: "running", microStage: "Retry 2/5 in 3s: HTTP 503" } as const,
  ];
  expect(failureReasons(jobs)).toEqual([
    { why: "no file …-1d.csv or ….csv in /data for API …", count: 2 },
    { why: "The key was refused", count: 1 },
  ]);
});

test("a reason that only one symbol has keeps its symbol", () => {
  expect(failureReasons([failed("KO", "KO: no such symbol")])).toEqual([{ why: "KO: no such symbol", count: 1 }]);
  expect(failureReasons([])).toEqual([]);
});
