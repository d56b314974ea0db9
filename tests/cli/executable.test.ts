/** The single executable, in an empty folder of a system without Bun and packages. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { version } from "../../package.json";
import { COMPILER_SETTING } from "../../src/cli/compiler-setting.ts";
import { loadAssets } from "../../src/routes/assets.ts";
import { EXECUTABLE_COMMIT as COMMIT, executable as sharedExecutable } from "../helpers/bundle/programs.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";
import { ask, clientOf } from "../helpers/http.ts";
import { ENGINE_ENV, type ServerProcess, spawnCommand } from "../helpers/server.ts";

setDefaultTimeout(60_000);

const ROOT = join(import.meta.dir, "../..");

let folder: Folder;
let server: ServerProcess;
const executable = () => join(folder.path, "bin/barkeep");
const home = () => join(folder.path, "home");
/** All that the executable gets: no PATH, no folder of this checkout, and how its engine compiles and frees memory. */
const env = (): Record<string, string> => ({
  ...ENGINE_ENV,
  PATH: "",
  TMPDIR: join(folder.path, "tmp"),
  BARKEEP_LAKE: join(folder.path, "lake"),
  BARKEEP_WORKERS: "1",
  DEMO_LATENCY_MS: "0",
});

beforeAll(async () => {
  folder = temporaryFolder();
  for (const each of ["tmp", "home"]) await Bun.write(join(folder.path, each, "keep"), "");
  cpSync(sharedExecutable(), executable());
  server = start();
});
afterAll(async () => {
  await server.kill();
  folder[Symbol.dispose]();
});

const start = () => spawnCommand([executable()], env(), home());

async function call(...args: string[]) {
  const child = Bun.spawn([executable(), ...args], { cwd: home(), env: env(), stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([new Response(child.stdout).bytes(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, text: new TextDecoder().decode(out), err };
}

test("the executable names the version and the commit that it was built from", async () => {
  expect((await call("--version")).text.trim()).toBe(`${version} (${COMMIT.slice(0, 12)})`);
  const { get } = await server.listening;
  expect((await get("/healthz")).body).toMatchObject({ version, commit: COMMIT.slice(0, 12) });
});

test("the executable serves the same styles, scripts and Python client as a checkout, and its pages name them", async () => {
  const { get } = await server.listening;
  const { addresses, route } = await loadAssets();
  for (const address of [...Object.values(addresses), "/barkeep.py"]) {
    const answer = await get(address);
    expect([address, answer.status, answer.text]).toEqual([address, 200, await (await route.request(address)).text()]);
  }
  expect((await get("/")).text).toContain(addresses.css);
  for (const path of ["/companies", "/runs", "/schedules", "/alerts", "/settings", "/api/docs"]) {
    expect([path, (await get(path)).status]).toEqual([path, 200]);
  }
});

test.skipIf(process.platform !== "linux")(
  "the executable starts its compiler with its own setting, or that of its environment",
  async () => {
    const { name, value } = COMPILER_SETTING;
    const { [name]: _, ...unset } = env();
    for (const [given, expected] of [
      [unset, value],
      [{ ...unset, [name]: "150000" }, "150000"],
    ] as const) {
      const other = spawnCommand([executable()], { ...given, BARKEEP_DB_URL: folder.database("other.db") }, home());
      await other.listening;
      const variables = (await Bun.file(`/proc/${other.process.pid}/environ`).text()).split("\0");
      expect(variables.filter((each) => each.startsWith(`${name}=`))).toEqual([`${name}=${expected}`]);
      expect(await other.stop()).toBe(0);
    }
  },
);

test("an optional package is missing from the executable, which says where to install it and takes it from there", async () => {
  const list = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };
  const headers = { "Content-Type": "application/json", Accept: "application/json, text/event-stream" };
  const listTools = async () =>
    ask(`${(await server.listening).url}/mcp`, { method: "POST", headers, body: JSON.stringify(list) });
  const absent = await listTools();
  expect(absent.status).toBe(501);
  expect(absent.body.detail).toMatch(/not installed: npm install \S+ in the folder of the executable/);

  symlinkSync(join(ROOT, "node_modules"), join(folder.path, "bin/node_modules"));
  expect(await server.stop()).toBe(0);
  server = start();
  expect((await listTools()).text).toContain('"get_bars"');
});

test("the executable fills profiles, reads lists, writes files and a lake, each on its thread, and keeps them over a restart", async () => {
  const { get, url } = await server.listening;
  const run = await call("run", "AAPL", "MSFT", "--years", "1");
  expect([run.code, run.text]).toEqual([0, expect.stringContaining("2 of 2 symbols complete")]);
  expect((await get("/profiles/AAPL")).status).toBe(200);
  expect((await get("/api/profiles/AAPL?interval=1w")).body).toMatchObject({ symbol: "AAPL", interval: "1w" });

  const csv = await call("export", "AAPL");
  const rows = csv.text.trim().split("\n");
  expect(rows[0]).toBe("timestamp,open,high,low,close,volume");
  const { body } = await get("/api/bars/AAPL?interval=1d");
  expect(rows).toHaveLength(1 + body.data.length);
  const parquet = await call("export", "AAPL", "--features", "--format", "parquet");
  expect(parquet.out.subarray(0, 4)).toEqual(new TextEncoder().encode("PAR1"));
  const snapshot = await call("snapshot", "paper", "AAPL", "--names", "rsi_14", "--json");
  expect([snapshot.code, JSON.parse(snapshot.text)]).toMatchObject([0, { rows: body.data.length }]);
  expect((await call("lake", "sync")).code).toBe(0);
  expect((await call("lake", "check")).text).toContain("nothing differs");
  const headers = { "Content-Type": "text/csv" };
  const list = await ask(`${url}/api/companies/import`, { method: "POST", headers, body: "KO,Coca-Cola" });
  expect(list.body).toEqual({ imported: 1, rejected: [] });

  expect(await server.stop()).toBe(0);
  server = start();
  const again = clientOf((await server.listening).url);
  expect((await again.get("/api/profiles")).body.profiles).toHaveLength(2);
  const status = await call("status", "--json");
  expect(JSON.parse(status.text)).toMatchObject({ server: again.url, profiles: 2, open_runs: [] });
});

test("the doctor finds nothing wrong, and the executable writes only its data and the driver's file", async () => {
  const doctor = await call("doctor");
  expect([doctor.code, doctor.text]).toEqual([0, expect.not.stringContaining("FAULT")]);
  expect(readdirSync(home()).sort()).toEqual(["data", "keep"]);
  expect(readdirSync(join(folder.path, "tmp")).sort()).toEqual([expect.stringMatching(/\.node$/), "keep"]);
});

test("without a folder for the driver the executable says what to change", async () => {
  const child = Bun.spawn([executable(), "status"], {
    cwd: home(),
    env: { ...env(), TMPDIR: join(folder.path, "none") },
    stdout: "ignore",
    stderr: "pipe",
  });
  expect(await new Response(child.stderr).text()).toContain("set TMPDIR to such a folder");
  expect(await child.exited).toBe(1);
});
