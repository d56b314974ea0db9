/** The calendar and session features count days and minutes by the clock of the series' exchange. */

import { expect, test } from "bun:test";
import { type BarColumns, emptyBars } from "../../src/domain/market/bars.ts";
import { barStarts, CALENDAR } from "../../src/domain/market/calendar.ts";
import { type Venue, venueOfSeries, zoneOf } from "../../src/domain/market/exchanges/exchanges.ts";
import { offsetAt } from "../../src/domain/zone.ts";
import { featureNamed } from "../../src/features/catalog.ts";
import { featureMatrix } from "../../src/features/engine.ts";
import { featureSetup } from "../../src/features/setup.ts";

/** Hourly bars of the sessions of three weeks, over a change of the clocks, each a little higher than the last. */
function hourly(venue: Venue): { bars: BarColumns; opens: Set<number> } {
  const [from, to] = [Date.UTC(2026, 9, 19) / 1000, Date.UTC(2026, 10, 9) / 1000];
  const sessions = CALENDAR.sessionsBetween(venue, from, to);
  const starts = sessions.map((session) => [...barStarts(session, "1h")]);
  const ts = Float64Array.from(starts.flat());
  const close = Float64Array.from(ts, (_, at) => 100 + at);
  const open = close.map((price) => price - 1);
  const [high, low] = [close.map((price) => price + 1), open.map((price) => price - 1)];
  const volume = new Float64Array(ts.length).fill(1_000);
  const bars = { ...emptyBars(ts.length), ts, open, high, low, close, volume };
  return { bars, opens: new Set(starts.map(([first]) => first!)) };
}

for (const symbol of ["7203@TSE", "BHP@AU", "VOD@LSE", "RELIANCE@NSE", "AAPL"]) {
  test(`a day of ${symbol} is one session that begins at its exchange's open`, () => {
    const venue = venueOfSeries({ symbol, provider: "files", sessions: "regular" });
    const { bars, opens } = hourly(venue);
    expect(bars.ts.length).toBeGreaterThan(80);
    const names = ["session_return", "tod_sin", "dow_sin"];
    const features = names.map((name) => featureNamed(name)!);
    const setup = featureSetup(symbol, "1h", venue);
    const [returns, minutes, days] = [...featureMatrix(setup, features, {})(bars)][0]!.columns;
    let start = 0;
    for (const [at, ts] of bars.ts.entries()) {
      if (opens.has(ts)) start = bars.open[at]!;
      const wall = new Date((ts + offsetAt(zoneOf(venue), ts)) * 1000);
      const minute = wall.getUTCHours() * 60 + wall.getUTCMinutes();
      expect(returns![at]!).toBeCloseTo(Math.log(bars.close[at]! / start), 12);
      expect(minutes![at]!).toBeCloseTo(Math.sin((2 * Math.PI * minute) / 1440), 12);
      expect(days![at]!).toBeCloseTo(Math.sin((2 * Math.PI * ((wall.getUTCDay() + 6) % 7)) / 7), 12);
    }
  });
}
