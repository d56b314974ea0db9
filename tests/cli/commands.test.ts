/** The commands that talk to a server: what they print, what they return, what they leave behind. */

import { afterAll, afterEach, beforeAll, beforeEach, expect, spyOn, test } from "bun:test";
import { lstatSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ApiError, findServer } from "../../src/cli/api-client.ts";
import { exportCommand, runCommand, statusCommand, watchCommand } from "../../src/cli/commands.ts";
import { type RunWire, summaryOf } from "../../src/cli/follow.ts";
import { openDatabase } from "../../src/storage/db.ts";
import { startApp, type TestApp } from "../helpers/app.ts";
import { migratedDatabase, temporaryFolder } from "../helpers/folder.ts";

const folder = temporaryFolder();
let app: TestApp;
let out: string[];
let err: string[];
let restore: () => void;
beforeAll(async () => {
  app = await startApp();
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});
beforeEach(() => {
  [out, err] = [[], []];
  const spies = [
    spyOn(console, "log").mockImplementation((text) => void out.push(String(text))),
    spyOn(console, "error").mockImplementation((text) => void err.push(String(text))),
    spyOn(process.stderr, "write").mockImplementation((text) => err.push(String(text)) > 0),
  ];
  restore = () => {
    for (const spy of spies) spy.mockRestore();
  };
});
afterEach(() => restore());

const on = () => ({ server: app.url });

test("a run is followed line by line, and its exit code says whether all, some or no symbols are complete", async () => {
  const { config } = app.app;
  expect(await runCommand(config, ["AAPL", "MSFT"], { ...on(), years: "1" })).toBe(0);
  expect(err.join("")).toContain("AAPL: Complete - Completed in");
  expect(err.join("")).not.toContain("Feature ");
  expect(out.join("\n")).toMatch(/^2 of 2 symbols complete in .*: \d+ bars, \d+ API calls$/);
  expect(await runCommand(config, ["KO", "DEMO-FAIL"], { ...on(), years: "1" })).toBe(3);
  expect(out.at(-1)).toContain("  DEMO-FAIL: DEMO-FAIL never answers");
  expect(await runCommand(config, ["DEMO-FAIL"], { ...on(), years: "1" })).toBe(1);
});

test("for programs a run is one JSON value, and nothing else is printed", async () => {
  const code = await runCommand(app.app.config, ["IBM"], { ...on(), years: "1", json: true });
  expect([code, out.length, err]).toEqual([0, 1, []]);
  expect(JSON.parse(out[0]!)).toMatchObject({ status: "complete", jobs: [{ symbol: "IBM", progress: 100 }] });
});

test("what the server refuses is told as it says it, field by field", async () => {
  const refusal = await runCommand(app.app.config, ["AAPL"], { ...on(), years: "99" }).catch((error) => error);
  expect(refusal).toBeInstanceOf(ApiError);
  expect([refusal.status, refusal.errors]).toEqual([
    422,
    [{ path: "years", message: 'wants a whole number from 1 to 30, or "all"' }],
  ]);
});

test("the words of a provider cannot control the terminal that a run is followed on", async () => {
  await runCommand(app.app.config, ["IBM"], { ...on(), years: "1", json: true });
  const run: RunWire = JSON.parse(out[0]!);
  const jobs = [{ ...run.jobs[0]!, state: "failed" as const, error: "bad \x1b]0;pwn\x07\x9b2J" }];
  expect(
    summaryOf({ ...run, jobs })
      .split("\n")
      .slice(1),
  ).toEqual(["  IBM: bad \\x1b]0;pwn\\x07\\x9b2J"]);
});

test("a summary counts one symbol as one, and names no symbol twice", () => {
  const job = { symbol: "NOPE", state: "failed", error: "NOPE: no file NOPE.csv", micro_stage: "" };
  const counts = { complete: 0, failed: 1 };
  const run = { counts, total: 1, data_points: 1, api_calls: 1, created_at: "2026-01-01T00:00:00Z", jobs: [job] };
  const text = summaryOf({ ...run, finished_at: "2026-01-01T00:00:02Z" } as unknown as RunWire);
  expect(text).toBe("0 of 1 symbol complete in 2.0s: 1 bar, 1 API call\n  NOPE: no file NOPE.csv");
});

test("watch follows the named run, otherwise the newest one, also when it is over", async () => {
  const id = await app.start({ symbols: ["ORCL"], years: 1 });
  expect(await watchCommand(app.app.config, id, on())).toBe(0);
  expect(await watchCommand(app.app.config, undefined, { ...on(), json: true })).toBe(0);
  expect(JSON.parse(out.at(-1)!).id).toBe(id);
  await expect(watchCommand(app.app.config, "nothing", on())).rejects.toThrow("There is no run");
});

test("an export is a whole file, and one that fails leaves none", async () => {
  await app.waitForRun(await app.start({ symbols: ["V"], years: 1 }), "complete");
  const output = join(folder.path, "v.csv");
  const options = { ...on(), interval: "1d", format: "csv", output };
  expect(await exportCommand(app.app.config, "V", { ...options, features: true, names: "rsi_14,sma_5" })).toBe(0);
  expect(await Bun.file(output).text()).toStartWith("timestamp,rsi_14,sma_5\n");
  const size = `${Math.round(Bun.file(output).size / 1e3)} kB`;
  expect(out).toEqual([`Wrote ${size} to ${output}: features of V, 1d, provider demo (synthetic bars)`]);
  const missing = exportCommand(app.app.config, "NOPE", { ...options, output: join(folder.path, "nope.csv") });
  await expect(missing).rejects.toThrow("start a run for it first");
  expect(readdirSync(folder.path)).toEqual(["v.csv"]);
});

test("an export says whose bars it took, beside them and never among them", async () => {
  await app.waitForRun(await app.start({ symbols: ["V"], years: 1 }), "complete");
  const written: unknown[] = [];
  const spy = spyOn(Bun, "write").mockImplementation(async (_, data) => written.push(data));
  const options = { ...on(), interval: "1d", format: "csv" };
  try {
    await exportCommand(app.app.config, "V", options);
    await exportCommand(app.app.config, "V", { ...options, provider: "demo" });
  } finally {
    spy.mockRestore();
  }
  expect([out, err]).toEqual([[], ["bars of V, 1d, provider demo (synthetic bars)"]]);
  expect(written.map((each) => (each as Response).status)).toEqual([200, 200]);
  const output = join(folder.path, "v.csv");
  await exportCommand(app.app.config, "V", { ...options, output, json: true });
  expect(JSON.parse(out[0]!)).toEqual({ file: output, bytes: Bun.file(output).size, provider: "demo" });
});

test("an export to a folder that there is not, or to a folder, is refused and creates none", async () => {
  const options = { ...on(), interval: "1d", format: "csv" };
  const missing = join(folder.path, "mising", "v.csv");
  await expect(exportCommand(app.app.config, "V", { ...options, output: missing })).rejects.toThrow(
    `Nothing was written to ${missing}: there is no folder ${join(folder.path, "mising")}`,
  );
  await expect(exportCommand(app.app.config, "V", { ...options, output: folder.path })).rejects.toThrow(
    `Nothing was written to ${folder.path}: it is a folder`,
  );
  expect(readdirSync(folder.path)).toEqual(["v.csv"]);
});

test("the status of a server calls its newest run as the pages do, and says what failed", async () => {
  await runCommand(app.app.config, ["KO", "DEMO-FAIL"], { ...on(), years: "1" });
  out.length = 0;
  expect(await statusCommand(app.app.config, on())).toBe(0);
  expect(out.map((line) => line.replace(/ {2,}/, " "))).toEqual(
    expect.arrayContaining([
      "ready: yes",
      "open runs: none",
      "newest run: Full · 1d · 1 year · demo: failed, 1 of 2 symbols complete, 1 failed",
    ]),
  );
});

test("the status of a server has its version and what is open; nobody at an address is an error", async () => {
  await statusCommand(app.app.config, { ...on(), json: true });
  expect(JSON.parse(out[0]!)).toMatchObject({ server: app.url, version: expect.any(String), open_runs: [] });
  await expect(statusCommand(app.app.config, { server: "http://127.0.0.1:9" })).rejects.toThrow();
  // Its app has the lease of the database, but has not said where it listens.
  expect(await findServer(app.app.config)).toBeNull();
});

test("the status of a database that a newer version has changed is refused, and nothing is counted", async () => {
  using folder = temporaryFolder();
  const dbUrl = await migratedDatabase(folder);
  const db = await openDatabase(dbUrl);
  const later = "INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('x', 9999999999999)";
  await db.write([{ sql: later, args: [] }]);
  db.close();
  const status = statusCommand({ ...app.app.config, dbUrl }, { json: true });
  await expect(status).rejects.toThrow("changed by a newer Barkeep");
  expect(out).toEqual([]);
});

test("an export follows a link, and goes through a pipe or a device without taking its place", async () => {
  using own = temporaryFolder();
  const options = { ...on(), interval: "1d", format: "csv" };
  const at = (name: string) => join(own.path, name);
  writeFileSync(at("file.csv"), "old");
  symlinkSync(at("file.csv"), at("link.csv"));
  symlinkSync("new.csv", at("dangling.csv"));
  for (const name of ["link.csv", "dangling.csv"]) {
    expect(await exportCommand(app.app.config, "V", { ...options, output: at(name) })).toBe(0);
    expect(lstatSync(at(name)).isSymbolicLink()).toBe(true);
  }
  const text = readFileSync(at("file.csv"), "utf8");
  expect([text.startsWith("timestamp,open"), readFileSync(at("new.csv"), "utf8") === text]).toEqual([true, true]);
  Bun.spawnSync(["mkfifo", at("pipe")]);
  const reader = Bun.spawn(["cat", at("pipe")]);
  expect(await exportCommand(app.app.config, "V", { ...options, output: at("pipe") })).toBe(0);
  expect([await new Response(reader.stdout).text(), lstatSync(at("pipe")).isFIFO()]).toEqual([text, true]);
  expect(readdirSync(own.path).toSorted()).toEqual(["dangling.csv", "file.csv", "link.csv", "new.csv", "pipe"]);
  const folder = `${at("missing")}/`;
  await expect(exportCommand(app.app.config, "V", { ...options, output: folder })).rejects.toThrow(
    `Nothing was written to ${folder}: there is no folder ${folder}`,
  );
});
