/** The pool as a whole: how it comes and goes. */

import { expect, test } from "bun:test";
import { WorkerPool } from "../../src/pipeline/pool.ts";
import { testConfig } from "../helpers/app.ts";
import { temporaryFolder } from "../helpers/folder.ts";

test("a pool that is closed while its workers still start ends in peace", async () => {
  using folder = temporaryFolder();
  const { dbUrl, dbToken, providerValues } = testConfig(folder.database());
  const gate = { acquire: () => Promise.reject(new Error("nobody asks")) };
  // Each round stops the threads a little later in their start: while they load, while they open the database, after.
  for (let round = 0; round < 12; round++) {
    const settings = { dbUrl, dbToken, providerValues, sessions: {} };
    const pool = new WorkerPool(2, settings, gate);
    await Bun.sleep(round * 15);
    await pool.close();
    expect(pool.alive).toBe(0);
  }
});
