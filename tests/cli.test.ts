/** The command line, as a person would call it. */

import { expect, test } from "bun:test";
import { existsSync, readdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { hashSecret, newSecret, TOKEN_PREFIX } from "../src/auth.ts";
import { saveToken } from "../src/storage/access/tokens.ts";
import { LEASE_KEY } from "../src/storage/connection/fence.ts";
import { openDatabase } from "../src/storage/db.ts";
import { findProfile } from "../src/storage/profiles/profiles.ts";
import { executable } from "./helpers/bundle/programs.ts";
import { migratedDatabase, temporaryFolder } from "./helpers/folder.ts";
import { PASSWORD } from "./helpers/password.ts";
import { CHILD_ENV, spawnCommand, spawnServer } from "./helpers/server.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** In a folder without a developer's `.env`. */
const FOLDER = dirname(executable());

const call = (env: Record<string, string>, ...args: string[]) => callProgram([executable()], FOLDER, env, args);
/** Starts from the sources, as an installation does. */
const fromSources = (name: string) => [process.execPath, "--no-env-file", join(ROOT, "src", name)];
const callFrom = (cwd: string, env: Record<string, string>, ...args: string[]) =>
  callProgram(fromSources("cli.ts"), cwd, env, args);

async function callProgram(program: readonly string[], cwd: string, env: Record<string, string>, args: string[]) {
  const child = Bun.spawn([...program, ...args], {
    cwd,
    env: { ...CHILD_ENV, BARKEEP_WORKERS: "1", DEMO_LATENCY_MS: "0", ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}

test.each([
  [["nope"], "unknown command 'nope'\n(barkeep --help lists the commands"],
  [["export"], "missing required argument 'symbol'\n(barkeep export --help shows what it takes)"],
  [["lake", "check", "--wrong"], "unknown option '--wrong'\n(barkeep lake check --help shows what it takes)"],
  [["run", "$$", "--batch-days", "0"], '"$$" is not a symbol: wants up to 24 letters'],
  [["run", "$$", "--batch-days", "0"], "--batch-days: wants a whole number from 1 to 365"],
  [["run", "AAPL", "--provider", "nope"], '--provider: "nope" is not a known provider (known: demo, files'],
  [["run", "AAPL", "--provider", "massive"], "--provider: Massive (Polygon) is not set up: it needs MASSIVE_API_KEY"],
  [["run", "AAPL", "--years", "2", "--from", "2024-01-01"], "--years: either years or from, not both"],
  [["run", "BTC-USDT", "--provider", "yahoo", "--interval", "1h"], "--provider: Yahoo Finance is not set up"],
  [["snapshot", "Mine"], "A snapshot wants symbols, or a watchlist with --watchlist"],
  [["worker", "--server", "x"], "--server wants the address of the server"],
  [["doctor", "--provider", "nope"], 'There is no provider "nope" (known: demo'],
])(
  "%j is wrong usage: exit code 2, what is wrong, nothing on the standard output, and no database",
  async (words, says) => {
    using folder = temporaryFolder();
    const { code, out, err } = await call({ BARKEEP_DB_URL: folder.database() }, ...words);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(says);
    expect(readdirSync(folder.path)).toEqual([]);
  },
);

test("commands that only read say that there is no database, and create none", async () => {
  using folder = temporaryFolder();
  const env = { BARKEEP_DB_URL: folder.database(), BARKEEP_LAKE: folder.path };
  for (const words of [
    ["export", "AAPL"],
    ["snapshot", "Mine", "AAPL"],
    ["lake", "check"],
    ["backup", "copy.db"],
  ]) {
    const { code, out, err } = await call(env, ...words);
    expect([words, code, out]).toEqual([words, 1, ""]);
    expect(err).toStartWith(`There is no database at ${env.BARKEEP_DB_URL}. Check BARKEEP_DB_URL`);
  }
  expect(readdirSync(folder.path)).toEqual([]);
});

test("a database that cannot be opened is named by every command, also by watch", async () => {
  using folder = temporaryFolder();
  for (const [url, why] of [
    [`file:${folder.path}`, "it is a folder, not a file"],
    [
      `file:${folder.path}/garbage.db`,
      "file is not a database\nStop the server, restore the newest backup and start it again.",
    ],
  ] as const) {
    await Bun.write(join(folder.path, "garbage.db"), "garbage".repeat(200));
    for (const words of [["watch"], ["status"], ["export", "AAPL"]]) {
      const { code, out, err } = await call({ BARKEEP_DB_URL: url }, ...words);
      expect([words, code, out]).toEqual([words, 1, ""]);
      expect(err).toBe(`The database ${url} cannot be opened: ${why}\n`);
    }
  }
});

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
  expect(wrong.code).toBe(2);
  expect(wrong.err).toContain("Allowed choices are 1m, 5m, 15m, 1h, 1d");

  // Each field is named once, alone and beside others.
  const years = await call(env, "run", "AAPL", "--years", "99");
  expect([years.code, years.err]).toEqual([2, '--years: wants a whole number from 1 to 30, or "all"\n']);
  const both = await call(env, "run", "AAPL", "--years", "99", "--max-workers", "99");
  expect([both.code, both.err.match(/--(?:years|max-workers): wants/g)]).toEqual([
    2,
    ["--years: wants", "--max-workers: wants"],
  ]);

  // A password of the server is neither asked for nor changed.
  const guarded = { ...env, BARKEEP_PASSWORD: PASSWORD };
  const partly = await call(guarded, "run", "KO", "DEMO-FAIL", "--years", "1", "--json");
  expect(partly.code).toBe(3);
  expect(JSON.parse(partly.out)).toMatchObject({ status: "failed", counts: { complete: 1, failed: 1 } });
  expect(partly.err).toBe("");
  const file = join(folder.path, "aapl.csv");
  const saved = await call(env, "export", "aapl", "--from", "2026-01-01", "--output", file, "--json");
  expect(saved.code).toBe(0);
  expect(JSON.parse(saved.out)).toEqual({ file, bytes: Bun.file(file).size, provider: "demo" });
  expect(await Bun.file(file).text()).toStartWith("timestamp,open,high,low,close,volume\n2026-01-0");
  const status = await call(env, "status", "--json");
  expect(JSON.parse(status.out)).toMatchObject({ server: null, profiles: 3, runs: 2 });
}, 60_000);

test("the command line talks to the server that holds the database, with a token if it has a password", async () => {
  using folder = temporaryFolder();
  const env = { BARKEEP_DB_URL: await migratedDatabase(folder), BARKEEP_WORKERS: "1", DEMO_LATENCY_MS: "0" };
  const server = spawnServer({ ...env, BARKEEP_PASSWORD: PASSWORD });
  try {
    const { url } = await server.listening;
    const refused = await call(env, "run", "AAPL", "--years", "1");
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("set BARKEEP_TOKEN")]);
    const db = await openDatabase(env.BARKEEP_DB_URL);
    const token = newSecret(TOKEN_PREFIX);
    await saveToken(db, { name: "script", scope: "operate", hash: hashSecret(token), expiresAt: null });
    db.close();
    const known = { ...env, BARKEEP_TOKEN: token };
    const run = await call(known, "run", "AAPL", "--years", "1");
    expect(run.code).toBe(0);
    expect(run.err).toContain("AAPL: Complete - Completed in");
    expect(run.out).toContain("1 of 1 symbol complete");
    const status = await call(known, "status", "--json");
    expect(JSON.parse(status.out)).toMatchObject({ server: url, profiles: 1, open_runs: [] });
  } finally {
    await server.stop();
  }
}, 60_000);

test("every command is a script of npm, and the executable runs from any folder", async () => {
  const { scripts, bin } = await Bun.file(join(ROOT, "package.json")).json();
  const commands = Object.entries<string>(scripts).filter(([, script]) => script.includes("src/cli.ts"));
  const verbs = [
    "serve",
    "run",
    "watch",
    "export",
    "snapshot",
    "lake",
    "status",
    "backup",
    "restore",
    "worker",
    "doctor",
  ];
  // Without `exec` a signal to npm ends the shell between, and a worker goes on without a parent.
  expect(commands).toEqual(verbs.map((verb) => [verb, `exec ./bun.sh src/cli.ts ${verb}`]));
  using folder = temporaryFolder();
  symlinkSync(join(ROOT, bin.barkeep), join(folder.path, "barkeep"));
  const child = Bun.spawn([join(folder.path, "barkeep"), "--version"], { cwd: folder.path, env: CHILD_ENV });
  const { version } = await Bun.file(join(ROOT, "package.json")).json();
  expect(await new Response(child.stdout).text()).toStartWith(version);
  expect(await child.exited).toBe(0);
});

test("server and command line start from any folder, and take relative paths from there", async () => {
  using folder = temporaryFolder();
  const env = { BARKEEP_DB_URL: "file:data/barkeep.db" };
  const server = spawnCommand(fromSources("server.ts"), { ...CHILD_ENV, ...env }, folder.path);
  try {
    const client = await server.listening;
    const page = await client.get("/");
    expect([page.status, page.text]).toEqual([200, expect.stringContaining("Nothing is running")]);
    expect(existsSync(join(folder.path, "data/barkeep.db"))).toBe(true);
    const saved = await callFrom(folder.path, env, "backup", "copy.db");
    expect([saved.code, existsSync(join(folder.path, "copy.db"))]).toEqual([0, true]);
    expect((await callFrom("/", env, "backup", join(folder.path, "other.db"))).err).toContain(
      "There is no database at",
    );
  } finally {
    await server.stop();
  }
});

test("Ctrl-C ends a command and not its run: one of a server goes on, one without is stopped in order", async () => {
  using folder = temporaryFolder();
  const env = { BARKEEP_WORKERS: "1", DEMO_LATENCY_MS: "200" };
  const interrupt = async (dbUrl: string, ...more: string[]) => {
    const child = Bun.spawn([executable(), "run", "AAPL", "--years", "30", ...more], {
      cwd: FOLDER,
      env: { ...CHILD_ENV, ...env, BARKEEP_DB_URL: dbUrl },
      stdout: "pipe",
      stderr: "pipe",
    });
    let said = "";
    for await (const piece of child.stderr.pipeThrough(new TextDecoderStream())) {
      if (said === "") child.kill("SIGINT");
      said += piece;
    }
    expect(await child.exited).toBe(1);
    return said.trim().split("\n").at(-1);
  };
  const dbUrl = await migratedDatabase(folder);
  const server = spawnServer({ ...env, BARKEEP_DB_URL: dbUrl });
  const { url, get } = await server.listening;
  const said = await interrupt(dbUrl);
  const [run] = (await get("/api/runs")).body.runs;
  expect([said, run.status]).toEqual([
    `SIGINT: the run goes on at ${url}, where it can be cancelled too: barkeep watch ${run.id}`,
    "running",
  ]);
  await server.kill();

  using other = temporaryFolder();
  const local = await migratedDatabase(other);
  expect(await interrupt(local)).toBe(
    "SIGINT: the current batches are finished, and the rest is done by the next start: barkeep serve",
  );
  const db = await openDatabase(local);
  expect(await db.rows("SELECT count(*) FROM settings WHERE key = ?", [LEASE_KEY])).toEqual([[0]]);
  db.close();
}, 60_000);

test("a command whose server ends meanwhile says that the run goes on, and one without a server where it looked", async () => {
  using folder = temporaryFolder();
  const env = { BARKEEP_DB_URL: await migratedDatabase(folder), BARKEEP_WORKERS: "1", DEMO_LATENCY_MS: "200" };
  const server = spawnServer(env);
  const { url } = await server.listening;
  const child = Bun.spawn([executable(), "run", "AAPL", "--years", "30", "--server", url], {
    cwd: FOLDER,
    env: { ...CHILD_ENV, ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  let said = "";
  for await (const piece of child.stderr.pipeThrough(new TextDecoderStream())) {
    if (said === "") await server.kill();
    said += piece;
  }
  expect(await child.exited).toBe(1);
  const id = /barkeep watch (\S+)\n$/.exec(said)?.[1];
  expect(said).toEndWith(
    `\nThe server ended before the run did. It goes on with the next start: barkeep watch ${id}\n`,
  );
  const db = await openDatabase(env.BARKEEP_DB_URL);
  expect(await db.rows("SELECT id FROM runs", [])).toEqual([[id!]]);
  db.close();
  for (const words of [["status"], ["export", "AAPL"], ["run", "AAPL"], ["watch"]]) {
    const { code, err } = await call(env, ...words, "--server", url);
    const text = `No answer from ${url} (ECONNREFUSED): is the server running, and is this its address?\n`;
    expect([words[0], code, err]).toEqual([words[0], 1, text]);
  }
}, 60_000);

test("a backup made while a run writes is complete, and overwrites nothing", async () => {
  using folder = temporaryFolder();
  const env = { BARKEEP_DB_URL: await migratedDatabase(folder), BARKEEP_WORKERS: "2", DEMO_LATENCY_MS: "5" };
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
    const nowhere = await call(env, "backup", join(file, "copy.db"));
    expect([nowhere.code, nowhere.err]).toEqual([
      1,
      `Nothing was written to ${file}/copy.db: there is no folder ${file}\n`,
    ]);

    // Asks before it replaces something, and only then.
    const drill = { BARKEEP_DB_URL: folder.database("drill.db") };
    const restored = await call(drill, "restore", file);
    expect([restored.code, restored.err]).toEqual([0, ""]);
    const asked = await call(drill, "restore", file);
    expect([asked.code, asked.out]).toEqual([1, ""]);
    expect(asked.err).toContain("The present file is kept under another name. Answer with --yes.");
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
  expect(err).toContain("npm run doctor");
  expect(existsSync(join(FOLDER, "frobnicate"))).toBe(false);
  // An export takes every format and interval that the API has.
  const format = await call({}, "export", "AAPL", "--format", "xml");
  expect([format.code, format.err]).toEqual([2, expect.stringContaining("json, csv, parquet, arrow, ndjson")]);
  const interval = await call({}, "export", "AAPL", "--interval", "2h");
  expect([interval.code, interval.err]).toEqual([2, expect.stringContaining("1d, 1w, 1mo")]);
});
