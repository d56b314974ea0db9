/**
 * The whole server while its database cannot be written: it holds its work, says so, and goes on by itself. The tests run
 * together, as they mostly wait; each has a server of its own.
 */

import { expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Driver from "libsql";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";

const RUN = { symbols: ["AAPL", "MSFT", "GOOGL"], mode: "full", interval: "1d", years: 10, batch_days: 90 };
/** A run lasts as long as with shorter batches, of which each would be a transaction. */
const SLOW = { DEMO_LATENCY_MS: "60" };

/** Waits until `isTrue`, which no event tells. */
async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await Bun.sleep(20);
}

const inTrouble = (app: TestApp) => () => app.app.storage.current() !== null;
const linesWith = ({ printed }: TestApp, words: RegExp) => printed.filter((line) => words.test(line));

/** A connection of another program that has locked the file, which the server may be writing to. */
function lockedBy(url: string) {
  const other = new Driver(url.slice("file:".length));
  other.exec("PRAGMA busy_timeout = 30000");
  other.exec("BEGIN IMMEDIATE");
  return other;
}

/** Checks that no job was failed for it, and that the run ends with all of its bars. */
async function expectWholeRun(app: TestApp, id: string) {
  const { run, jobs } = await app.waitForRun(id, "complete", "failed");
  expect(run).toMatchObject({ state: "complete", counts: { complete: 3, failed: 0 } });
  const rows = await app.app.db.rows("SELECT state FROM jobs WHERE run_id = ?1", [id]);
  expect(rows.flat()).toEqual(["complete", "complete", "complete"]);
  expect(jobs.every(({ dataPoints }) => dataPoints > 2_000)).toBe(true);
  expect(linesWith(app, /Failed query|update "jobs"/)).toEqual([]);
}

test.concurrent("a server whose database another program has locked holds its work, says so everywhere, and goes on by itself", async () => {
  using folder = temporaryFolder();
  const url = await migratedDatabase(folder);
  await using app = await startApp({ dbUrl: url, env: SLOW });
  const id = await app.start(RUN);
  await app.waitForJob("AAPL", (job) => job.dataPoints > 0);
  const other = lockedBy(url);
  await until(inTrouble(app));
  const [[committed]] = (await app.app.db.rows("SELECT count(*) FROM bars", [])) as [[number]];
  const shown = (await app.app.runs.read(id))!.jobs;
  expect(shown.reduce((sum, { dataPoints }) => sum + dataPoints, 0)).toBeLessThanOrEqual(committed);

  const ready = await app.get("/readyz");
  expect([ready.status, ready.body]).toEqual([
    503,
    expect.objectContaining({ status: "not ready", database: false, reason: expect.stringContaining("locked") }),
  ]);
  const page = await app.get("/settings");
  expect(page.status).toBe(200);
  expect(page.text).toMatch(
    /Another program has locked the database for writing<\/strong> since .*go on by themselves/s,
  );
  const refused = await app.post(`/api/runs/${id}/cancel`, {});
  expect([refused.status, refused.headers.get("Retry-After")]).toEqual([503, "5"]);
  expect(refused.body.detail).toContain("nothing was changed");
  expect(app.app.runs.registry.runs.get(id)?.finishedAt).toBeNull();

  other.exec("ROLLBACK");
  other.close();
  await expectWholeRun(app, id);
  await until(() => !inTrouble(app)());
  expect(linesWith(app, /error Another program has locked/)).toHaveLength(1);
  expect(linesWith(app, /info {2}The database can be written again, after/)).toHaveLength(1);
  expect((await app.get("/readyz")).status).toBe(200);
  expect((await app.get("/settings")).text).not.toContain("has locked");
});

test.concurrent("an action that meets a lock is refused within its limit, and is not done later", async () => {
  using folder = temporaryFolder();
  const url = await migratedDatabase(folder);
  await using app = await startApp({ dbUrl: url });
  const other = lockedBy(url);
  const refused = await app.post("/api/runs", RUN);
  expect([refused.status, refused.headers.get("Retry-After")]).toEqual([503, "5"]);
  other.exec("ROLLBACK");
  other.close();
  await until(() => !inTrouble(app)());
  expect(await app.app.db.rows("SELECT count(*) FROM runs", [])).toEqual([[0]]);
  await app.waitForRun(await app.start(RUN), "complete");
});

/** A file system of a few megabytes, if this process may mount one. */
function smallDisk(path: string): Disposable | null {
  mkdirSync(path);
  const run = (...command: string[]) => Bun.spawnSync(command, { stderr: "ignore" }).exitCode === 0;
  if (process.platform !== "linux" || !run("mount", "-t", "tmpfs", "-o", "size=3m", "none", path)) return null;
  return { [Symbol.dispose]: () => void run("umount", "-l", path) };
}

test.concurrent("a server whose disk is full holds its work, and finishes it when there is space again", async () => {
  using folder = temporaryFolder();
  const disk = join(folder.path, "disk");
  using mounted = smallDisk(disk);
  // Where nothing may be mounted, tests/storage/connection/file/write-queue.test.ts shows a file that may not grow.
  if (mounted === null) return;
  copyFileSync((await migratedDatabase(folder)).slice("file:".length), join(disk, "a.db"));
  await using app = await startApp({ dbUrl: `file:${join(disk, "a.db")}`, env: SLOW });
  const id = await app.start(RUN);
  await app.waitForJob("AAPL", (job) => job.dataPoints > 0);
  const ballast = join(disk, "ballast");
  for (let size = 0; ; size += 100_000) {
    try {
      writeFileSync(join(disk, `ballast-${size}`), new Uint8Array(100_000));
    } catch {
      break;
    }
  }
  writeFileSync(ballast, "");
  await until(inTrouble(app));
  expect(app.app.storage.current()).toMatchObject({ kind: "full" });
  expect((await app.get("/readyz")).status).toBe(503);
  expect((await app.get("/")).text).toContain("The disk of the database is full");
  const states = [...app.app.runs.registry.runs.get(id)!.jobs.values()].map(({ state }) => state);
  expect(states).not.toContain("failed");
  Bun.spawnSync(["mount", "-o", "remount,size=64m", disk]);
  await expectWholeRun(app, id);
  expect(linesWith(app, /error The disk of the database is full/)).toHaveLength(1);
});

test.concurrent("a server whose file was moved away holds its work until it is back", async () => {
  using folder = temporaryFolder();
  const url = await migratedDatabase(folder);
  const path = url.slice("file:".length);
  await using app = await startApp({ dbUrl: url, env: SLOW });
  const id = await app.start(RUN);
  await app.waitForJob("AAPL", (job) => job.dataPoints > 0);
  renameSync(path, `${path}.away`);
  await until(inTrouble(app));
  expect((await app.get("/readyz")).body.reason).toContain("was deleted or moved while the server used it");
  expect((await app.post("/api/runs", { ...RUN, symbols: ["TSLA"] })).status).toBe(503);
  renameSync(`${path}.away`, path);
  await expectWholeRun(app, id);
});

test.concurrent("a server whose file was replaced stores nothing in either file until it is started again", async () => {
  using folder = temporaryFolder();
  const url = await migratedDatabase(folder);
  const path = url.slice("file:".length);
  copyFileSync(path, `${path}.other`);
  await using app = await startApp({ dbUrl: url, env: SLOW });
  const id = await app.start(RUN);
  await app.waitForJob("AAPL", (job) => job.dataPoints > 0);
  renameSync(path, `${path}.first`);
  renameSync(`${path}.other`, path);
  await until(inTrouble(app));
  expect(app.app.storage.current()).toMatchObject({ kind: "gone", canPass: false });
  expect((await app.get("/readyz")).body.reason).toContain("was replaced by another file");
  renameSync(path, `${path}.other`);
  renameSync(`${path}.first`, path);
  await Bun.sleep(1_100);
  expect(app.app.storage.current()).toMatchObject({ canPass: false });
  const states = [...app.app.runs.registry.runs.get(id)!.jobs.values()].map(({ state }) => state);
  expect(states).not.toContain("failed");
  rmSync(`${path}.other`);
  expect(existsSync(path)).toBe(true);
});
