/** `barkeep lake`: with the server that has the database open, and without one. */

import { afterEach, beforeEach, expect, setDefaultTimeout, spyOn, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lakeCheckCommand, lakeSyncCommand } from "../../src/cli/lake.ts";
import { startApp, testConfig } from "../helpers/app.ts";
import { migratedDatabase, temporaryFolder } from "../helpers/folder.ts";

setDefaultTimeout(60_000);

let out: string[];
let spy: { mockRestore(): void };
beforeEach(() => {
  out = [];
  spy = spyOn(console, "log").mockImplementation((text) => void out.push(String(text)));
});
afterEach(() => spy.mockRestore());

test("a server checks its lake, and rebuilds a damaged one; the exit code says whether something differs", async () => {
  using folder = temporaryFolder();
  const lake = join(folder.path, "lake");
  await using app = await startApp({ env: { BARKEEP_LAKE: lake }, dbUrl: await migratedDatabase(folder) });
  await app.waitForRun(await app.start({ symbols: ["AAPL"], years: 1 }), "complete");
  await app.app.lake.idle();
  const { config } = app.app;
  const on = { server: app.url };
  expect(await lakeCheckCommand(config, on)).toBe(0);
  expect(out).toEqual([expect.stringMatching(/^2 files with \d+ compared bars: nothing differs$/)]);

  const { path } = JSON.parse(readFileSync(join(lake, "_manifest.json"), "utf8")).files[0];
  writeFileSync(join(lake, path), "nothing");
  expect(await lakeCheckCommand(config, { ...on, json: true })).toBe(1);
  expect(JSON.parse(out[1]!)).toMatchObject({ count: 1, differences: [{ path }] });
  expect(await lakeSyncCommand(config, on)).toBe(0);
  expect(out[2]).toMatch(/^2 years of bars and features written, \d+ files deleted$/);
  expect(await lakeCheckCommand(config, on)).toBe(0);
  expect((await app.get("/api/lake")).body).toEqual({ pending_years: 0, pending_features: 0, failure: null });

  rmSync(lake, { recursive: true });
  writeFileSync(lake, "a file where the folder should be");
  await expect(lakeSyncCommand(config, on)).rejects.toThrow(/ENOTDIR|EEXIST/);
  expect((await app.get("/api/lake")).body.failure.reason).toMatch(/ENOTDIR|EEXIST/);
});

test("without a server the database is opened here, and a database without a lake has none to write", async () => {
  using folder = temporaryFolder();
  const lake = join(folder.path, "lake");
  const dbUrl = await migratedDatabase(folder);
  expect(await lakeSyncCommand(testConfig(dbUrl, { BARKEEP_LAKE: lake }), { json: true })).toBe(0);
  expect(JSON.parse(out[0]!)).toEqual({ written: 0, removed: 0 });
  expect(await lakeCheckCommand(testConfig(dbUrl, { BARKEEP_LAKE: lake }), { json: true })).toBe(0);
  await expect(lakeSyncCommand(testConfig(dbUrl), {})).rejects.toThrow("BARKEEP_LAKE is not set");
});
