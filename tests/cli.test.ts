/** The command line, as a person would call it. */

import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openDatabase } from "../src/storage/db.ts";
import { findProfile } from "../src/storage/profiles/profiles.ts";
import { temporaryFolder } from "./helpers/folder.ts";
import { CHILD_ENV, spawnServer } from "./helpers/server.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

async function call(env: Record<string, string>, ...args: string[]) {
  const child = Bun.spawn([process.execPath, "--no-env-file", "src/cli.ts", ...args], {
    cwd: ROOT,
    env: { ...CHILD_ENV, DEMO_LATENCY_MS: "0", ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}

test("the run command brings symbols to their profiles and reports how it ended", async () => {
  using folder = temporaryFolder();
  const env = { BARKEEP_DB_URL: folder.database() };
  const good = await call(env, "run", "aapl,", "MSFT", "--years", "1");
  expect(good.code).toBe(0);
  expect(good.err).toContain("AAPL: Complete - Completed in");
  const db = await openDatabase(env.BARKEEP_DB_URL);
  expect((await findProfile(db, "MSFT", "1d"))?.backfill.history_complete).toBe(true);
  db.close();

  const wrong = await call(env, "run", "AAPL", "--years", "99", "--interval", "7m");
  expect(wrong.code).toBe(1);
  expect(wrong.err).toContain("years: wants a whole number from 1 to 30");
  expect(wrong.err).toContain('interval: "7m" is not one of 1m, 5m, 15m, 1h, 1d');
});

test("a backup made while a run writes is complete, and overwrites nothing", async () => {
  using folder = temporaryFolder();
  const env = { BARKEEP_DB_URL: folder.database(), DEMO_LATENCY_MS: "5" };
  const server = spawnServer(env);
  try {
    const client = await server.listening;
    await client.post("/api/runs", { symbols: ["AAPL", "MSFT", "GOOGL"], years: 10 });
    const file = join(folder.path, "copy.db");
    const saved = await call(env, "backup", file);
    expect(saved.err).toBe("");
    expect(saved.out).toMatch(/^Saved [\d.]+ MB to /);
    const copy = await openDatabase(`file:${file}`);
    expect(await copy.rows("PRAGMA integrity_check", [])).toEqual([["ok"]]);
    expect(await copy.rows("SELECT count(*) FROM jobs", [])).toEqual([[3]]);
    // Every batch in the copy's ledger has exactly its bars.
    const incomplete = await copy.rows(
      `SELECT count(*) FROM batches b WHERE b.rows <>
         (SELECT count(*) FROM bars WHERE series_id = b.series_id AND ts >= b.from_ts AND ts < b.to_ts)`,
      [],
    );
    expect(incomplete).toEqual([[0]]);
    copy.close();

    const again = await call(env, "backup", file);
    expect(again.code).toBe(1);
    expect(again.err).toContain("exists already");
  } finally {
    await server.kill();
  }
});

test("the doctor finds nothing wrong with a new installation, and says what to do about a broken one", async () => {
  using folder = temporaryFolder();
  const healthy = await call({ BARKEEP_DB_URL: folder.database() }, "doctor");
  expect(healthy).toMatchObject({ code: 0, err: "" });
  expect(healthy.out).not.toContain("FAULT");

  const settings = await call({ PORT: "lots", BARKEEP_PROVIDER: "csv" }, "doctor");
  expect(settings.code).toBe(1);
  expect(settings.out).toContain('FAULT setting PORT: is "lots"');
  expect(settings.out).toContain("FAULT setting BARKEEP_CSV_DIR");

  const vendor = await call(
    { BARKEEP_DB_URL: folder.database(), EODHD_BASE_URL: "http://127.0.0.1:9", EODHD_API_KEY: "s3cret-key" },
    "doctor",
  );
  expect(vendor.code).toBe(1);
  expect(vendor.out).toContain("FAULT provider eodhd: cannot be reached");
  expect(vendor.out + vendor.err).not.toContain("s3cret-key");

  await Bun.write(join(folder.path, "broken.db"), "this is no database, it only looks like a file".repeat(100));
  const broken = await call({ BARKEEP_DB_URL: folder.database("broken.db") }, "doctor");
  expect(broken.code).toBe(1);
  expect(broken.out).toMatch(/FAULT database .*not a database/);
});

test("the doctor of one provider ends with 0, 1 or 2: it answers, it does not, there is none", async () => {
  using folder = temporaryFolder();
  const db = { BARKEEP_DB_URL: folder.database() };
  expect(await call(db, "doctor", "--provider", "demo")).toMatchObject({ code: 0, err: "" });
  const keyless = await call(db, "doctor", "--provider=tiingo");
  expect([keyless.code, keyless.out]).toEqual([
    1,
    expect.stringContaining("FAULT provider tiingo: not set: TIINGO_API_KEY"),
  ]);
  expect(await call(db, "doctor", "--provider", "nobody")).toMatchObject({
    code: 2,
    err: expect.stringContaining("known: demo"),
  });
  expect((await call(db, "doctor", "--vendor")).code).toBe(2);
});

test("an unknown command shows the usage", async () => {
  const { code, err } = await call({}, "frobnicate");
  expect(code).toBe(2);
  expect(err).toContain("bun run doctor");
  expect(existsSync(join(ROOT, "frobnicate"))).toBe(false);
});
