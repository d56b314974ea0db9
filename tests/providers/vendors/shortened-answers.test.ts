/** Answers that are cut at a limit, too large, or odd in single elements. */

import { describe, expect, test } from "bun:test";
import { DAY } from "../../../src/domain/market/interval.ts";
import { FAST_RETRIES, providerOn } from "../../fakes/providers.ts";
import { fakeAlpaca } from "../../fakes/vendors/alpaca.ts";
import { fakeBinance } from "../../fakes/vendors/binance.ts";
import { fakeEodhd } from "../../fakes/vendors/eodhd.ts";
import { reply } from "../../fakes/vendors/faults.ts";
import { fakeMassive } from "../../fakes/vendors/massive.ts";
import { fakeTiingo } from "../../fakes/vendors/tiingo.ts";
import { fakeTwelveData } from "../../fakes/vendors/twelvedata.ts";
import { at } from "../../helpers/inputs/bars.ts";
import { recordingContext } from "../fetch-context.ts";

const NOW = at("2026-11-25T22:00:00Z");

describe("an answer that may have been cut", () => {
  test("a year of quarters in London is whole, although Twelve Data sends 5,000 rows at most, the newest first", async () => {
    const fake = fakeTwelveData();
    // London's 34 quarters a day, eight hours and a half.
    const rows = (from: number, to: number) => {
      const found: string[] = [];
      for (let day = Math.floor(from / DAY) * DAY; day < to; day += DAY) {
        const weekday = new Date(day * 1000).getUTCDay();
        if (weekday === 0 || weekday === 6) continue;
        for (let ts = day + 8 * 3600; ts < day + 16.5 * 3600; ts += 900) {
          if (ts >= from && ts <= to) found.push(new Date(ts * 1000).toISOString().slice(0, 19).replace("T", " "));
        }
      }
      return found;
    };
    fake.always = (_request, url) => {
      const end = (name: string) => Date.parse(`${url.searchParams.get(name)!.replace(" ", "T")}Z`) / 1000;
      const values = rows(end("start_date"), end("end_date"))
        .reverse()
        .slice(0, 5_000)
        .map((datetime) => ({ datetime, open: "1", high: "1", low: "1", close: "1", volume: "1" }));
      return Response.json({ status: "ok", values });
    };
    const [from, to] = [at("2025-11-24"), at("2026-11-23")];
    const window = { symbol: "HSBA@LSE", interval: "15m", from, to, asOf: NOW } as const;
    const { bars } = await providerOn(fake, "twelvedata").fetchBars(window, recordingContext());
    expect(bars.ts.length).toBe(rows(from, to - 1).length);
    await fake.close();
  });

  test("an answer as long as the limit is asked for in halves, whatever the hours of the exchange", async () => {
    const fake = fakeTwelveData();
    const values = Array.from({ length: 5_000 }, (_, i) => ({
      datetime: new Date((at("2026-11-20") - i * 60) * 1000).toISOString().slice(0, 19).replace("T", " "),
      open: "1",
      high: "1",
      low: "1",
      close: "1",
      volume: "1",
    }));
    fake.script.push(reply(200, { status: "ok", values }));
    const window = { symbol: "AAPL", interval: "1m", from: at("2026-11-09"), to: at("2026-11-21"), asOf: NOW } as const;
    const { bars } = await providerOn(fake, "twelvedata").fetchBars(window, recordingContext());
    expect(fake.urls.length).toBe(3);
    expect(bars.ts.length).toBeGreaterThan(9 * 380);
    await fake.close();
  });

  test("an answer that is larger than the limit is an error and not memory", async () => {
    const fake = fakeTiingo();
    let sent = 0;
    fake.always = () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            sent += 65_536;
            controller.enqueue(new Uint8Array(65_536).fill(32));
          },
        }),
      );
    const provider = providerOn(fake, "tiingo", {}, { ...FAST_RETRIES, maxAnswerBytes: 2 ** 20 });
    const window = { symbol: "AAPL", interval: "1d", from: at("2026-11-09"), to: at("2026-11-10"), asOf: NOW } as const;
    const error = await provider.fetchBars(window, recordingContext()).catch((thrown) => thrown);
    expect(error.message).toBe("Tiingo: HTTP 200: the answer is larger than 1 MB");
    expect(sent).toBeLessThan(16 * 2 ** 20);
    await fake.close();
  });
});

describe("one odd element", () => {
  const window = { interval: "1d", from: at("2026-11-09"), to: at("2026-11-20"), asOf: NOW } as const;
  for (const { name, start, symbol, rowsOf } of [
    { name: "eodhd", start: fakeEodhd, symbol: "AAPL", rowsOf: (body: unknown) => body },
    {
      name: "alpaca",
      start: fakeAlpaca,
      symbol: "AAPL",
      rowsOf: (body: { bars: { AAPL: unknown } }) => body.bars.AAPL,
    },
    { name: "massive", start: fakeMassive, symbol: "AAPL", rowsOf: (body: { results: unknown }) => body.results },
    { name: "binance", start: fakeBinance, symbol: "BTC-USDT", rowsOf: (body: unknown) => body },
    { name: "twelvedata", start: fakeTwelveData, symbol: "AAPL", rowsOf: (body: { values: unknown }) => body.values },
    { name: "tiingo", start: fakeTiingo, symbol: "AAPL", rowsOf: (body: unknown) => body },
  ]) {
    test(`${name}: a null, a sentence and a number among the rows are put aside and the rest is kept`, async () => {
      const fake = start();
      const provider = providerOn(fake, name);
      const whole = await provider.fetchBars({ ...window, symbol }, recordingContext());
      const odd = [null, { message: "volumes are preliminary" }, 7, {}];
      fake.script.push(async (request) => {
        const body = await (await fetch(request.url, { headers: request.headers })).json();
        (rowsOf as (body: unknown) => unknown[])(body).splice(2, 0, ...odd);
        return Response.json(body);
      });
      const { bars, rejected } = await provider.fetchBars({ ...window, symbol }, recordingContext());
      expect(bars).toEqual(whole.bars);
      expect(rejected.map(({ reason }) => reason)).toEqual([
        "not a row of a bar",
        "volumes are preliminary",
        "not a row of a bar",
        "not a row of a bar",
      ]);
      await fake.close();
    });
  }

  test("EODHD's warning among the rows is said once and the rows are kept", async () => {
    const fake = fakeEodhd();
    fake.script.push(async (request) => {
      const rows = (await (await fetch(request.url)).json()) as unknown[];
      return Response.json([...rows, { warning: "Data is limited by one year as you have free subscription" }]);
    });
    const context = recordingContext();
    const { bars, rejected } = await providerOn(fake, "eodhd").fetchBars({ ...window, symbol: "AAPL" }, context);
    expect([bars.ts.length, rejected.length]).toEqual([9, 0]);
    expect(context.logs).toContain("warn: EODHD: Data is limited by one year as you have free subscription");
    await fake.close();
  });
});
