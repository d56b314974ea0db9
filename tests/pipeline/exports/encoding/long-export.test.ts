/** Long exports through the threads of a server, beside the same work in one. */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { FEATURES } from "../../../../src/features/catalog.ts";
import { EncodingThread, type OpenEncoding } from "../../../../src/pipeline/exports/encoding/encoding-thread.ts";
import type { Part } from "../../../../src/pipeline/exports/encoding/part.ts";
import { type ExportRequest, exportTable } from "../../../../src/pipeline/exports/export-table.ts";
import { Exporter } from "../../../../src/pipeline/exports/exporter.ts";
import {
  type SnapshotRequest,
  type WrittenSnapshot,
  writeSnapshot,
} from "../../../../src/pipeline/exports/snapshots/write-snapshot.ts";
import { WriteLock } from "../../../../src/storage/connection/file/write-lock.ts";
import { openDatabase } from "../../../../src/storage/db.ts";
import { insertBars, seriesId } from "../../../../src/storage/market/bars.ts";
import { makeHistory } from "../../../features/histories.ts";
import { testConfig } from "../../../helpers/app.ts";
import { migratedDatabase, temporaryFolder } from "../../../helpers/folder.ts";
import { bytesOf } from "../../../helpers/tables.ts";

/** With 200 features, 800,000 values: three times what is encoded before another thread takes part. */
const BARS = 4_000;

async function setUp() {
  const folder = temporaryFolder();
  const { dbUrl, dbToken } = testConfig(await migratedDatabase(folder));
  const db = await openDatabase(dbUrl, dbToken);
  const key = {
    symbol: "X",
    provider: "demo",
    feed: "x",
    interval: "1m",
    adjustment: "none",
    sessions: "regular",
  } as const;
  const series = await seriesId(db, key);
  const shape = { seed: 5, length: BARS, gaps: 0.05, flat: 0.05, quiet: 0.05, tick: 0.0001, price: 100 };
  await db.write(insertBars(series, makeHistory(shape, { interval: "1m", market: "us_equity" })));
  const writeLock = new WriteLock().shared;
  const settings = {
    dbUrl,
    dbToken,
    dbFile: null,
    lease: "",
    writeLock,
    providerValues: {},
    secrets: [],
    sessions: {},
  };
  const request = (format: ExportRequest["format"]): ExportRequest => ({
    content: "table",
    series: [{ symbol: "X", base: { seriesId: series, source: "1m", venue: "us_equity" }, longer: {} }],
    hasSymbol: false,
    hasBars: true,
    features: FEATURES.map(({ name }) => name),
    labels: [],
    interval: "1m",
    from: Number.MIN_SAFE_INTEGER,
    to: Number.MAX_SAFE_INTEGER,
    format,
    dtype: "float64",
    sort: "symbol",
    adjust: "splits",
    coding: null,
    head: { symbol: "X" },
    metadata: {},
  });
  const exporter = new Exporter(settings);
  return {
    db,
    exporter,
    request,
    async [Symbol.asyncDispose]() {
      await exporter.close();
      db.close();
      folder[Symbol.dispose]();
    },
  };
}

test("long exports at the same time have the bytes of one thread", async () => {
  await using each = await setUp();
  const formats = ["csv", "json", "ndjson", "parquet"] as const;
  const through = await Promise.all(
    formats.map(async (format) => new Response(await each.exporter.body(each.request(format))).arrayBuffer()),
  );
  for (const [k, format] of formats.entries()) {
    const alone = await bytesOf(exportTable(each.db, each.request(format)));
    expect([format, Buffer.compare(Buffer.from(through[k]!), Buffer.from(alone))]).toEqual([format, 0]);
  }
});

test("a long snapshot is encoded by both threads, with the files and the hash of one", async () => {
  await using each = await setUp();
  using folder = temporaryFolder();
  const write = (name: string): SnapshotRequest => {
    const table = { ...each.request("parquet"), hasSymbol: true };
    return { content: "snapshot", folder: join(folder.path, name), table };
  };
  const written = (text: string) => JSON.parse(text.trim().split("\n").at(-1)!) as WrittenSnapshot;
  const alone = written(new TextDecoder().decode(await bytesOf(writeSnapshot(each.db, write("alone")))));
  const opened: string[] = [];
  const thread = new EncodingThread({ processors: 2, mostAlone: 0 });
  const counting: OpenEncoding = (format) => {
    const table = thread.open(format, new Int32Array(new SharedArrayBuffer(4)))!;
    const send = (part: Part) => {
      opened.push(format.kind);
      return table.send(part);
    };
    return { ...table, send };
  };
  const both = await bytesOf(writeSnapshot(each.db, write("both"), undefined, undefined, counting));
  await thread.close();
  expect(written(new TextDecoder().decode(both))).toEqual(alone);
  expect(new Set(opened)).toEqual(new Set(["pages"]));
  expect(written(await new Response(await each.exporter.body(write("server"))).text())).toEqual(alone);
});

test("a long export whose reader leaves frees its place, and closing ends both threads while others are at work", async () => {
  await using each = await setUp();
  const { exporter } = each;
  const bodies = await Promise.all((["json", "csv"] as const).map((format) => exporter.body(each.request(format))));
  const readers = bodies.map((body) => (body as ReadableStream<Uint8Array>).getReader());
  for (let round = 0; round < 4; round++) await Promise.all(readers.map((reader) => reader.read()));
  await readers[0]!.cancel();
  expect(exporter.tables.counts).toEqual({ atWork: 1, waiting: 0 });
  const whole = await new Response(await exporter.body(each.request("csv"))).text();
  expect(whole.split("\n")).toHaveLength(BARS + 2);
  await readers[1]!.read();
  await exporter.close();
  expect(exporter.isRunning).toBe(false);
});
