import { expect, test } from "bun:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { Hono } from "hono";
import { acceptedCodings, compressed } from "../../src/routes/compression.ts";

const LONG = "<p>A row of many</p>".repeat(500);
const app = new Hono()
  .use(compressed)
  .get("/page", (c) => c.html(LONG, 422))
  .get("/short", (c) => c.html("<p>Short</p>"))
  .get("/file", (c) => c.body(LONG, 200, { "Content-Type": "text/csv" }));

async function ask(path: string, encodings: string) {
  const answer = await app.request(path, { headers: { "Accept-Encoding": encodings } });
  return {
    status: answer.status,
    encoding: answer.headers.get("Content-Encoding"),
    vary: answer.headers.get("Vary"),
    bytes: new Uint8Array(await answer.arrayBuffer()),
  };
}

test("pages are compressed with Brotli where the browser takes it, and with gzip elsewhere", async () => {
  const page = await ask("/page", "gzip, deflate, br, zstd");
  expect([page.status, page.encoding, page.vary]).toEqual([422, "br", "Accept-Encoding"]);
  expect(brotliDecompressSync(page.bytes).toString()).toBe(LONG);
  const older = await ask("/page", "gzip");
  expect(older.encoding).toBe("gzip");
  expect(gunzipSync(older.bytes).toString()).toBe(LONG);
  expect((await ask("/page", "identity")).encoding).toBeNull();
});

test("short answers stay uncompressed, and downloads are streamed", async () => {
  const short = await ask("/short", "br");
  expect([short.encoding, new TextDecoder().decode(short.bytes)]).toEqual([null, "<p>Short</p>"]);
  expect((await ask("/file", "gzip, br")).encoding).toBe("gzip");
});

test("a coding with the weight 0 is not used, and of the others the one that is wanted more", async () => {
  expect(acceptedCodings("gzip;q=0, br;q=0, *;q=0")).toEqual([]);
  expect(acceptedCodings("br;q=0, *")).toEqual(["gzip"]);
  expect(acceptedCodings("gzip, BR ; Q=0.5")).toEqual(["gzip", "br"]);
  expect(acceptedCodings("*")).toEqual(["br", "gzip"]);
  expect(acceptedCodings("gzip;q=NaN, br;q=-1")).toEqual([]);
  expect(acceptedCodings(undefined)).toEqual([]);
  expect((await ask("/page", "br;q=0, gzip")).encoding).toBe("gzip");
  expect((await ask("/page", "br;q=0, gzip;q=0")).encoding).toBeNull();
});
