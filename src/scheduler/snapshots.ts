/** Snapshots: tables that are written to files for good, beside the database, and can be cited, compared and deleted. */

import { existsSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Refusal } from "../domain/errors.ts";
import type { Log } from "../log.ts";
import type { ExportRequest } from "../pipeline/exports/export-table.ts";
import type { Exporter } from "../pipeline/exports/exporter.ts";
import type { RowsDiff } from "../pipeline/exports/snapshots/diff-snapshots.ts";
import type { WrittenSnapshot } from "../pipeline/exports/snapshots/write-snapshot.ts";
import { auditStatement } from "../storage/access/audit.ts";
import { type Database, pathOf } from "../storage/db.ts";
import {
  findSnapshot,
  insertSnapshot,
  keptSnapshots,
  listSnapshots,
  markDeleted,
  PENDING,
  type SnapshotRow,
} from "../storage/market/snapshots.ts";

export interface SnapshotDiff extends RowsDiff {
  readonly a: string;
  readonly b: string;
  /** Whether the content is the same. */
  readonly same: boolean;
  readonly catalog_versions: readonly [string, string];
  readonly calendar_versions: readonly [string, string];
  readonly columns_added: readonly string[];
  readonly columns_removed: readonly string[];
  readonly bars_added: number;
  readonly bars_changed: number;
  readonly bars_removed: number;
}

interface Dependencies {
  readonly db: Database;
  readonly dbUrl: string;
  readonly exporter: Exporter;
  readonly version: string;
}

/** What is kept beside the rows: the request as it was sent. */
export interface SnapshotOrder {
  readonly name: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly columns: readonly string[];
  readonly missing: readonly string[];
  readonly table: ExportRequest;
}

/** Beside the database, under its name; of one on a server, in `data`. */
function snapshotFolder(db: Database, dbUrl: string): string {
  const remote = () => `data/${new Bun.CryptoHasher("sha256").update(dbUrl).digest("hex").slice(0, 12)}`;
  return resolve(`${db.local ? pathOf(dbUrl) : remote()}.snapshots`);
}

/** Where the files of snapshots lie, and the ids of those whose files are not there. */
export async function lostSnapshots(
  db: Database,
  dbUrl: string,
): Promise<{ readonly folder: string; readonly kept: number; readonly lost: readonly string[] }> {
  const folder = snapshotFolder(db, dbUrl);
  const kept = await keptSnapshots(db);
  return { folder, kept: kept.size, lost: [...kept].filter((id) => !existsSync(join(folder, id, "index.json"))) };
}

export class Snapshots {
  /** Beside the database, under its name: two databases of one folder share nothing. */
  readonly folder: string;
  /** Those that are being written: their folders are no orphans. */
  readonly #underway = new Set<string>();

  constructor(private readonly dependencies: Dependencies) {
    this.folder = snapshotFolder(dependencies.db, dependencies.dbUrl);
  }

  /**
   * Deletes what an interrupted write or deletion has left. A whole snapshot without a record stays: the database may be
   * an older one that was restored. Returns how many were being written.
   */
  async sweep(): Promise<number> {
    let interrupted = 0;
    const rows = new Map((await this.list()).map((row) => [row.id, row]));
    const found = await readdir(this.folder).catch(() => []);
    for (const name of found) {
      const [id = "", isPart] = /^([0-9a-f-]{36})(\.part)?$/.exec(name)?.slice(1) ?? [];
      if (id === "" || this.#underway.has(id)) continue;
      const row = rows.get(id);
      const path = join(this.folder, name);
      const isOrphan = row === undefined ? existsSync(join(path, PENDING)) : row.deletedAt !== null;
      if (isPart !== undefined || (isOrphan && row === undefined)) interrupted += 1;
      if (isPart !== undefined || isOrphan) await rm(path, { recursive: true, force: true });
      else if (row !== undefined) await rm(join(path, PENDING), { force: true });
    }
    return interrupted;
  }

  /** Deletes what the end of a server has left of snapshots that were being written, and says so. */
  async clean(log: Log): Promise<void> {
    const interrupted = await this.sweep();
    if (interrupted === 0) return;
    const which = interrupted === 1 ? "1 snapshot: make it" : `${interrupted} snapshots: make them`;
    log.write("warn", `The server ended while it wrote ${which} again. What there was of it is deleted`);
  }

  /**
   * Writes the files, then the record.
   * @throws Refusal if too many exports wait
   */
  async create({ name, request, columns, missing, table }: SnapshotOrder, signal?: AbortSignal): Promise<SnapshotRow> {
    const { db, exporter, version } = this.dependencies;
    const id = crypto.randomUUID();
    const folder = join(this.folder, id);
    this.#underway.add(id);
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      const written = await exporter
        .run<WrittenSnapshot>({ content: "snapshot", folder, table }, signal)
        .catch(async (error) => {
          // A thread that ended has not tidied up.
          await rm(`${folder}.part`, { recursive: true, force: true }).catch(() => {});
          throw error;
        });
      const { sha256, rows, files, symbols, catalogVersion, calendarVersion } = written;
      const facts = { sha256, rows, files, symbols, missing, version, catalogVersion, calendarVersion };
      try {
        const asked = { ...request, columns };
        const entry = { action: "snapshot.create", subject: id, after: { name, sha256, rows } };
        const row = { id, name, ...facts, request: asked, createdAt: Date.now() };
        await insertSnapshot(db, row, auditStatement(entry));
        await rm(join(folder, PENDING), { force: true });
      } catch (error) {
        await rm(folder, { recursive: true, force: true });
        throw error;
      }
      return (await findSnapshot(db, id))!;
    } finally {
      this.#underway.delete(id);
    }
  }

  list(): Promise<SnapshotRow[]> {
    return listSnapshots(this.dependencies.db);
  }

  /** @throws Refusal if there is none */
  async get(id: string): Promise<SnapshotRow> {
    const row = await findSnapshot(this.dependencies.db, id);
    if (row === undefined) throw new Refusal("not_found", `There is no snapshot ${id}`);
    return row;
  }

  /** The path of a file, and its hash. @throws Refusal if there is none, or it was deleted */
  async file(id: string, name: string): Promise<{ readonly path: string; readonly sha256: string }> {
    const row = this.#kept(await this.get(id));
    const file = row.files.find((each) => each.name === name);
    if (file === undefined) throw new Refusal("not_found", `The snapshot has no file ${name}`);
    return { path: join(this.folder, id, file.name), sha256: file.sha256 };
  }

  /** Deletes the files; the record stays, with the reason. @throws Refusal if that was done before */
  async remove(id: string, reason: string): Promise<void> {
    const row = this.#kept(await this.get(id));
    const entry = { action: "snapshot.delete", subject: id, before: { name: row.name }, after: { reason } };
    await markDeleted(this.dependencies.db, id, reason, auditStatement(entry));
    await rm(join(this.folder, id), { recursive: true, force: true });
  }

  /** What differs from `a` to `b`. @throws Refusal if one was deleted or their intervals differ */
  async diff(a: string, b: string, signal?: AbortSignal): Promise<SnapshotDiff> {
    const [before, after] = [this.#kept(await this.get(a)), this.#kept(await this.get(b))];
    if (before.request.interval !== after.request.interval) {
      throw new Refusal("invalid", "The snapshots have bars of different intervals");
    }
    const [old, now] = [columnsOf(before), columnsOf(after)];
    const isComparable =
      before.catalogVersion === after.catalogVersion &&
      String(old) === String(now) &&
      before.request.dtype === after.request.dtype;
    const folders = { a: join(this.folder, a), b: join(this.folder, b) };
    const request = { content: "snapshot-diff", ...folders, isComparable } as const;
    const rows = await this.dependencies.exporter.run<RowsDiff>(request, signal);
    const sum = (field: "bars_added" | "bars_changed" | "bars_removed") =>
      rows.symbols_changed.reduce((total, each) => total + each[field], 0);
    return {
      a,
      b,
      same: before.sha256 === after.sha256,
      catalog_versions: [before.catalogVersion, after.catalogVersion],
      calendar_versions: [before.calendarVersion, after.calendarVersion],
      columns_added: now.filter((column) => !old.includes(column)),
      columns_removed: old.filter((column) => !now.includes(column)),
      bars_added: sum("bars_added"),
      bars_changed: sum("bars_changed"),
      bars_removed: sum("bars_removed"),
      ...rows,
    };
  }

  #kept(row: SnapshotRow): SnapshotRow {
    if (row.deletedAt === null) return row;
    throw new Refusal("not_found", `The files of snapshot ${row.id} were deleted: ${row.deletedReason}`);
  }
}

const columnsOf = ({ request }: SnapshotRow) => request.columns as readonly string[];
