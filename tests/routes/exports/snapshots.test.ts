import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { parquetMetadataAsync } from "hyparquet";
import { lostSnapshots } from "../../../src/scheduler/snapshots.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";
import { formOf } from "../../helpers/http.ts";
import { spawnServer } from "../../helpers/server.ts";
import { readParquet } from "../../helpers/tables.ts";
import { polarsRows } from "./read-table.ts";

setDefaultTimeout(60_000);

interface Snapshot {
  readonly id: string;
  readonly sha256: string;
  readonly rows: number;
  readonly files: readonly { name: string; path: string; rows: number; bytes: number; sha256: string }[];
  readonly [field: string]: unknown;
}

const FROM = new Date(Date.now() - 300 * 86_400_000).toISOString().slice(0, 10);
const TO = new Date(Date.now() - 20 * 86_400_000).toISOString().slice(0, 10);
const ORDER = {
  symbols: ["MSFT", "AAPL"],
  names: ["rsi_14"],
  include: ["ohlcv"],
  labels: "fwd_ret_5",
  from: FROM,
  to: TO,
};

let app: TestApp;
let first: Snapshot;
const post = (body: object, at = app) =>
  fetch(`${at.url}/api/snapshots`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
async function create(body: object, at = app): Promise<Snapshot> {
  const response = await post(body, at);
  if (response.status !== 201) throw new Error(await response.text());
  return (await response.json()) as Snapshot;
}

beforeAll(async () => {
  app = await startApp();
  await app.waitForRun(await app.start({ symbols: ["AAPL", "MSFT"], years: 1, batch_days: 365 }), "complete");
  first = await create({ name: "First", ...ORDER });
});
afterAll(() => app[Symbol.asyncDispose]());

test("the files of a snapshot have the rows of its panel, whole and in ranges, and are never asked for again", async () => {
  const panel = await fetch(
    `${app.url}/api/panel?symbols=AAPL,MSFT&names=rsi_14&include=ohlcv&labels=fwd_ret_5&from=${FROM}&to=${TO}&format=parquet`,
  );
  const [file] = first.files;
  const whole = await fetch(app.url + file!.path);
  const bytes = await whole.arrayBuffer();
  expect([whole.headers.get("etag"), bytes.byteLength]).toEqual([`"${file!.sha256}"`, file!.bytes]);
  expect(whole.headers.get("cache-control")).toContain("immutable");
  const rows = await readParquet(bytes);
  expect(rows).toEqual(await readParquet(await panel.arrayBuffer()));
  expect([first.rows, file!.rows]).toEqual([rows.length, rows.length]);
  const asked: string[] = [];
  const remote = {
    byteLength: file!.bytes,
    async slice(start: number, end = file!.bytes) {
      const part = await fetch(app.url + file!.path, { headers: { range: `bytes=${start}-${end - 1}` } });
      asked.push(`${part.status}`);
      return part.arrayBuffer();
    },
  };
  expect(Number((await parquetMetadataAsync(remote)).num_rows)).toBe(rows.length);
  expect(new Set(asked)).toEqual(new Set(["206"]));
  const again = await fetch(app.url + file!.path, { headers: { "if-none-match": `"${file!.sha256}"` } });
  expect(again.status).toBe(304);
});

test("DuckDB and polars read the file of a snapshot as the panel has it, polars by its address", async () => {
  const [file] = first.files;
  const columns = ["symbol", "timestamp", "open", "high", "low", "close", "volume", "rsi_14", "fwd_ret_5"];
  const answer = await fetch(
    `${app.url}/api/panel?symbols=AAPL,MSFT&names=rsi_14&include=ohlcv&labels=fwd_ret_5&from=${FROM}&to=${TO}&format=json`,
  );
  const { data } = (await answer.json()) as { data: Record<string, unknown>[] };
  const panel = data.map((row) =>
    columns.map((name) => (name === "timestamp" ? Date.parse(String(row[name])) : (row[name] ?? null))),
  );
  expect(panel.length).toBe(first.rows);

  expect(await polarsRows(app.url + file!.path, columns)).toEqual(panel);

  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const path = join(app.app.snapshots.folder, first.id, file!.name);
  const found = await connection.runAndReadAll(
    `SELECT * REPLACE (epoch_ms("timestamp")::double AS "timestamp") FROM read_parquet('${path}')`,
  );
  expect([found.columnNames(), found.getRows() as unknown[]]).toEqual([columns, panel]);
  connection.closeSync();
  instance.closeSync();
});

test("the hash is that of the content: the same on a server in another time zone whose database was filled in another order", async () => {
  using folder = temporaryFolder();
  const server = spawnServer({
    TZ: "Pacific/Auckland",
    BARKEEP_DB_URL: await migratedDatabase(folder),
    BARKEEP_WORKERS: "1",
    BARKEEP_LOG_LEVEL: "error",
  });
  try {
    const other = await server.listening;
    const run = async (body: object) => {
      const { id } = (await other.post("/api/runs", body)).body.run;
      while ((await other.get(`/api/runs/${id}`)).body.run.status !== "complete") await Bun.sleep(20);
    };
    await run({ symbols: ["TSLA", "MSFT"], years: 1, batch_days: 7 });
    await run({ symbols: ["AAPL"], years: 1, batch_days: 30 });
    const { body } = await other.post("/api/snapshots", { name: "Elsewhere", ...ORDER, symbols: "AAPL,MSFT" });
    expect([body.rows, body.sha256]).toEqual([first.rows, first.sha256]);
    expect(body.id).not.toBe(first.id);
  } finally {
    await server.kill();
  }
});

test("a snapshot is listed and found, and differs from another by symbols, bars and columns", async () => {
  const { snapshots } = (await (await fetch(`${app.url}/api/snapshots`)).json()) as { snapshots: Snapshot[] };
  expect(snapshots.find(({ id }) => id === first.id)).toEqual(first);
  expect(await (await fetch(`${app.url}/api/snapshots/${first.id}`)).json()).toEqual(first);
  const diff = async (a: Snapshot, b: Snapshot) =>
    (await fetch(`${app.url}/api/snapshots/${a.id}/diff/${b.id}`)).json() as Promise<Record<string, unknown>>;
  const same = await create({ name: "Same", ...ORDER });
  expect(await diff(first, same)).toMatchObject({ same: true, symbols_changed: [], bars_changed: 0 });

  await app.app.db.write([
    {
      sql: `UPDATE bars SET close = high WHERE series_id = (SELECT id FROM series WHERE symbol = 'MSFT')
AND ts = (SELECT max(ts) FROM bars WHERE ts < ?1 - 86400 * 30)`,
      args: [Date.parse(TO) / 1_000],
    },
  ]);
  const changed = await create({ name: "Changed", ...ORDER, symbols: ["MSFT"], names: ["rsi_14", "atr_14"] });
  expect(await diff(first, changed)).toMatchObject({
    same: false,
    symbols_removed: ["AAPL"],
    columns_added: ["atr_14"],
    bars_changed: 1,
    symbols_changed: [{ symbol: "MSFT", bars_added: 0, bars_changed: 1, bars_removed: 0, features_changed: null }],
  });
  const comparable = await create({ name: "Comparable", ...ORDER });
  const [msft] = (await diff(first, comparable)).symbols_changed as { features_changed: number }[];
  expect(msft!.features_changed).toBeGreaterThan(5);
  const shorter = await create({ name: "Shorter", ...ORDER, symbols: ["AAPL"], from: undefined });
  expect(await diff(shorter, first)).toMatchObject({ symbols_added: ["MSFT"], bars_added: 0 });
  expect((await diff(shorter, first)).bars_removed).toBeGreaterThan(20);
});

test("what is asked for wrongly is refused with the field, and leaves nothing behind", async () => {
  const before = readdirSync(app.app.snapshots.folder).length;
  for (const [body, path] of [
    [{ ...ORDER }, "name"],
    [{ name: "x", ...ORDER, names: ["rsi"] }, "names"],
    [{ name: "x", ...ORDER, as_known_at: "2126-01-01" }, "as_known_at"],
    [{ name: "x", symbols: ["NOPE"] }, "symbols"],
    [{ name: "x", ...ORDER, where: "rsi_14 < 30" }, ""],
  ] as const) {
    const response = await post(body);
    expect(response.status).toBe(422);
    expect(((await response.json()) as { errors: { path: string }[] }).errors[0]!.path).toBe(path);
  }
  expect(readdirSync(app.app.snapshots.folder).length).toBe(before);
});

test("a deletion wants a reason; the record stays with it, the files go, and the audit has both", async () => {
  const { id, files } = await create({ name: "Short-lived", ...ORDER });
  const remove = (query: string) => fetch(`${app.url}/api/snapshots/${id}${query}`, { method: "DELETE" });
  expect((await remove("")).status).toBe(422);
  expect((await remove("?reason=wrong+dates")).status).toBe(204);
  expect(existsSync(join(app.app.snapshots.folder, id))).toBe(false);
  const file = await fetch(app.url + files[0]!.path);
  expect([file.status, ((await file.json()) as { detail: string }).detail]).toEqual([
    404,
    expect.stringContaining("wrong dates"),
  ]);
  expect(await (await fetch(`${app.url}/api/snapshots/${id}`)).json()).toMatchObject({ deleted_reason: "wrong dates" });
  expect((await remove("?reason=again")).status).toBe(404);
  const audited = await app.app.db.rows("SELECT action, reason FROM audit WHERE subject = ?1 ORDER BY id", [id]);
  expect(audited).toEqual([
    ["snapshot.create", null],
    ["snapshot.delete", "wrong dates"],
  ]);
});

test("what an interrupted write has left is deleted at the start, and nothing else", async () => {
  const { folder } = app.app.snapshots;
  const [part, orphan, unknown] = [`${crypto.randomUUID()}.part`, crypto.randomUUID(), crypto.randomUUID()];
  for (const name of [part, orphan, unknown, "notes"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, orphan, "pending"), "");
  expect(await app.app.snapshots.sweep()).toBe(2);
  const left = readdirSync(folder);
  const isLeft = (name: string) => left.includes(name);
  expect([part, orphan].filter(isLeft)).toEqual([]);
  // A whole one may be newer than a database that was restored.
  expect([unknown, "notes", first.id].filter(isLeft)).toEqual([unknown, "notes", first.id]);
  expect(existsSync(join(folder, first.id, "pending"))).toBe(false);
});

test("the page of panels makes a snapshot, which the page of snapshots lists, cites, compares and deletes", async () => {
  const panel = await (await fetch(`${app.url}/panel?symbols=AAPL&include=ohlcv&feature=rsi_14&from=${FROM}`)).text();
  expect(panel).toContain("Save as snapshot");
  const send = (path: string, fields: Record<string, string>) => fetch(app.url + path, formOf(fields));
  const fields = {
    symbols: "AAPL",
    interval: "1d",
    from: FROM,
    names: "rsi_14",
    include: "ohlcv",
    format: "csv",
    sort: "symbol",
  };
  const made = await send("/snapshots", { ...fields, name: "By hand" });
  expect(made.status).toBe(303);
  const id = made.headers.get("location")!.replace("/snapshots#snapshot-", "");
  const page = await (await fetch(`${app.url}/snapshots?a=${first.id}&b=${id}`)).text();
  const { sha256, rows } = (await (await fetch(`${app.url}/api/snapshots/${id}`)).json()) as Snapshot;
  expect(page).toContain(`snapshot ${id} of ${rows} rows`);
  expect(page).toContain(`SHA-256 of the content ${sha256}`);
  expect(page).toContain("First and By hand: different content");
  expect((await send("/snapshots", { ...fields, name: "" })).status).toBe(422);
  const refused = await send(`/snapshots/${id}/delete`, { reason: " " });
  expect([refused.status, await refused.text()]).toEqual([422, expect.stringContaining("wants a reason")]);
  expect((await send(`/snapshots/${id}/delete`, { reason: "a try" })).status).toBe(303);
  expect(await (await fetch(`${app.url}/snapshots`)).text()).toContain("a try");
});

test("the doctor finds snapshots whose files are not there", async () => {
  const { folder } = app.app.snapshots;
  const { dbUrl } = app.app.config;
  expect((await lostSnapshots(app.app.db, dbUrl)).lost).toEqual([]);
  renameSync(join(folder, first.id), join(folder, "elsewhere"));
  expect(await lostSnapshots(app.app.db, dbUrl)).toMatchObject({ folder, lost: [first.id] });
  renameSync(join(folder, "elsewhere"), join(folder, first.id));
});
