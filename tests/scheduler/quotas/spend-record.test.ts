/** What is counted of requests when the server is killed: never less than the vendor got. */

import { afterAll, expect, test } from "bun:test";
import { openDatabase } from "../../../src/storage/db.ts";
import { fakeEodhd } from "../../fakes/vendors/eodhd.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { spawnServer } from "../../helpers/server.ts";

const KILLS = 2;
const vendor = fakeEodhd();
afterAll(() => vendor.close());

test(`a server killed ${KILLS} times has counted no request less than its vendor got, by job, by day and by limit`, async () => {
  using folder = temporaryFolder();
  const url = folder.database();
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
