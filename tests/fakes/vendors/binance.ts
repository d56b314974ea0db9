/** Binance's klines: rows as arrays of text, at most 1,000, no key, weights in a header. */

import { INTERVAL_SECONDS, type Interval } from "../../../src/domain/market/interval.ts";
import { type FakeVendor, refusalOf, startFake } from "./vendor.ts";

export function fakeBinance(): FakeVendor {
  const vendor: FakeVendor = startFake({
    isAuthorized: () => true,
    refuseKey: () => new Response(null, { status: 401 }),
    refuseRate: () =>
      Response.json(
        { code: -1003, msg: "Too much request weight used." },
        { status: 429, headers: { "retry-after": "7" } },
      ),
    async answer(url, market) {
      if (url.pathname === "/api/v3/exchangeInfo") {
        const pair = (baseAsset: string, quoteAsset: string, status = "TRADING") => ({
          symbol: `${baseAsset}${quoteAsset}`,
          status,
          baseAsset,
          quoteAsset,
        });
        const symbols = [pair("BTC", "USDT"), pair("ETH", "BTC"), pair("OLD", "USDT", "BREAK"), pair("BTC", "TRY")];
        return Response.json({ timezone: "UTC", rateLimits: [], symbols });
      }
      if (url.pathname !== "/api/v3/klines") return null;
      const query = url.searchParams;
      const symbol = query.get("symbol")!.replace(/(USDT?)$/, "-$1");
      const interval = query.get("interval") as Interval;
      if (query.get("endTime") === null) {
        const first = await market.firstDay(symbol);
        return Response.json(first === null ? [] : [[first * 1000, "1", "1", "1", "1", "1"]]);
      }
      const [start, end] = [Number(query.get("startTime")), Number(query.get("endTime"))];
      if (refusalOf(vendor, { symbol, interval, from: start / 1000, to: Math.floor(end / 1000) }))
        return Response.json(
          { code: 0, msg: "Service unavailable from a restricted location according to 'b. Eligibility'." },
          { status: 451 },
        );
      const bars = await market.bars(symbol, interval, start / 1000, Math.floor(end / 1000));
      if (!bars) return Response.json({ code: -1121, msg: "Invalid symbol." }, { status: 400 });
      const step = INTERVAL_SECONDS[interval] * 1000;
      const rows = bars
        .slice(0, Math.min(1_000, Number(query.get("limit") ?? 500)))
        .map((bar) => [
          bar.ts * 1000,
          `${bar.open}`,
          `${bar.high}`,
          `${bar.low}`,
          `${bar.close}`,
          `${bar.volume}`,
          bar.ts * 1000 + step - 1,
          "0",
          308,
          "0",
          "0",
          "0",
        ]);
      return Response.json(rows, { headers: { "x-mbx-used-weight-1m": String(2 * vendor.lastMinute()) } });
    },
  });
  return vendor;
}
