import { expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startApp } from "../helpers/app.ts";
import { migratedDatabase, temporaryFolder } from "../helpers/folder.ts";

test("a lake that cannot be written fails no job, says why, and is made up for later", async () => {
  using folder = temporaryFolder();
  const lake = join(folder.path, "lake");
  writeFileSync(lake, "a file where the folder should be");
  await using app = await startApp({ env: { BARKEEP_LAKE: lake }, dbUrl: await migratedDatabase(folder) });
  await app.waitForRun(await app.start({ symbols: ["AAPL"], years: 1 }), "complete");
  await app.app.lake.idle();
  expect(app.app.lake.failure?.reason).toMatch(/ENOTDIR|EEXIST/);
  expect(await app.app.lake.pending()).toBeGreaterThan(0);
  expect((await app.get("/metrics")).text).toContain("\nbarkeep_lake_failed 1\n");
  expect(app.printed.filter((line) => line.includes("The lake could not be written")).length).toBe(1);

  rmSync(lake);
  app.app.lake.notify();
  await app.app.lake.idle();
  expect(app.app.lake.failure).toBeNull();
  expect(await app.app.lake.pending()).toBe(0);
  expect(JSON.parse(readFileSync(join(lake, "_manifest.json"), "utf8")).files.length).toBeGreaterThan(0);
});

test("a server without a lake has none at /lake", async () => {
  await using app = await startApp();
  const { status, body } = await app.get("/lake/_manifest.json");
  expect([status, body.detail]).toEqual([404, "There is no lake: BARKEEP_LAKE is not set"]);
});
