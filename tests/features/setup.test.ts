import { expect, test } from "bun:test";
import { venueOf } from "../../src/domain/market/exchanges/exchanges.ts";
import { barsPerYear } from "../../src/features/kernels/volatility.ts";
import { featureSetup } from "../../src/features/setup.ts";

test.each([
  ["AAPL", "1m", 98_280],
  ["AAPL", "1h", 1_638],
  ["AAPL", "4h", 409.5],
  ["AAPL", "1d", 252],
  ["BTC-USDT", "1h", 8_760],
  ["BTC-USDT", "1d", 365],
  // 08:00 to 16:30; 09:00 to 15:30 with an hour's break; 09:30 to 16:00 with an hour's break; 09:15 to 15:30.
  ["VOD@XLON", "1h", 2_142],
  ["7203@XTKS", "1m", 83_160],
  ["0700@XHKG", "30m", 2_772],
  ["INFY@XBOM", "15m", 6_300],
  ["VOD@XLON", "1d", 252],
  ["EURUSD@FOREX", "1h", 6_240],
  ["EURUSD@FOREX", "1d", 260],
  // No calendar is known of it.
  ["ABC@XMEX", "1h", 1_638],
  ["7203@XTKS", "1w", 52],
  ["7203@XTKS", "1mo", 12],
] as const)("%s has a year of %s bars that follows its exchange's sessions: %d", (symbol, interval, bars) => {
  expect(barsPerYear(featureSetup(symbol, interval, venueOf(symbol)))).toBe(bars);
});
