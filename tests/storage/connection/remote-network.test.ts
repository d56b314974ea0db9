/** Whole runs on a libSQL server behind a network that loses requests and answers. */

import { expect, test } from "bun:test";
import { startHrana } from "../../fakes/hrana.ts";
import { DROPS, type Drop, startDroppingProxy } from "../../fakes/proxies/dropping-proxy.ts";
import { startApp } from "../../helpers/app.ts";

const SYMBOLS = ["AAPL", "MSFT"];
const RUN = { symbols: SYMBOLS, years: 1, batch_days: 60 };

test("a run over a network that breaks every tenth request stores everything, and nothing twice", async () => {
  const hrana = startHrana();
  let isBad = false;
  let pieces = 0;
  const drops: Drop[] = [];
  const proxy = await startDroppingProxy(hrana.url, () => {
    pieces += 1;
    if (!isBad || pieces % 10 !== 0) return null;
    const drop = DROPS[drops.length % DROPS.length]!;
    drops.push(drop);
    return drop;
  });
  {
    await using app = await startApp({ env: { BARKEEP_DB_URL: proxy.url, BARKEEP_WORKERS: "1" } });
    const rows = (sql: string) => app.app.db.rows(sql, []);
    // A request is told of a database that does not answer, and sent again by whoever made it.
    const id = await app.start(RUN);
    isBad = true;
    const { jobs } = await app.waitForRun(id, "complete");
    await app.app.usage.flush();
    isBad = false;
    for (const drop of DROPS) expect(proxy.dropped[drop], drop).toBeGreaterThan(0);

    const stored = await rows(
      "SELECT s.symbol, count(*) FROM bars b JOIN series s ON s.id = b.series_id GROUP BY 1 ORDER BY 1",
    );
    expect(stored).toEqual(
      jobs.toSorted((a, b) => (a.symbol < b.symbol ? -1 : 1)).map((job) => [job.symbol, job.dataPoints]),
    );
    expect(await rows("SELECT count(*) FROM bar_revisions")).toEqual([[0]]);
    const windows = await rows(
      "SELECT count(*), count(DISTINCT series_id || ':' || from_ts), sum(status = 'ok') FROM batches",
    );
    expect(windows).toEqual([[12, 12, 12]]);
    // What adds up would show a write that was made twice.
    const sent = jobs.reduce((sum, { apiCalls }) => sum + apiCalls, 0);
    expect(sent).toBe(12);
    expect(await rows("SELECT sum(requests) FROM api_usage")).toEqual([[sent]]);
    expect(await rows("SELECT kind, count(*) FROM alert_events GROUP BY 1")).toEqual([["run_finished", 1]]);
    const lines = await rows(
      "SELECT symbol, message, count(*) FROM logs WHERE message LIKE '%Batch %' GROUP BY 1, 2 HAVING count(*) > 1",
    );
    expect(lines).toEqual([]);
    expect((await app.get("/readyz")).status).toBe(200);
  }
  await proxy.close();
  await hrana.close();
});
