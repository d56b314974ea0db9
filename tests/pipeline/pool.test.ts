/** The pool as a whole: start and shutdown. */

import { expect, test } from "bun:test";
import type { SymbolTask } from "../../src/pipeline/messages.ts";
import { WorkerPool } from "../../src/pipeline/workers/pool.ts";
import { WriteLock } from "../../src/storage/connection/file/write-lock.ts";
import { testConfig } from "../helpers/app.ts";
import { migratedDatabase, temporaryFolder } from "../helpers/folder.ts";

const gate = { acquire: () => Promise.reject(new Error("nobody asks")) };
const listener = { stage() {}, coverage() {}, leftOut() {}, log() {}, alert() {} };

const task = (jobId: number): SymbolTask => ({
  jobId,
  runId: "r1",
  symbol: "ACME",
  interval: "1d",
  mode: "full",
  provider: "nobody",
  rebuild: false,
  repairProvider: null,
  fetchMode: "unanswered",
  batchDays: 30,
  rangeFrom: 0,
  rangeTo: 86_400,
  asOf: 86_400,
});

function startPool(database: string, size: number): WorkerPool {
  const { dbUrl, dbToken, providerValues } = testConfig(database);
  return new WorkerPool(
    size,
    { dbUrl, dbToken, dbFile: null, lease: "", writeLock: new WriteLock().shared, providerValues, sessions: {} },
    gate,
  );
}

test("a pool starts a worker for a job that none is free for, and no others", async () => {
  using folder = temporaryFolder();
  const database = await migratedDatabase(folder);
  const pool = startPool(database, 3);
  for (const jobId of [1, 2]) {
    const outcome = await pool.run(task(jobId), listener);
    expect(outcome).toMatchObject({ kind: "failed", reason: expect.stringContaining('no provider "nobody"') });
  }
  expect(pool.alive).toBe(1);
  await pool.close();
});

test("a pool that is closed while its workers still start closes without errors", async () => {
  using folder = temporaryFolder();
  const database = await migratedDatabase(folder);
  // Each round stops the threads a little later in their start: while they load, while they open the database, after.
  for (let round = 0; round < 8; round++) {
    const pool = startPool(database, 2);
    pool.warm();
    await Bun.sleep(round * 20);
    await pool.close();
    expect(pool.alive).toBe(0);
  }
});
