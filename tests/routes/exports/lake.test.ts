import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { asyncBufferFromUrl, parquetReadObjects } from "hyparquet";
import type { Manifest } from "../../../src/pipeline/lake/manifest.ts";
import { startS3 } from "../../fakes/s3.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { type Folder, migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";
import { ask } from "../../helpers/http.ts";
import { polarsRows } from "./read-table.ts";

setDefaultTimeout(60_000);

let folder: Folder;
let app: TestApp;
let manifest: Manifest;
beforeAll(async () => {
  folder = temporaryFolder();
  const lake = { BARKEEP_LAKE: join(folder.path, "lake"), BARKEEP_LAKE_FEATURES: "BRK.B:1h" };
  const env = { BARKEEP_WORKERS: "1", ...lake };
  app = await startApp({ env, dbUrl: await migratedDatabase(folder) });
  await app.waitForRun(await app.start({ symbols: ["AAPL", "BRK.B"], interval: "1h", years: 1 }), "complete");
  await app.app.lake.idle();
  manifest = (await app.get("/lake/_manifest.json")).body;
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

test("after a run the lake has the bars of its symbols, as /api/bars has them", async () => {
  expect(app.app.lake.failure).toBeNull();
  expect(await app.app.lake.pending()).toBe(0);
  for (const symbol of ["AAPL", "BRK.B"]) {
    const files = manifest.files.filter(({ path }) => path.startsWith("bars/") && path.includes(`/symbol=${symbol}/`));
    const stored = (await app.get(`/api/bars/${symbol}?interval=1h&adjust=none`)).body.data as { timestamp: string }[];
    expect(files.reduce((sum, { rows }) => sum + rows, 0)).toBe(stored.length);
    expect(files[0]!.min_timestamp).toBe(stored[0]!.timestamp.replace(".000Z", "Z"));
    expect(files.at(-1)!.max_timestamp).toBe(stored.at(-1)!.timestamp.replace(".000Z", "Z"));
  }
});

test("a reader of Parquet opens a file of the lake by its address and reads one column with ranges", async () => {
  const { path, rows, bytes } = manifest.files
    .filter(({ path }) => path.startsWith("bars/"))
    .toSorted((a, b) => b.rows - a.rows)[0]!;
  let read = 0;
  const counted = async (input: string | URL | Request, init?: RequestInit) => {
    const answer = await fetch(input, init);
    if (init?.method !== "HEAD") expect(answer.status).toBe(206);
    read += Number(init?.method === "HEAD" ? 0 : answer.headers.get("Content-Length"));
    return answer;
  };
  const file = await asyncBufferFromUrl({ url: `${app.url}/lake/${path}`, fetch: counted as typeof fetch });
  expect(file.byteLength).toBe(bytes);
  const compressors = { ZSTD: (input: Uint8Array) => Bun.zstdDecompressSync(input) };
  // A short end: readers ask for more of it than a file of a year of hours has.
  const { parquetMetadataAsync } = await import("hyparquet");
  const metadata = await parquetMetadataAsync(file, { initialFetchSize: 4_096 });
  const table = await parquetReadObjects({ file, metadata, columns: ["volume"], compressors });
  expect([table.length, Object.keys(table[0]!)]).toEqual([rows, ["volume"]]);
  expect(read).toBeWithin(4_096, bytes / 2);
});

test("polars opens a file of the lake by its address, with the values of the store", async () => {
  const { path } = manifest.files.find((file) => file.path.includes("/symbol=BRK.B/"))!;
  const rows = await polarsRows(`${app.url}/lake/${path}`, ["timestamp", "close"]);
  const year = /year=(\d+)/.exec(path)![1];
  const query = `interval=1h&adjust=none&from=${year}-01-01&to=${Number(year) + 1}-01-01`;
  const { data } = (await app.get(`/api/bars/BRK.B?${query}`)).body as { data: { timestamp: string; close: number }[] };
  expect(rows).toEqual(data.map(({ timestamp, close }) => [Date.parse(timestamp), close]));
});

test("the features of a series that asks for them are those of /api/features, to the precision of a float", async () => {
  const files = manifest.files.filter(({ path }) => path.startsWith("features/"));
  expect(files.every(({ path }) => path.includes("/interval=1h/symbol=BRK.B/"))).toBe(true);
  const { data } = (await app.get("/api/features/BRK.B?interval=1h&names=rsi_14,obv,sma_5")).body as {
    data: { timestamp: string; rsi_14: number | null; obv: number | null; sma_5: number | null }[];
  };
  const names = ["rsi_14", "obv", "sma_5"] as const;
  const rows: unknown[][] = [];
  for (const { path } of files) rows.push(...(await polarsRows(`${app.url}/lake/${path}`, ["timestamp", ...names])));
  const rounded = (value: number | null) => (value === null ? null : Math.fround(value));
  expect(rows).toEqual(data.map((row) => [Date.parse(row.timestamp), ...names.map((name) => rounded(row[name]))]));
});

test("a file of the lake never changes, and the manifest is asked for again each time", async () => {
  const { path, sha256 } = manifest.files[0]!;
  const part = await ask(`${app.url}/lake/${path}`, { method: "HEAD" });
  expect(part.headers.get("ETag")).toBe(`"${sha256.slice(0, 16)}"`);
  expect(part.headers.get("Cache-Control")).toContain("immutable");
  const list = await ask(`${app.url}/lake/_manifest.json`);
  expect(list.headers.get("Cache-Control")).toContain("no-cache");
  const again = { "If-None-Match": list.headers.get("ETag")! };
  expect((await ask(`${app.url}/lake/_manifest.json`, { headers: again })).status).toBe(304);
});

test("nothing but the manifest and its files is served, by no spelling of a path", async () => {
  writeFileSync(join(folder.path, "secret.parquet"), "secret");
  mkdirSync(join(folder.path, "lake", "bars", "own"));
  writeFileSync(join(folder.path, "lake", "bars", "own", "part-0123456789abcdef.parquet"), "secret");
  const part = manifest.files[0]!.path;
  for (const path of [
    "",
    "bars/",
    "../secret.parquet",
    "..%2fsecret.parquet",
    "%2e%2e/secret.parquet",
    "bars/own/part-0123456789abcdef.parquet",
    "bars/provider=../interval=../symbol=../year=../part-0123456789abcdef.parquet",
    "bars/provider=..%2f/interval=1h/symbol=A/year=2025/part-0123456789abcdef.parquet",
    part.replace("bars/", "bars//"),
    part.replace("bars/", "bars%00/"),
    `${part}/`,
    "barkeep.db",
  ]) {
    const { status, text } = await app.get(`/lake/${path}`);
    expect([path, status, text === "secret"]).toEqual([path, 404, false]);
  }
  expect((await app.get(`/lake/${part.replaceAll("=", "%3D")}`)).status).toBe(200);
});

test("a lake in a bucket is served as one in a folder: whole, in ranges, with its tag, and 503 while the bucket fails", async () => {
  await using s3 = await startS3();
  await using other = await startApp({ env: { BARKEEP_WORKERS: "1", ...s3.env } });
  await other.waitForRun(await other.start({ symbols: ["AAPL"], interval: "1h", years: 1 }), "complete");
  await other.app.lake.idle();
  const list = await fetch(`${other.url}/lake/_manifest.json`);
  const { files } = (await list.json()) as Manifest;
  const again = { "If-None-Match": list.headers.get("ETag")! };
  expect((await fetch(`${other.url}/lake/_manifest.json`, { headers: again })).status).toBe(304);
  const [file] = files;
  const url = `${other.url}/lake/${file!.path}`;
  const whole = await fetch(url);
  const bytes = await whole.bytes();
  expect(new Bun.CryptoHasher("sha256").update(bytes).digest("hex")).toBe(file!.sha256);
  expect([whole.headers.get("ETag"), whole.headers.get("Accept-Ranges")]).toEqual([
    `"${file!.sha256.slice(0, 16)}"`,
    "bytes",
  ]);
  const head = await fetch(url, { method: "HEAD" });
  expect([head.status, head.headers.get("Content-Length")]).toEqual([200, String(file!.bytes)]);
  const part = await fetch(url, { headers: { Range: "bytes=4-99" } });
  expect([part.status, part.headers.get("Content-Range")]).toEqual([206, `bytes 4-99/${file!.bytes}`]);
  expect(await part.bytes()).toEqual(bytes.slice(4, 100));
  expect((await fetch(url, { headers: { "If-None-Match": whole.headers.get("ETag")! } })).status).toBe(304);
  expect((await fetch(url, { headers: { Range: `bytes=${file!.bytes}-` } })).status).toBe(416);
  expect((await polarsRows(url, ["close"])).length).toBe(file!.rows);
  expect((await fetch(url.replace(/part-\w+/, "part-0123456789abcdef"))).status).toBe(404);
  s3.fail("slow");
  const busy = await fetch(url);
  expect([busy.status, busy.headers.get("Retry-After")]).toEqual([503, "10"]);
  s3.heal();
  // The file is there, and what is asked for in it fails.
  s3.fail("slow", /^GET/);
  expect((await fetch(url, { headers: { Range: "bytes=0-3" } })).status).toBe(503);
});
