import { expect, test } from "bun:test";
import { levelsOf, tradingTime } from "../../../../src/routes/profiles/chart/levels.ts";

const DAY = 86_400;
const range = <I extends string>(interval: I, days: number) => ({ interval, firstBar: -days * DAY, lastBar: 0 });

test("a chart can show the interval of its page and the longer ones that are stored or derived", () => {
  const minutes = range("1m", 300);
  expect(levelsOf(minutes, [minutes])).toEqual(["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w", "1mo"]);
  expect(levelsOf(range("1h", 300), [range("5m", 300), range("1h", 300)])).toEqual(["1h", "4h", "1d", "1w", "1mo"]);
  expect(levelsOf(range("1mo", 300), [range("1d", 300)])).toEqual(["1mo"]);
});

test("a chart shows no interval that would be read from a series of a shorter time", () => {
  const days = range("1d", 3_000);
  expect(levelsOf(days, [range("1h", 300), days])).toEqual(["1d"]);
  expect(levelsOf(days, [{ ...range("1h", 3_000), lastBar: -200 * DAY }, days])).toEqual(["1d"]);
  expect(levelsOf(range("1h", 300), [range("1h", 300), days])).toEqual(["1h", "4h", "1d", "1w", "1mo"]);
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
