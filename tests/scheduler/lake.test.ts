import { expect, test } from "bun:test";
import { copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { diagnose } from "../../src/doctor.ts";
import { startS3 } from "../fakes/s3.ts";
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
  const failed = (await app.get("/metrics")).text;
  expect(failed).toContain("\nbarkeep_lake_failed 1\n");
  expect(failed).not.toContain("\nbarkeep_lake_size_bytes ");
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
  const { files } = JSON.parse(readFileSync(join(lake, "_manifest.json"), "utf8")) as { files: { path: string }[] };
  expect(files.length).toBeGreaterThan(0);
  const size = files.reduce((sum, { path }) => sum + statSync(join(lake, path)).size, 0);
  expect((await app.get("/metrics")).text).toContain(`\nbarkeep_lake_size_bytes ${size}\n`);
  const after = await shownOf(app, lake, dbUrl);
  expect(after.doctor).toEqual({ what: `lake ${lake}`, fault: null });
  expect(after.page).toContain("Up to date");
});

test("a copy of the database, and a new one, leave the lake of the first as it is until they are told to take it over", async () => {
  using folder = temporaryFolder();
  const lake = join(folder.path, "lake");
  const manifest = () => readFileSync(join(lake, "_manifest.json"), "utf8");
  const env = { BARKEEP_WORKERS: "1", BARKEEP_LAKE: lake };
  const dbUrl = await migratedDatabase(folder);
  {
    await using app = await startApp({ env, dbUrl });
    await app.waitForRun(await app.start({ symbols: ["AAPL", "MSFT"], years: 1 }), "complete");
    await app.app.lake.idle();
  }
  const first = manifest();
  const copy = `file:${join(folder.path, "copy.db")}`;
  copyFileSync(dbUrl.slice("file:".length), copy.slice("file:".length));
  using other = temporaryFolder();
  for (const url of [copy, await migratedDatabase(other)]) {
    await using app = await startApp({ env, dbUrl: url });
    await app.waitForRun(await app.start({ symbols: ["GOOGL"], years: 1 }), "complete");
    await app.app.lake.idle();
    expect(app.app.lake.failure?.reason).toStartWith("it belongs to another database. Name another folder");
    expect((await shownOf(app, lake, url)).doctor.fault).toContain('run "barkeep lake sync" to take it over');
    expect(manifest()).toBe(first);
  }
  {
    await using app = await startApp({ env, dbUrl: copy });
    await app.app.lake.rebuild(() => {});
    expect(app.app.lake.failure).toBeNull();
    expect(manifest()).toContain("symbol=GOOGL");
  }
  await using app = await startApp({ env, dbUrl });
  await app.app.lake.idle();
  expect(app.app.lake.failure?.reason).toStartWith("it belongs to another database");
});

test("a bucket that refuses fails no job, is shown without its key, and the lake catches up when it is open again", async () => {
  using folder = temporaryFolder();
  await using s3 = await startS3();
  const { env, place } = s3;
  const name = `s3://prices/my/lake at ${place.endpoint}`;
  const dbUrl = await migratedDatabase(folder);
  s3.fail("deny");
  await using app = await startApp({ env: { BARKEEP_WORKERS: "1", ...env }, dbUrl });
  await app.waitForRun(await app.start({ symbols: ["AAPL"], years: 1 }), "complete");
  await app.app.lake.idle();
  expect(app.app.lake.failure?.reason).toStartWith(`${name}: AccessDenied: Access denied to ***`);
  const state = (await app.get("/api/lake")).body;
  expect([state.pending_years > 0, state.failure.reason]).toEqual([true, app.app.lake.failure!.reason]);
  const list = await app.get("/lake/_manifest.json");
  expect([list.status, list.body.detail]).toEqual([
    503,
    expect.stringContaining("cannot be read: s3://prices/my/lake"),
  ]);
  const doctorOf = async () => {
    const findings = await Array.fromAsync(diagnose({ BARKEEP_DB_URL: dbUrl, ...env }));
    return findings.find(({ what }) => what === `lake ${name}`)!;
  };
  const refused = await doctorOf();
  expect(refused.fault).toMatch(/^could not be written since .*AccessDenied/);
  const page = (await app.get("/settings")).text;
  const shown = [page, JSON.stringify(state), JSON.stringify(refused), list.text, ...app.printed].join("\n");
  expect(shown).toContain("The lake could not be written");
  for (const secret of [place.accessKeyId, place.secretAccessKey]) expect(shown).not.toContain(secret);

  s3.heal();
  app.app.lake.notify();
  await app.app.lake.idle();
  expect([app.app.lake.failure, await app.app.lake.pending()]).toEqual([null, 0]);
  expect(s3.parts().length).toBeGreaterThan(0);
  expect(await doctorOf()).toEqual({ what: `lake ${name}`, fault: null });
  s3.fail("deny");
  expect((await doctorOf()).fault).toContain("AccessDenied");
});

test("a server without a lake has none at /lake", async () => {
  await using app = await startApp();
  const { status, body } = await app.get("/lake/_manifest.json");
  expect([status, body.detail]).toEqual([404, "There is no lake: BARKEEP_LAKE is not set"]);
});
