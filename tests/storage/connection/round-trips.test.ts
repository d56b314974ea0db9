import { expect, test } from "bun:test";
import { startFaultyProxy } from "../../fakes/faulty-proxy.ts";
import { startHrana } from "../../fakes/hrana.ts";
import { startApp } from "../../helpers/app.ts";

test("a run on a remote database takes at most two round trips for each batch more", async () => {
  const hrana = startHrana();
  const proxy = startFaultyProxy(hrana.url);
  {
    await using app = await startApp({ env: { BARKEEP_DB_URL: proxy.url, BARKEEP_WORKERS: "1" } });
    const costOf = async (symbol: string, years: number) => {
      const before = proxy.requests;
      await app.waitForRun(await app.start({ symbols: [symbol], years, interval: "1h" }), "complete");
      const trips = proxy.requests - before;
      const count = "SELECT count(*) FROM batches b JOIN series s ON s.id = b.series_id WHERE s.symbol = ?1";
      return { trips, batches: Number((await app.app.db.rows(count, [symbol]))[0]?.[0]) };
    };
    const short = await costOf("AAPL", 1);
    const long = await costOf("MSFT", 4);
    expect(long.batches).toBeGreaterThan(short.batches + 20);
    expect((long.trips - short.trips) / (long.batches - short.batches)).toBeLessThanOrEqual(2);
  }
  await proxy.close();
  await hrana.close();
});
