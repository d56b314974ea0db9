/** What a visit of the monitor costs in bytes, up to the first frame of its stream. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { brotliDecompressSync, constants, gunzipSync } from "node:zlib";
import { coverageOf } from "../../../src/domain/runs/coverage.ts";
import { loadAssets } from "../../../src/routes/assets.ts";
import { Message } from "../../../src/routes/live/message.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";

const SYMBOLS = Array.from({ length: 500 }, (_, at) => `S${at + 1}`);
/** As many jobs as a provider can have at work. */
const AT_WORK = 64;
const BATCHES = 365;

let app: TestApp;
let runId: string;

/** What the jobs at work have to show, `later` batches after the first look. */
function report(later: number): void {
  const { hub, log } = app.app;
  for (const [at, symbol] of SYMBOLS.slice(0, AT_WORK).entries()) {
    const done = at + later;
    const { seq: _, ...job } = hub.job(runId, symbol)!;
    const progress = Math.floor((45 * done) / BATCHES);
    const batches = Array.from({ length: BATCHES }, (_, n) => (n < done ? "fetched" : "pending"));
    hub.report({
      ...job,
      state: "running",
      status: "Fetching history",
      progress,
      microStage: `Batch ${done + 1}/${BATCHES}: ${Math.floor((100 * done) / BATCHES)}%`,
      dataPoints: 21 * done + (at % 3),
      apiCalls: done,
      duration: 0.1 * done,
      since: 1_795_964_083_000 + 137 * at,
      coverage: coverageOf(batches),
    });
    log.write("info", `${symbol}: Fetching history - Batch ${done + 1}/${BATCHES}: 0% (${progress}%)`);
  }
}

beforeAll(async () => {
  // No job ends by itself.
  app = await startApp({ env: { DEMO_LATENCY_MS: "60000", BARKEEP_LOG_LEVEL: "info" } });
  runId = await app.start({ symbols: SYMBOLS, years: 30 });
  report(1);
});
afterAll(() => app[Symbol.asyncDispose]());

/** A response as it is sent: its bytes, and its headers as HTTP/1.1 writes them. */
async function load(path: string, url = app.url) {
  const headers = { "Accept-Encoding": "gzip, br", Accept: "text/html" };
  const response = await fetch(url + path, { headers, decompress: false });
  expect(response.status).toBe(200);
  const head = [...response.headers].reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
  return { response, head };
}

/** The bytes of a page, of everything that a browser with scripts loads with it, and of its stream to the first frame. */
async function visit(onPage: () => void) {
  const { response, head } = await load("/");
  const packed = new Uint8Array(await response.arrayBuffer());
  const page = brotliDecompressSync(packed).toString();
  let assets = 0;
  const named = page.replace(/<noscript>.*?<\/noscript>/s, "").matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g);
  for (const [, address] of named) {
    const asset = await load(address!.replaceAll("&amp;", "&"));
    assets += asset.head + (await asset.response.arrayBuffer()).byteLength;
  }
  onPage();
  const stream = await load(/hx-sse:connect="([^"]+)"/.exec(page)![1]!.replaceAll("&amp;", "&"));
  const text = await firstFrame(stream.response.body as ReadableStream<Uint8Array>);
  const frame = stream.head + new Message(text).deflated.byteLength;
  return { page: head + packed.byteLength, assets, frame, markup: page, text };
}

/** What a compressed stream has said up to the end of its first frame; more may have come with it. */
async function firstFrame(body: ReadableStream<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) {
    pieces.push(piece);
    const text = gunzipSync(Buffer.concat(pieces), { finishFlush: constants.Z_SYNC_FLUSH }).toString();
    const frame = /^.*?<hx-partial.*?\n\n/s.exec(text);
    if (frame !== null) return frame[0];
  }
  throw new Error("the stream has ended");
}

test("a visit of the monitor with 500 rows and 64 of them changed at once keeps within its limits of bytes", async () => {
  await (await loadAssets()).compress();
  const { page, assets, frame, markup, text } = await visit(() => report(2));
  expect(markup.match(/<tr data-state="/g)).toHaveLength(SYMBOLS.length);
  expect(text.match(/<hx-partial id="job-/g)).toHaveLength(AT_WORK);
  expect(page + assets + frame).toBeLessThan(60_000);
  expect(page).toBeLessThan(9_200);
  expect(frame).toBeLessThan(4_500);
});

/** Symbols as different from each other as those of a market: one to four letters without a pattern. */
function tickers(): string[] {
  const found = new Set<string>();
  for (let seed = 1; found.size < SYMBOLS.length; seed = (seed * 48_271) % 2_147_483_647) {
    const letters = Array.from({ length: 1 + (seed % 4) }, (_, at) => 65 + (Math.floor(seed / 7 ** (at + 1)) % 26));
    found.add(String.fromCharCode(...letters));
  }
  return [...found];
}

test.each([
  ["numbered", SYMBOLS, 8_900],
  ["those of a market", tickers(), 10_800],
] as const)(
  "a monitor of 500 paused rows with symbols that are %s is there and live within its limit of bytes",
  async (_, symbols, limit) => {
    await using quiet = await startApp({ env: { DEMO_LATENCY_MS: "60000", BARKEEP_LOG_LEVEL: "info" } });
    const { hub, runs } = quiet.app;
    const id = await quiet.start({ symbols, years: 30 });
    await runs.actOnRun(id, "pause");
    await quiet.waitForRun(id, "paused");
    // Lines are sent some time after they were written: the page is to have all of them.
    let page = await load("/", quiet.url);
    let packed = new Uint8Array(await page.response.arrayBuffer());
    const addressOf = () => /hx-sse:connect="([^"]+)"/.exec(brotliDecompressSync(packed).toString())![1]!;
    while (!addressOf().includes(`-${hub.seq}-${hub.lastLine}-`)) {
      page = await load("/", quiet.url);
      packed = new Uint8Array(await page.response.arrayBuffer());
    }
    const { head } = page;
    const address = addressOf();
    const stream = await load(address.replaceAll("&amp;", "&"), quiet.url);
    const { seq: __, ...job } = hub.job(id, symbols[7]!)!;
    hub.report({ ...job, apiCalls: 77 });
    // Before that change the stream has sent its heartbeats and nothing of the page.
    const text = await firstFrame(stream.response.body as ReadableStream<Uint8Array>);
    expect(text.match(/<hx-partial id="[^"]+"/g)).toEqual([`<hx-partial id="job-${id}-${symbols[7]}"`]);
    const [heartbeat] = /^event: heartbeat\n.*?\n\n/s.exec(text)!;
    expect(head + packed.byteLength).toBeLessThan(10_000);
    const bytes = head + packed.byteLength + stream.head + new Message(heartbeat).deflated.byteLength;
    expect(bytes).toBeLessThan(limit);
  },
);
