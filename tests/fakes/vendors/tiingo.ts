/** Tiingo's daily prices: raw and adjusted in one row. */

import { type FakeVendor, refusalOf, startFake } from "./vendor.ts";

const detail = (status: number, text: string) => Response.json({ detail: text }, { status });

export function fakeTiingo(): FakeVendor {
  const vendor: FakeVendor = startFake({
    isAuthorized: ({ headers }, _url, key) => headers.get("authorization") === `Token ${key}`,
    refuseKey: () => detail(401, "Invalid token."),
    refuseRate: () =>
      detail(
        429,
        "Error: You have run over your hourly request allocation. Please upgrade at https://example.com/pricing",
      ),
    async answer(url, market) {
      const symbol = /^\/tiingo\/daily\/([^/]+)\/prices$/.exec(url.pathname)?.[1]?.replace("BRK-B", "BRK.B");
      if (!symbol) return null;
      const [from, to] = ["startDate", "endDate"].map(
        (name) => Date.parse(`${url.searchParams.get(name)}T00:00:00Z`) / 1000,
      );
      const refused = refusalOf(vendor, { symbol, interval: "1d", from: from!, to: to! });
      if (refused)
        return detail(403, "Error: You do not have permission to access this data. Please upgrade your plan.");
      const bars = await market.bars(symbol, "1d", from!, to!);
      if (!bars) return detail(404, `Error: Ticker '${symbol}' not found`);
      const actionOf = (wanted: string, ts: number) =>
        market.actions.get(symbol)?.find(({ kind, date }) => kind === wanted && date === ts)?.value;
      return Response.json(
        bars.map(({ ts, ...bar }) => ({
          date: new Date(ts * 1000).toISOString(),
          ...bar,
          adjOpen: bar.open,
          adjHigh: bar.high,
          adjLow: bar.low,
          adjClose: bar.close,
          adjVolume: bar.volume,
          divCash: actionOf("dividend", ts) ?? 0,
          splitFactor: actionOf("split", ts) ?? 1,
        })),
      );
    },
  });
  return vendor;
}
