/**
 * A daily update on Massive's free plan: 500 symbols with a year stored that each lack the newest session, against a
 * vendor on loopback that refuses the sixth request of a minute. Takes two to three minutes.
 */

import { CALENDAR } from "../src/domain/market/calendar.ts";
import { DAY } from "../src/domain/market/interval.ts";
import { valuesFor } from "../tests/fakes/providers.ts";
import { fakeMassive } from "../tests/fakes/vendors/massive.ts";
import { startApp } from "../tests/helpers/app.ts";
import { temporaryFolder } from "../tests/helpers/folder.ts";
import { report } from "./support/report.ts";

const SYMBOLS = Array.from({ length: 500 }, (_, at) => `S${at}`);
const PER_MINUTE = 5;

const fake = fakeMassive();
for (const symbol of SYMBOLS) fake.market.known.add(symbol);
const now = Date.now() / 1_000;
const newest = CALENDAR.sessionsBetween("us_equity", now - 15 * DAY, now).findLast(
  ({ close }) => close + 8 * 3_600 <= now,
)!.date;
const env = valuesFor(fake, "massive") as Record<string, string>;
using folder = temporaryFolder();
{
  fake.market.edit = (_symbol, _interval, bar) => (bar.ts >= newest ? null : bar);
  await using app = await startApp({
    folder,
    env: { ...env, MASSIVE_PER_MINUTE: "1000000", BARKEEP_LOG_LEVEL: "warn" },
  });
  const id = await app.start({ symbols: SYMBOLS, provider: "massive", years: 1, batch_days: 365 });
  const { run } = await app.waitForRun(id, "complete", "failed");
  if (run.state !== "complete") throw new Error(`the history is ${run.state}`);
  // The limiter of the next server counts from here on.
  await app.app.db.write([
    { sql: "DELETE FROM quotas", args: [] },
    { sql: "DELETE FROM api_usage", args: [] },
  ]);
}
fake.market.edit = (_symbol, _interval, bar) => bar;
fake.urls.length = 0;
fake.arrivals.length = 0;
fake.perMinute = PER_MINUTE;
await using app = await startApp({ folder, env: { ...env, BARKEEP_LOG_LEVEL: "warn" } });
await app.app.db.write([{ sql: "DELETE FROM quotas", args: [] }]);
const fields = { symbols: SYMBOLS.join(","), provider: "massive", mode: "incremental" };
const preview = await fetch(`${app.url}/runs/preview`, {
  method: "POST",
  headers: { Origin: app.url },
  body: new URLSearchParams(fields),
});
const previewed = Number(/([\d,]+) calls/.exec(await preview.text())?.[1]?.replace(",", ""));
const start = performance.now();
const id = await app.start({ symbols: SYMBOLS, provider: "massive", mode: "incremental" });
const { run, jobs } = await app.waitForRun(id, "complete", "failed");
const minutes = (performance.now() - start) / 60_000;
const updated = await app.app.db.rows("SELECT count(*) FROM bars WHERE ts = ?", [newest]);
report([
  {
    question: `${SYMBOLS.length} symbols × 1 new day, Massive's free plan (${PER_MINUTE} requests a minute)`,
    measured: `${fake.urls.length} requests, ${minutes.toFixed(1)} min`,
    comparedWith: `previewed ${previewed} requests; ${updated[0]![0]} symbols have the day; run ${run.state}; ${fake.refusedForRate} refused; singly 1,500 requests, 300 min`,
    target: "as many as previewed",
    missed: fake.urls.length !== previewed || jobs.some(({ state }) => state !== "complete"),
  },
]);
await fake.close();
