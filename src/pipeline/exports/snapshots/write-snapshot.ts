/** Writes a snapshot: Parquet files, an index for comparisons, and the hash of the content. It appears as a whole or not. */

import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { CALENDAR, type Calendar } from "../../../domain/market/calendar.ts";
import { ACTION_KINDS } from "../../../domain/market/corporate-actions.ts";
import { CATALOG_VERSION } from "../../../features/version.ts";
import { chunks, type Database, yieldToEvents } from "../../../storage/db.ts";
import { listActions, listActionsAt } from "../../../storage/market/corporate-actions.ts";
import { readSeries } from "../../../storage/market/series.ts";
import { PENDING, type SnapshotFile } from "../../../storage/market/snapshots.ts";
import type { OpenEncoding } from "../encoding/encoding-thread.ts";
import { encodeAlone } from "../encoding/in-order.ts";
import type { ExportRequest } from "../export-table.ts";
import { encodeParquet } from "../parquet/encode-parquet.ts";
import { columnNames, readRows, type SymbolSource } from "../series/read-rows.ts";
import type { TableBlock } from "../table-block.ts";
import { calendarVersionOf, canonical, contentHash, SymbolHash } from "./content-hash.ts";
import { RowDigests } from "./row-digests.ts";

/** The most symbols of one file. */
const FILE_SYMBOLS = 250;
/** Columns of a bar: open, high, low, close, volume. */
const BAR_COLUMNS = 5;

/** What to write. Plain data: it is sent to a thread. */
export interface SnapshotRequest {
  readonly content: "snapshot";
  /** The folder that the snapshot becomes; `.part` is appended while it is written. */
  readonly folder: string;
  readonly table: ExportRequest;
}

export interface WrittenSnapshot {
  readonly sha256: string;
  readonly rows: number;
  readonly files: readonly SnapshotFile[];
  readonly symbols: readonly string[];
  readonly catalogVersion: string;
  readonly calendarVersion: string;
}

/** One symbol in the index: where the digests of its rows are. */
export interface IndexEntry {
  readonly symbol: string;
  readonly rows: number;
  readonly sha256: string;
  readonly start: number;
  readonly bytes: number;
}

const BEAT = new TextEncoder().encode("\n");

/** A line for each piece of work, the last with what was written, as JSON. */
export async function* writeSnapshot(
  db: Database,
  { folder, table }: SnapshotRequest,
  throwIfStopped: () => void = () => {},
  calendar: Calendar = CALENDAR,
  openEncoding: OpenEncoding = encodeAlone,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true, mode: 0o700 });
  try {
    const writer = new SnapshotWriter(db, part, table, throwIfStopped, calendar, openEncoding);
    for (const series of chunks(table.series, FILE_SYMBOLS)) {
      for await (const _ of writer.file(series)) yield BEAT.slice();
    }
    const written = writer.end();
    writeFile(join(part, PENDING), []);
    syncFolder(part);
    throwIfStopped();
    renameSync(part, folder);
    syncFolder(dirname(folder));
    yield new TextEncoder().encode(JSON.stringify(written));
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}

class SnapshotWriter {
  readonly #files: SnapshotFile[] = [];
  readonly #index: IndexEntry[] = [];
  #indexBytes = 0;
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;
  readonly #names: readonly string[];

  constructor(
    private readonly db: Database,
    private readonly folder: string,
    private readonly table: ExportRequest,
    private readonly throwIfStopped: () => void,
    private readonly calendar: Calendar,
    private readonly openEncoding: OpenEncoding,
  ) {
    this.#names = columnNames(table);
    writeFile(join(folder, "index.bin"), []);
  }

  /** Writes one file of some symbols, and yields now and then. */
  async *file(series: readonly SymbolSource[]): AsyncGenerator<void> {
    const name = `part-${String(this.#files.length + 1).padStart(4, "0")}.parquet`;
    const { dtype, metadata } = this.table;
    const symbols = series.map(({ symbol }) => symbol);
    const head = { names: this.#names, symbols, dtype, metadata: { ...metadata, "barkeep.symbol": symbols.join(",") } };
    const count = { rows: 0 };
    const hash = new Bun.CryptoHasher("sha256");
    let bytes = 0;
    const fd = openSync(join(this.folder, name), "wx", 0o600);
    try {
      const blocks = this.#blocks(series, count);
      for await (const piece of encodeParquet(head, blocks, this.throwIfStopped, this.openEncoding)) {
        hash.update(piece);
        for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at);
        bytes += piece.length;
        yield;
      }
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    this.#files.push({ name, rows: count.rows, bytes, sha256: hash.digest("hex") });
  }

  async *#blocks(series: readonly SymbolSource[], count: { rows: number }): AsyncGenerator<TableBlock> {
    const { db, calendar, throwIfStopped, table } = this;
    for (const [place, source] of series.entries()) {
      throwIfStopped();
      const digests = new RowDigests();
      let hash: SymbolHash | null = null;
      // Bars are part of the content, whether the files have them or not.
      for await (const block of readRows({ db, calendar, throwIfStopped }, source, { ...table, hasBars: true })) {
        const columns = block.columns.map((column) => canonical(column, table.dtype));
        hash ??= new SymbolHash(columns.length + 1);
        hash.add([block.ts, ...columns]);
        digests.add(block.ts, columns.slice(0, BAR_COLUMNS), columns.slice(BAR_COLUMNS));
        this.#first = Math.min(this.#first, block.ts[0] ?? this.#first);
        this.#last = Math.max(this.#last, block.ts.at(-1) ?? this.#last);
        count.rows += block.ts.length;
        const written = table.hasBars ? block.columns : block.columns.slice(BAR_COLUMNS);
        yield { ts: block.ts, columns: written, symbols: new Uint16Array(block.ts.length).fill(place) };
        await yieldToEvents();
      }
      if (hash !== null) await this.#endSymbol(source, hash, digests);
    }
  }

  async #endSymbol({ symbol, base }: SymbolSource, hash: SymbolHash, digests: RowDigests): Promise<void> {
    const { provider } = await readSeries(this.db, base.seriesId);
    const { knownAt, adjust } = this.table;
    const kinds = adjust === "none" ? [] : ACTION_KINDS;
    const actions =
      knownAt === undefined
        ? await listActions(this.db, provider, symbol, kinds)
        : await listActionsAt(this.db, provider, symbol, kinds, knownAt);
    const packed = digests.packed();
    appendFile(join(this.folder, "index.bin"), packed);
    const sha256 = hash.end(symbol, digests.rows, actions);
    this.#index.push({ symbol, rows: digests.rows, sha256, start: this.#indexBytes, bytes: packed.length });
    this.#indexBytes += packed.length;
  }

  end(): WrittenSnapshot {
    writeFile(join(this.folder, "index.json"), [new TextEncoder().encode(JSON.stringify(this.#index))]);
    appendFile(join(this.folder, "index.bin"), new Uint8Array(0));
    const { interval, adjust, dtype, series } = this.table;
    const venues = series.map(({ base }) => base.venue);
    const calendarVersion = calendarVersionOf(this.calendar, venues, this.#first, this.#last + 1);
    const catalogVersion = String(CATALOG_VERSION);
    const head = { interval, adjust, dtype, columns: this.#names, catalogVersion, calendarVersion };
    return {
      sha256: contentHash(
        head,
        this.#index.map((entry) => entry.sha256),
      ),
      rows: this.#index.reduce((sum, { rows }) => sum + rows, 0),
      files: this.#files,
      symbols: this.#index.map(({ symbol }) => symbol),
      catalogVersion,
      calendarVersion,
    };
  }
}

function writeAll(path: string, flags: string, pieces: readonly Uint8Array[]): void {
  const fd = openSync(path, flags, 0o600);
  try {
    for (const piece of pieces) for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

const writeFile = (path: string, pieces: readonly Uint8Array[]) => writeAll(path, "wx", pieces);
const appendFile = (path: string, piece: Uint8Array) => writeAll(path, "a", [piece]);

/** Makes the names in a folder durable; not every system can. */
function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
