import { expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { diagnose } from "../../src/doctor.ts";
import { startApp, type TestApp } from "../helpers/app.ts";
import { migratedDatabase, temporaryFolder } from "../helpers/folder.ts";

/** What the doctor finds about the lake, and the part of the settings page about it. */
async function shownOf(app: TestApp, lake: string, dbUrl: string) {
  const findings = await Array.fromAsync(diagnose({ BARKEEP_DB_URL: dbUrl, BARKEEP_LAKE: lake }));
  const doctor = findings.find(({ what }) => what === `lake ${lake}`)!;
  return { doctor, page: (await app.get("/settings")).text.split('id="lake"')[1]! };
}

test("a lake that cannot be written fails no job, says why, and is made up for later", async () => {
  using folder = temporaryFolder();
  const lake = join(folder.path, "lake");
  writeFileSync(lake, "a file where the folder should be");
  const dbUrl = await migratedDatabase(folder);
  await using app = await startApp({ env: { BARKEEP_WORKERS: "1", BARKEEP_LAKE: lake }, dbUrl });
  await app.waitForRun(await app.start({ symbols: ["AAPL"], years: 1 }), "complete");
  await app.app.lake.idle();
  expect(app.app.lake.failure?.reason).toMatch(/ENOTDIR|EEXIST/);
  expect(await app.app.lake.pending()).toBeGreaterThan(0);
  expect((await app.get("/metrics")).text).toContain("\nbarkeep_lake_failed 1\n");
  expect(app.printed.filter((line) => line.includes("The lake could not be written")).length).toBe(1);

  const { doctor, page } = await shownOf(app, lake, dbUrl);
  expect(doctor.fault).toMatch(/^could not be written since \d{4}-.*: (ENOTDIR|EEXIST)/);
  expect(page).toContain("Cannot be written");
  expect(page).toMatch(/(ENOTDIR|EEXIST)[\s\S]*[1-9]\d* years? of bars/);
  expect((await app.get("/readyz")).status).toBe(200);

  rmSync(lake);
  app.app.lake.notify();
  await app.app.lake.idle();
  expect(app.app.lake.failure).toBeNull();
  expect(await app.app.lake.pending()).toBe(0);
  expect(JSON.parse(readFileSync(join(lake, "_manifest.json"), "utf8")).files.length).toBeGreaterThan(0);
  const after = await shownOf(app, lake, dbUrl);
  expect(after.doctor).toEqual({ what: `lake ${lake}`, fault: null });
  expect(after.page).toContain("In step");
});

test("a server without a lake has none at /lake", async () => {
  await using app = await startApp();
  const { status, body } = await app.get("/lake/_manifest.json");
  expect([status, body.detail]).toEqual([404, "There is no lake: BARKEEP_LAKE is not set"]);
});
