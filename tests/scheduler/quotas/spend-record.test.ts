/** What is counted of requests when a server or a worker is killed: never less than the vendor got. */

import { afterAll, expect, test } from "bun:test";
import { RateLimiter } from "../../../src/providers/quotas/rate-limiter.ts";
import { spendRecord } from "../../../src/scheduler/quotas/spend-record.ts";
import { openDatabase } from "../../../src/storage/db.ts";
import { UsageStore } from "../../../src/storage/quotas/usage.ts";
import { insertRun } from "../../../src/storage/runs/runs.ts";
import { fakeEodhd } from "../../fakes/vendors/eodhd.ts";
import { migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";
import { spawnServer } from "../../helpers/server.ts";

const KILLS = 2;
const vendor = fakeEodhd();
afterAll(() => vendor.close());

test(`a server killed ${KILLS} times has counted no request less than its vendor got, by job, by day and by limit`, async () => {
  using folder = temporaryFolder();
  const url = await migratedDatabase(folder);
  const start = () =>
    spawnServer({
      BARKEEP_DB_URL: url,
      BARKEEP_WORKERS: "2",
      BARKEEP_PROVIDER: "eodhd",
      EODHD_API_KEY: vendor.key,
      EODHD_BASE_URL: vendor.url,
    });
  let got = 0;
  let wanted = Number.POSITIVE_INFINITY;
  let reached = Promise.withResolvers<void>();
  vendor.always = async () => {
    got += 1;
    if (got >= wanted) reached.resolve();
    return null;
  };
  const counts = async () => {
    const db = await openDatabase(url);
    try {
      const sum = async (query: string) => Number((await db.rows(query, []))[0]![0]);
      return {
        jobs: await sum("SELECT coalesce(sum(api_calls), 0) FROM jobs"),
        usage: await sum("SELECT coalesce(sum(requests), 0) FROM api_usage"),
        limit: await sum("SELECT coalesce(max(used), 0) FROM quotas WHERE period = 'day'"),
      };
    } finally {
      db.close();
    }
  };

  for (let kill = 0; kill < KILLS; kill++) {
    reached = Promise.withResolvers<void>();
    wanted = got + 3 + 2 * kill;
    const server = start();
    const client = await server.listening;
    if (kill === 0) {
      const symbols = Array.from({ length: 30 }, (_, n) => `S${n}`);
      expect((await client.post("/api/runs", { symbols, years: 1 })).status).toBe(202);
    }
    await reached.promise;
    await server.kill();
    const counted = await counts();
    for (const count of Object.values(counted)) expect(count).toBeGreaterThanOrEqual(got);
  }
  // Rounded up at most by what was under way when it was killed.
  expect((await counts()).jobs).toBeLessThanOrEqual(got + KILLS * 64);
}, 60_000);

test("permits leased ahead count for their job until they are returned: those of a killed worker stay counted", async () => {
  using folder = temporaryFolder();
  const db = await openDatabase(await migratedDatabase(folder));
  try {
    const run = { id: "r", mode: "full", interval: "1d", provider: "acme", years: "1" } as const;
    const range = { batchDays: 30, maxWorkers: 1, rangeFrom: 0, rangeTo: 86_400, asOf: 86_400, createdAt: 1 };
    await insertRun(db, { ...run, ...range }, ["AAPL", "MSFT"]);
    const usage = await UsageStore.open(db, () => {});
    const hooks = spendRecord(db, usage, { mark: () => ({ writes: [], stored() {} }) });
    const rules = [
      { provider: "acme", account: "acme:1", limits: [{ period: "minute", counts: "requests", limit: 100 }] as const },
      { provider: "free", account: "free:1", limits: [] },
    ];
    const limiter = new RateLimiter(rules, hooks);
    const calls = async () => (await db.rows("SELECT api_calls FROM jobs ORDER BY id", [])).flat();
    const lease = (job: number, provider = "acme") =>
      limiter.lease({ provider, run: "r", job: String(job), cost: 1, count: 3 });
    const [first, second] = [await lease(1), await lease(2)];
    expect(await calls()).toEqual([3, 3]);
    first[0]!.settle({});
    first[1]!.unsent();
    first[2]!.unsent();
    await db.write([]);
    expect(await calls()).toEqual([1, 3]);
    // Nobody meters it: what was not counted is not taken back.
    for (const { unsent } of await lease(2, "free")) unsent();
    await db.write([]);
    expect(await calls()).toEqual([1, 3]);
    expect(second).toHaveLength(3);
    await usage.close();
  } finally {
    db.close();
  }
});
