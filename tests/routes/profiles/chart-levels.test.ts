import { expect, test } from "bun:test";
import { levelsOf, tradingTime } from "../../../src/routes/profiles/chart/levels.ts";

test("a chart can show the interval of its page and the longer ones that are stored or derived", () => {
  expect(levelsOf("1m", ["1m"])).toEqual(["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w", "1mo"]);
  expect(levelsOf("1h", ["5m", "1h"])).toEqual(["1h", "4h", "1d", "1w", "1mo"]);
  expect(levelsOf("1mo", ["1d"])).toEqual(["1mo"]);
});

test("the time of a day that can have bars is that of the sessions where they are known, otherwise the whole day", () => {
  const times = [
    ["AAPL", "alpaca", "regular"],
    ["VOD@LSE", "eodhd", "regular"],
    ["AAPL", "alpaca", "extended"],
    ["BTC-USD", "coinbase", "continuous"],
  ].map(([symbol = "", provider = "", sessions = ""]) => {
    const { daySeconds, weekDays } = tradingTime({ symbol, provider, sessions });
    return [daySeconds / 3_600, weekDays];
  });
  expect(times).toEqual([
    [6.5, 5],
    [8.5, 5],
    [24, 7],
    [24, 7],
  ]);
});
