import { expect, test } from "bun:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { Hono } from "hono";
import { compressed } from "../../src/routes/compression.ts";

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
