/** Bars of exchanges other than New York's: where longer ones begin, and when days are requested and final. */

import { afterEach, describe, expect, test } from "bun:test";
import { DAY } from "../../../src/domain/market/interval.ts";
import { providerOn } from "../../fakes/providers.ts";
import { fakeEodhd } from "../../fakes/vendors/eodhd.ts";
import { fakeTwelveData } from "../../fakes/vendors/twelvedata.ts";
import type { FakeVendor } from "../../fakes/vendors/vendor.ts";
import { fakeYahoo } from "../../fakes/vendors/yahoo.ts";
import { at } from "../../helpers/inputs/bars.ts";
import { recordingContext } from "../fetch-context.ts";

const open: FakeVendor[] = [];
afterEach(() => Promise.all(open.splice(0).map((fake) => fake.close())));
function started<Fake extends FakeVendor>(fake: Fake): Fake {
  open.push(fake);
  return fake;
}

/** Answers every request for bars with one bar each `step` seconds of these UTC hours. */
function bars(
  fake: FakeVendor,
  name: "eodhd" | "twelvedata",
  day: number,
  hours: readonly (readonly [number, number])[],
) {
  const step = name === "eodhd" ? 60 : 900;
  const prices = { open: 1, high: 1, low: 1, close: 1, volume: 1 };
  const times = hours.flatMap(([from, to]) =>
    Array.from({ length: ((to - from) * 3600) / step }, (_, place) => day + from * 3600 + place * step),
  );
  const stamp = (ts: number) => new Date(ts * 1000).toISOString().slice(0, 19).replace("T", " ");
  fake.always = () =>
    Response.json(
      name === "eodhd"
        ? times.map((timestamp) => ({ timestamp, ...prices }))
        : { status: "ok", values: times.toReversed().map((ts) => ({ datetime: stamp(ts), ...prices })) },
    );
}

describe("hours that are built from shorter bars", () => {
  const LONDON = "08:00 09:00 10:00 11:00 12:00 13:00 14:00 15:00 16:00";
  test.each([
    ["eodhd", "VOD@LSE", [[8, 16.5]], LONDON],
    ["twelvedata", "VOD@LSE", [[8, 16.5]], LONDON],
    [
      "twelvedata",
      "7203@TSE",
      [
        [0, 2.5],
        [3.5, 6.5],
      ],
      "00:00 01:00 02:00 03:30 04:30 05:30",
    ],
    ["twelvedata", "RELIANCE@NSE", [[3.75, 10]], "03:45 04:45 05:45 06:45 07:45 08:45 09:45"],
    ["twelvedata", "X@MOON", [[3.75, 10]], "03:00 04:00 05:00 06:00 07:00 08:00 09:00"],
  ] as const)(
    "%s: hours of %s begin with its exchange's session, not with New York's",
    async (name, symbol, hours, expected) => {
      const fake = started(name === "eodhd" ? fakeEodhd() : fakeTwelveData());
      const day = at("2026-11-25");
      bars(fake, name, day, hours);
      const window = { symbol, interval: "1h", from: day, to: day + DAY, asOf: day + 3 * DAY } as const;
      const { bars: built } = await providerOn(fake, name).fetchBars(window, recordingContext());
      expect([...built.ts].map((ts) => new Date(ts * 1000).toISOString().slice(11, 16)).join(" ")).toBe(expected);
    },
  );
});

describe("days of other exchanges", () => {
  const fake = { url: "http://127.0.0.1:1", key: "k" } as FakeVendor;
  test.each([
    ["twelvedata", "VOD@LSE", "2026-11-25", "2026-11-25T16:35:00Z", "2026-11-25T20:45:00Z"],
    // New York closes at 13:00 on that day, Toronto does not.
    ["twelvedata", "RY@TO", "2026-11-27", "2026-11-27T21:05:00Z", "2026-11-28T01:15:00Z"],
    ["yahoo", "7203@TSE", "2026-11-25", "2026-11-25T06:50:00Z", "2026-11-25T10:45:00Z"],
    ["eodhd", "BHP@AU", "2026-11-25", "2026-11-25T12:15:00Z", "2026-11-25T12:15:00Z"],
  ] as const)("%s has a day of %s after the close of its own exchange", (name, symbol, date, has, final) => {
    const provider = providerOn(fake, name);
    expect([provider.availableAt!(symbol, "1d", at(date)), provider.finalAt!(symbol, "1d", at(date))]).toEqual([
      at(has),
      at(final),
    ]);
  });

  test("London's day is requested on its evening, and not on an evening without a session", async () => {
    const twelve = started(fakeTwelveData());
    const row = { datetime: "2026-12-24", open: 1, high: 1, low: 1, close: 1, volume: 1 };
    twelve.always = () => Response.json({ status: "ok", values: [row] });
    const fetch = (from: string, asOf: string) =>
      providerOn(twelve, "twelvedata").fetchBars(
        { symbol: "VOD@LSE", interval: "1d", from: at(from), to: at(from) + DAY, asOf: at(asOf) },
        recordingContext(),
      );
    // London closes at 12:30 on Christmas Eve and does not open on the day after.
    expect((await fetch("2026-12-24", "2026-12-24T12:34:00Z")).bars.ts.length).toBe(0);
    expect(twelve.urls.length).toBe(0);
    expect([...(await fetch("2026-12-24", "2026-12-24T12:36:00Z")).bars.ts]).toEqual([at("2026-12-24")]);
    await fetch("2026-12-25", "2026-12-26T22:00:00Z");
    expect(twelve.urls.length).toBe(1);
  });

  test("Yahoo is not requested what lies in the future, at any interval and exchange", async () => {
    const yahoo = started(fakeYahoo());
    for (const moment of [
      "2026-11-25T21:40:00Z",
      "2026-11-26T00:10:00Z",
      "2026-11-26T05:00:00Z",
      "2026-11-28T12:00:00Z",
    ]) {
      const asOf = at(moment);
      for (const symbol of ["AAPL", "VOD@LSE", "7203@TSE", "BHP@AU", "BTC-USD"]) {
        for (const interval of providerOn(yahoo, "yahoo").intervals) {
          const from = Math.floor(asOf / DAY) * DAY - 3 * DAY;
          yahoo.always = () => Response.json({ chart: { result: [{ meta: {}, indicators: { quote: [{}] } }] } });
          await providerOn(yahoo, "yahoo").fetchBars(
            { symbol, interval, from, to: from + 5 * DAY, asOf },
            recordingContext(),
          );
          for (const { searchParams } of yahoo.urls.splice(0))
            expect(Number(searchParams.get("period2"))).toBeLessThanOrEqual(asOf);
        }
      }
    }
  });
});
