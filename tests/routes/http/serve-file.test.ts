import { afterAll, beforeAll, expect, test } from "bun:test";
import { link, rename, utimes } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { Hono } from "hono";
import { compressed } from "../../../src/routes/compression.ts";
import { bytesAsFile, type FileSource, fileOnDisk, serveFile } from "../../../src/routes/http/serve-file.ts";
import { withoutBodyForHead } from "../../../src/routes/http/stream-body.ts";
import { temporaryFolder } from "../../helpers/folder.ts";

/** Text that a compressing server would compress, longer than it leaves alone. */
const BYTES = Uint8Array.from({ length: 5_000 }, (_, i) => 97 + (i % 23));
const MODIFIED = Date.UTC(2026, 0, 5, 10, 0, 0, 500);

const folder = temporaryFolder();
const path = join(folder.path, "part.json");
let server: Bun.Server<undefined>;
beforeAll(async () => {
  await Bun.write(path, BYTES);
  await utimes(path, MODIFIED / 1_000, MODIFIED / 1_000);
  const options = { type: "application/json", name: "part.json", isImmutable: false };
  const streamed: FileSource = {
    ...bytesAsFile(BYTES, MODIFIED),
    read: (start, end) => new Blob([BYTES.slice(start, end)]).stream().pipeThrough(new TransformStream()),
  };
  // With the middleware that could change what is sent.
  const app = new Hono().use(withoutBodyForHead).use(compressed);
  app.get("/disk", async (c) => serveFile(c, (await fileOnDisk(path))!, options));
  app.get("/named", async (c) => serveFile(c, (await fileOnDisk(path, "hash"))!, { ...options, isImmutable: true }));
  app.get("/memory", (c) => serveFile(c, bytesAsFile(BYTES, MODIFIED), options));
  app.get("/stream", (c) => serveFile(c, streamed, options));
  app.get("/new", (c) => serveFile(c, bytesAsFile(BYTES, Date.now()), options));
  app.get("/empty", (c) => serveFile(c, bytesAsFile(new Uint8Array(), MODIFIED), options));
  server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: app.fetch });
});
afterAll(async () => {
  await server.stop(true);
  folder[Symbol.dispose]();
});

async function ask(address: string, headers: Record<string, string> = {}, method = "GET") {
  const sent = { "Accept-Encoding": "gzip, br", ...headers };
  const answer = await fetch(new URL(address, server.url), { method, headers: sent });
  return { status: answer.status, headers: answer.headers, bytes: new Uint8Array(await answer.arrayBuffer()) };
}

const KINDS = ["/disk", "/memory", "/stream"];

test("a file is sent whole with its validators and its length, and HEAD tells the same without it", async () => {
  for (const address of KINDS) {
    const get = await ask(address);
    expect([address, get.status, get.bytes]).toEqual([address, 200, BYTES]);
    expect(get.headers.get("Accept-Ranges")).toBe("bytes");
    expect(get.headers.get("Last-Modified")).toBe("Mon, 05 Jan 2026 10:00:00 GMT");
    expect(get.headers.get("Cache-Control")).toBe("private, no-cache, no-transform");
    expect(get.headers.get("ETag")).toMatch(/^"[\w-]+"$/);
    expect(get.headers.get("Content-Encoding")).toBeNull();
    const head = await ask(address, {}, "HEAD");
    expect([head.status, head.headers.get("Content-Length"), head.bytes.length]).toEqual([200, "5000", 0]);
    for (const name of ["ETag", "Last-Modified", "Accept-Ranges", "Content-Type", "Content-Disposition"]) {
      expect(head.headers.get(name)).toBe(get.headers.get(name)!);
    }
    // The server tells the length of a stream only if it has all of it at once.
    expect(get.headers.get("Content-Length") ?? "5000").toBe("5000");
    if (address !== "/stream") expect(get.headers.has("Content-Length")).toBe(true);
  }
  expect((await ask("/named")).headers.get("Cache-Control")).toContain("immutable");
  expect((await ask("/named")).headers.get("ETag")).toBe('"hash"');
});

test("a single range is answered with 206 and its place, once in each header", async () => {
  for (const address of KINDS) {
    const { status, headers, bytes } = await ask(address, { Range: "bytes=10-19" });
    expect([address, status, bytes]).toEqual([address, 206, BYTES.slice(10, 20)]);
    expect(headers.get("Content-Range")).toBe("bytes 10-19/5000");
    expect(headers.get("Accept-Ranges")).toBe("bytes");
    expect(headers.get("Content-Length") ?? "10").toBe("10");
    if (address !== "/stream") expect(headers.has("Content-Length")).toBe(true);
  }
  const head = await ask("/disk", { Range: "bytes=10-19" }, "HEAD");
  expect([head.status, head.headers.get("Content-Length")]).toEqual([200, "5000"]);
});

test("any ranges of a file, put together, are the file", async () => {
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: BYTES.length - 1 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(cuts, fc.constantFrom(...KINDS), async (places, address) => {
      const starts = [0, ...places.toSorted((a, b) => a - b)];
      const ends = starts.map((_, i) => (i + 1 < starts.length ? starts[i + 1]! - 1 : ""));
      const ranges = starts.map((start, i) => `bytes=${start}-${ends[i]}`);
      const parts = await Promise.all(ranges.map((Range) => ask(address, { Range })));
      expect(Buffer.concat(parts.map(({ bytes }) => bytes)).equals(BYTES)).toBe(true);
    }),
    { numRuns: 25 },
  );
});

test("a range outside of the file is refused with 416 and the file's length", async () => {
  for (const address of KINDS) {
    const { status, headers } = await ask(address, { Range: "bytes=5000-" });
    expect([status, headers.get("Content-Range")]).toEqual([416, "bytes */5000"]);
    expect(headers.get("Content-Type")).toBe("application/problem+json");
  }
});

test("several ranges, and ranges that are none, are answered with the whole file", async () => {
  for (const address of KINDS) {
    for (const Range of ["bytes=0-1,10-19", "bytes=9-1", "pages=1"]) {
      const { status, headers, bytes } = await ask(address, { Range });
      expect([Range, status, bytes.length]).toEqual([Range, 200, 5_000]);
      expect(headers.get("Content-Range")).toBeNull();
    }
  }
  const empty = await ask("/empty", { Range: "bytes=0-" });
  expect([empty.status, empty.bytes.length]).toEqual([200, 0]);
});

test("a reader that has the file gets 304, by its tag first and otherwise by its time", async () => {
  const etag = (await ask("/disk")).headers.get("ETag")!;
  const LATER = "Mon, 05 Jan 2026 11:00:00 GMT";
  const EARLIER = "Mon, 05 Jan 2026 09:59:59 GMT";
  const cases: [Record<string, string>, number][] = [
    [{ "If-None-Match": etag }, 304],
    [{ "If-None-Match": `"x", W/${etag}` }, 304],
    [{ "If-None-Match": "*" }, 304],
    [{ "If-None-Match": '"x"' }, 200],
    [{ "If-None-Match": '"x"', "If-Modified-Since": LATER }, 200],
    [{ "If-Modified-Since": "Mon, 05 Jan 2026 10:00:00 GMT" }, 304],
    [{ "If-Modified-Since": LATER }, 304],
    [{ "If-Modified-Since": EARLIER }, 200],
    [{ "If-Modified-Since": "yesterday" }, 200],
    [{ "If-Match": etag }, 200],
    [{ "If-Match": '"x"' }, 412],
    [{ "If-Match": `W/${etag}` }, 412],
    [{ "If-Unmodified-Since": EARLIER }, 412],
    [{ "If-Unmodified-Since": LATER }, 200],
  ];
  for (const [headers, expected] of cases) {
    for (const method of ["GET", "HEAD"]) {
      const answer = await ask("/disk", headers, method);
      expect([headers, method, answer.status]).toEqual([headers, method, expected]);
      if (expected === 304) expect([answer.headers.get("ETag"), answer.bytes.length]).toEqual([etag, 0]);
    }
  }
});

test("If-Range gives the range of the same file, and all of another one", async () => {
  const etag = (await ask("/disk")).headers.get("ETag")!;
  const cases: [string, number][] = [
    [etag, 206],
    [`W/${etag}`, 200],
    ['"x"', 200],
    ["Mon, 05 Jan 2026 10:00:00 GMT", 206],
    ["Mon, 05 Jan 2026 11:00:00 GMT", 200],
    ["nonsense", 200],
  ];
  for (const [condition, expected] of cases) {
    const { status, bytes } = await ask("/disk", { Range: "bytes=0-9", "If-Range": condition });
    expect([condition, status, bytes.length]).toEqual([condition, expected, expected === 206 ? 10 : 5_000]);
  }
  // A date proves nothing of a file that was written in the same second.
  const date = (await ask("/new")).headers.get("Last-Modified")!;
  expect((await ask("/new", { Range: "bytes=0-9", "If-Range": date })).status).toBe(200);
});

test("a replaced file has another tag, also with the same length and time", async () => {
  const place = join(folder.path, "replaced");
  const tags = new Set<string>();
  for (let i = 0; i < 3; i++) {
    const next = join(folder.path, `next-${i}`);
    await Bun.write(next, BYTES);
    await utimes(next, MODIFIED / 1_000, MODIFIED / 1_000);
    await link(next, `${next}-kept`);
    await rename(next, place);
    tags.add((await fileOnDisk(place))!.tag);
  }
  expect(tags.size).toBe(3);
  expect(await fileOnDisk(join(folder.path, "nothing"))).toBeNull();
  expect(await fileOnDisk(folder.path)).toBeNull();
});
