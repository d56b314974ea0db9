/** Splits and dividends as each vendor words them, and when a vendor's bars may be had. */

import { describe, expect, test } from "bun:test";
import { CALENDAR } from "../../../src/domain/market/calendar.ts";
import type { CorporateAction } from "../../../src/domain/market/corporate-actions.ts";
import { DAY } from "../../../src/domain/market/interval.ts";
import { providerOn } from "../../fakes/providers.ts";
import { fakeEodhd } from "../../fakes/vendors/eodhd.ts";
import { reply } from "../../fakes/vendors/faults.ts";
import { fakeMassive } from "../../fakes/vendors/massive.ts";
import { fakeTiingo } from "../../fakes/vendors/tiingo.ts";
import { recordingContext } from "../fetch-context.ts";

const at = (text: string) => Date.parse(`${text}T00:00:00Z`) / 1000;
const ACTIONS: CorporateAction[] = [
  { kind: "split", date: at("2024-02-06"), value: 4 },
  { kind: "split", date: at("2024-03-05"), value: 0.1 },
  { kind: "dividend", date: at("2024-02-09"), value: 0.24 },
  { kind: "dividend", date: at("2024-05-10"), value: 0.25 },
];
const sorted = (actions: readonly CorporateAction[]) => [...actions].sort((a, b) => a.date - b.date);

for (const [name, start] of [
  ["eodhd", fakeEodhd],
  ["massive", fakeMassive],
] as const) {
  describe(`${name}'s lists`, () => {
    test(`${name} lists every split and dividend, as it was paid`, async () => {
      const fake = start();
      fake.market.actions.set("AAPL", ACTIONS);
      const provider = providerOn(fake, name);
      expect(sorted(await provider.fetchActions!("AAPL", recordingContext()))).toEqual(sorted(ACTIONS));
      expect(await provider.fetchActions!("MSFT", recordingContext())).toEqual([]);
      const asked = fake.urls.length;
      expect(await provider.fetchActions!("BTC-USD", recordingContext())).toEqual([]);
      expect(fake.urls.length).toBe(asked);
      await fake.close();
    });

    test(`${name}'s list of actions in another shape is refused`, async () => {
      const fake = start();
      fake.always = reply(200, [{ date: 7 }]);
      await expect(providerOn(fake, name).fetchActions!("AAPL", recordingContext())).rejects.toThrow("unexpected list");
      await fake.close();
    });
  });
}

test("Tiingo's actions come with the bars", async () => {
  const fake = fakeTiingo();
  fake.market.actions.set("AAPL", ACTIONS);
  const provider = providerOn(fake, "tiingo");
  expect(provider.fetchActions).toBeUndefined();
  const window = { symbol: "AAPL", interval: "1d" as const, from: at("2024-01-02"), to: at("2024-06-01") };
  const { actions } = await provider.fetchBars({ ...window, asOf: at("2024-07-01") }, recordingContext());
  expect(sorted(actions!)).toEqual(sorted(ACTIONS));
  await fake.close();
});

test("a vendor's bars are available once its delay after the close, or after the bar, is over", async () => {
  const session = CALENDAR.sessionOn("us_equity", at("2024-07-16"))!;
  const [slow, quick] = [fakeEodhd(), fakeMassive()];
  const eodhd = providerOn(slow, "eodhd");
  expect(eodhd.finalAt!("AAPL", "1d", session.date)).toBe(session.close + 7.25 * 3600);
  expect(eodhd.finalAt!("AAPL", "1h", session.open)).toBe(session.close + 7.25 * 3600);
  expect(eodhd.finalAt!("BTC-USD", "1d", session.date)).toBe(session.date + DAY + 3 * 3600);
  expect(providerOn(quick, "massive").finalAt!("AAPL", "5m", session.open)).toBe(session.open + 300 + 16 * 60);
  await slow.close();
  await quick.close();
});
