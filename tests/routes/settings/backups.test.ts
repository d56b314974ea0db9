import { expect, test } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { ask, formOf } from "../../helpers/http.ts";

const submit = (app: TestApp, path: string, fields: Record<string, string> = {}) => ask(app.url + path, formOf(fields));
/** The part of the settings page about backups. */
const sectionOf = (html: string) => html.split('id="backups"')[1]!;

test("backups are set up on the settings page, made by its button, and shown with file, size and time", async () => {
  using folder = temporaryFolder();
  await using app = await startApp({ env: { BARKEEP_WORKERS: "1" } });
  const before = sectionOf((await app.get("/settings")).text);
  expect(before).toContain("None yet");
  expect(before).not.toContain("Back up now");
  const saved = await submit(app, "/settings/backups", { folder: folder.path, at: "03:30", keep: "2", reason: "new" });
  expect([saved.status, saved.headers.get("Location")]).toEqual([303, "/settings?saved=backups#backups"]);
  expect(sectionOf((await app.get("/settings")).text)).toContain("Every day");

  const made = await submit(app, "/settings/backups/now");
  expect([made.status, made.headers.get("Location")]).toEqual([303, "/settings#backups"]);
  await app.app.backups.idle();
  const [name = ""] = readdirSync(folder.path);
  const after = sectionOf((await app.get("/settings")).text);
  expect(after).toContain(name);
  expect(after).toMatch(/\d\.\d MB, checked when it was made/);

  const audit = await app.app.db.rows(
    "SELECT actor, action, subject, reason, after FROM audit WHERE action LIKE 'backup.%' ORDER BY id",
    [],
  );
  expect(audit).toEqual([
    ["local", "backup.change", "backups", "new", expect.any(String)],
    ["local", "backup.make", folder.path, null, null],
  ]);
  expect(JSON.parse(String(audit[0]![4]))).toEqual({ folder: folder.path, at: "03:30 UTC", keep: 2 });
});

test("a backup that failed is on the page with its reason and what to do", async () => {
  const folder = temporaryFolder();
  await using app = await startApp({ env: { BARKEEP_WORKERS: "1" } });
  await app.app.backups.change({ folder: folder.path, at: null, keep: 2 });
  rmSync(folder.path, { recursive: true });
  expect((await submit(app, "/settings/backups/now")).status).toBe(303);
  await app.app.backups.idle();
  const shown = sectionOf((await app.get("/settings")).text);
  expect(shown).toContain("Last one failed");
  expect(shown).toContain("the folder does not exist. Create it, or mount its disk, or choose another folder.");
});

test("wrong values are refused at their fields, and what was typed stays", async () => {
  await using app = await startApp({ env: { BARKEEP_WORKERS: "1" } });
  const refused = await submit(app, "/settings/backups", { folder: "/no/such/folder", at: "3:30", keep: "0" });
  expect(refused.status).toBe(422);
  const shown = sectionOf(refused.text);
  expect(shown).toContain("wants a time such as 03:30");
  expect(shown).toContain("wants a whole number from 1 to 1000");
  const missing = await submit(app, "/settings/backups", { folder: "/no/such/folder", at: "", keep: "3" });
  expect(sectionOf(missing.text)).toContain("the folder does not exist");
  expect(sectionOf(missing.text)).toContain('value="/no/such/folder"');
  const none = await submit(app, "/settings/backups/now");
  expect([none.status, sectionOf(none.text)]).toEqual([422, expect.stringContaining("choose and save a folder first")]);
  expect((await app.get("/settings/backups")).status).toBe(200);
});

test("readers see that backups are made, but neither the folder nor the form", async () => {
  using target = temporaryFolder();
  using folder = temporaryFolder();
  {
    await using app = await startApp({ env: { BARKEEP_WORKERS: "1" }, folder });
    await app.app.backups.change({ folder: target.path, at: "03:30", keep: 2 });
    await app.app.backups.backUpNow();
  }
  await using app = await startApp({ env: { BARKEEP_WORKERS: "1", BARKEEP_READ_ONLY: "true" }, folder });
  const shown = sectionOf((await app.get("/settings")).text);
  expect(shown).toContain("checked when it was made");
  expect(shown).toContain("shown to admins only");
  for (const hidden of [target.path, "/settings/backups"]) expect(shown).not.toContain(hidden);
});
