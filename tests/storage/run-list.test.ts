import { expect, test } from "bun:test";
import { openDatabase } from "../../src/storage/db.ts";
import { type RunFilter, runListQuery } from "../../src/storage/runs/run-list.ts";
import { migratedDatabase, temporaryFolder } from "../helpers/folder.ts";

test("no filter of the run list reads more than its page: each has an index in the list's order", async () => {
  using folder = temporaryFolder();
  const db = await openDatabase(await migratedDatabase(folder));
  const planOf = async (filter: RunFilter, window = {}) => {
    const { sql, params } = runListQuery(db, filter, { limit: 50, ...window }).toSQL();
    return (await db.rows(`explain query plan ${sql}`, params as string[])).map((row) => String(row[3])).join("; ");
  };
  const filters: [RunFilter, string][] = [
    [{}, "runs_by_time"],
    [{ from: 1, to: 2 }, "runs_by_time"],
    [{ state: "failed" }, "runs_by_state"],
    [{ mode: "repair" }, "runs_by_mode"],
    [{ interval: "15m" }, "runs_by_interval"],
    [{ provider: "eodhd", from: 1 }, "runs_by_provider"],
  ];
  for (const [filter, index] of filters) {
    for (const window of [{}, { before: { at: 1, id: "a" } }, { after: { at: 1, id: "a" } }]) {
      const plan = await planOf(filter, window);
      expect(plan).toContain(`INDEX ${index}`);
      expect(plan).not.toContain("TEMP B-TREE");
    }
  }
  expect(await planOf({ symbol: "RARE" })).toContain("INDEX jobs_by_symbol");
  db.close();
});
