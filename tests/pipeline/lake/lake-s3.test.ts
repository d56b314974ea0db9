import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { parquetReadObjects } from "hyparquet";
import { lakeName } from "../../../src/config/places.ts";
import { checkLake } from "../../../src/pipeline/lake/check-lake.ts";
import { LakeS3, type S3Options } from "../../../src/pipeline/lake/lake-s3.ts";
import { type SyncOptions, syncLake } from "../../../src/pipeline/lake/sync-lake.ts";
import type { Database } from "../../../src/storage/db.ts";
import { insertBars, seriesId } from "../../../src/storage/market/bars.ts";
import { countChanges } from "../../../src/storage/market/lake-changes.ts";
import { startS3 } from "../../fakes/s3.ts";
import { DAILY, dailyBars, type LakeStore, lakeStore } from "./lake-store.ts";

setDefaultTimeout(60_000);

let s3: Awaited<ReturnType<typeof startS3>>;
let store: LakeStore;
let db: Database;
let series: number;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3[Symbol.asyncDispose]());
beforeEach(async () => {
  store = await lakeStore();
  ({ db } = store);
  series = await seriesId(db, DAILY);
  await db.write(insertBars(series, dailyBars("2024-12-30", 5)));
});
afterEach(() => {
  s3.heal();
  store[Symbol.dispose]();
});

const AT_ONCE = { waits: [0, 0] };
const lakeOf = (options: S3Options = AT_ONCE) => new LakeS3(s3.place, options);
const sync = (options: Partial<SyncOptions> = {}, lake = lakeOf()) =>
  syncLake(db, lake, lakeName(s3.place), { all: false, sweep: false, onStep() {}, ...options });
const check = () => checkLake(db, lakeOf(), () => {});
/** What is asked of the server meanwhile, without the name of the lake. */
async function requestsOf(work: () => Promise<unknown>): Promise<string[]> {
  s3.requests.length = 0;
  await work();
  return s3.requests.map((line) => line.replace("/prices/my/lake/", "").replace(/part-.*/, "part"));
}

test("a lake in a bucket has the bars of the store, the files first and the manifest last", async () => {
  const asked = await requestsOf(sync);
  const at = "bars/provider=demo/interval=1d/symbol=AAPL";
  expect(asked.filter((line) => line.startsWith("PUT"))).toEqual([
    `PUT ${at}/year=2024/part`,
    `PUT ${at}/year=2025/part`,
    "PUT _manifest.json",
  ]);
  expect(await check()).toEqual({ files: 2, rows: 5, pending: 0, count: 0, differences: [] });
  const { files } = (await lakeOf().manifest())!;
  expect(s3.parts()).toEqual(files.map(({ path }) => path));
  const opened = (await lakeOf().open(files[1]!.path))!;
  const bytes = (await opened.read(0, opened.size)) as Uint8Array<ArrayBuffer>;
  const rows = await parquetReadObjects({
    file: bytes.buffer,
    compressors: { ZSTD: (input) => Bun.zstdDecompressSync(input) },
  });
  expect(rows.map(({ timestamp, close }) => [timestamp, close])).toEqual([
    [new Date("2025-01-01T00:00:00Z"), 10],
    [new Date("2025-01-02T00:00:00Z"), 10],
    [new Date("2025-01-03T00:00:00Z"), 10],
  ]);
});

test("a file above the size of one request is uploaded in parts and read in pieces, with the same bytes", async () => {
  const bytes = new Uint8Array(20 * 2 ** 20 + 7).map((_, at) => (at * 31) >> 3);
  const place = "bars/provider=a%20b/interval=1m/symbol=BRK.B/year=2025/part-0123456789abcdef.parquet";
  const lake = lakeOf();
  const staged = await lake.stage([bytes.subarray(0, 10), bytes.subarray(10)]);
  const asked = await requestsOf(() => staged.publish(place));
  expect(asked.length).toBe(5);
  const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  expect(await lake.digest(place)).toEqual({ bytes: bytes.length, sha256 });
  const [start, end] = [8 * 2 ** 20 - 5, 17 * 2 ** 20];
  const part = await (await lake.open(place))!.read(start, end);
  expect(part).toBeInstanceOf(ReadableStream);
  expect(Bun.hash(await new Response(part).bytes())).toBe(Bun.hash(bytes.subarray(start, end)));
  await lake.remove(place);
  expect([await lake.open(place), await lake.digest(place)]).toEqual([null, null]);
});

test("a sync that ends between the files and the manifest leaves the earlier lake; the next completes it and sweeps", async () => {
  await sync();
  const before = await lakeOf().manifest();
  const present = s3.parts();
  await db.write(insertBars(series, dailyBars("2025-01-04", 1)));
  s3.fail("deny", /^PUT .*_manifest/);
  await expect(sync()).rejects.toThrow("AccessDenied");
  expect(await lakeOf().manifest()).toEqual(before);
  expect([s3.parts().length, await countChanges(db)]).toEqual([present.length + 1, 1]);
  s3.heal();
  // Other bars meanwhile: the file that was written has no name in any manifest.
  await db.write(insertBars(series, dailyBars("2025-01-05", 1)));
  expect((await sync({ sweep: true })).removed).toBe(1);
  expect((await check()).count).toBe(0);
  const { files, replaced } = (await lakeOf().manifest())!;
  expect(s3.parts()).toEqual([...files, ...replaced].map(({ path }) => path).toSorted());
});

test("a manifest that cannot be read just now is no reason to write the lake again", async () => {
  await sync();
  s3.fail("slow", /^GET .*_manifest/);
  const asked = await requestsOf(async () => expect(sync()).rejects.toThrow("SlowDown"));
  expect(asked).toEqual(Array.from({ length: 3 }, () => "GET _manifest.json"));
  s3.heal();
  expect((await sync()).written).toBe(0);
});

test("a server that is busy or cuts connections is asked again, and one that refuses is not", async () => {
  for (const how of ["slow", "cut"] as const) {
    s3.fail(how, /^PUT .*year=2025/, 2);
    expect((await sync({ all: true })).written).toBe(2);
    expect((await check()).count).toBe(0);
  }
  s3.fail("deny", /^PUT .*year=2025/);
  const asked = await requestsOf(async () => expect(sync({ all: true })).rejects.toThrow("AccessDenied"));
  expect(asked.filter((line) => line.includes("year=2025")).length).toBe(1);
});

test("what goes wrong is said with the setting to look at and without the key", async () => {
  const { place } = s3;
  const reasonOf = (changed: Partial<typeof place>) =>
    new LakeS3({ ...place, ...changed }, { waits: [] }).manifest().then(String, (error: Error) => error.message);
  const at = `s3://prices/my/lake at ${place.endpoint}: `;
  expect(await reasonOf({ secretAccessKey: "wrong" })).toBe(
    `${at}SignatureDoesNotMatch: The signature does not match (look at S3_SECRET_ACCESS_KEY)`,
  );
  expect(await reasonOf({ bucket: "other" })).toContain(
    "NoSuchBucket: The specified bucket does not exist (look at BARKEEP_LAKE)",
  );
  expect(await reasonOf({ endpoint: "http://127.0.0.1:1" })).toMatch(/ConnectionRefused: .* \(look at S3_ENDPOINT\)$/);
  s3.fail("deny");
  expect(await reasonOf({})).toBe(
    `${at}AccessDenied: Access denied to *** (look at S3_ACCESS_KEY_ID and what its key may do)`,
  );
});

test("a server that does not answer is given up after the deadline, and at once when the sync is stopped", async () => {
  s3.fail("hang", /^GET .*_manifest/);
  await expect(lakeOf({ waits: [], deadline: 50 }).manifest()).rejects.toThrow("no answer within 0.05 s");
  const stop = new AbortController();
  const reading = lakeOf({ signal: stop.signal }).manifest();
  stop.abort();
  await expect(reading).rejects.toThrow("it was stopped");
});

test("a lake of more objects than one list has is swept to the last", async () => {
  const lake = lakeOf();
  const list = s3.requests.filter((line) => line.includes("list-type")).length;
  for (let n = 0; n < 3; n++) {
    const staged = await lake.stage([new Uint8Array([n])]);
    await staged.publish(`actions/provider=p${n}/part-0123456789abcdef.parquet`);
  }
  s3.pageSize = 1;
  await lake.sweep((place) => place.startsWith("bars/"));
  s3.pageSize = null;
  expect(s3.requests.filter((line) => line.includes("list-type")).length).toBeGreaterThanOrEqual(list + 4);
  expect(s3.parts().filter((place) => place.startsWith("actions/"))).toEqual([]);
});
