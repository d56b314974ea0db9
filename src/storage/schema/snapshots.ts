/** Tables that were written to files for good. */

import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** A file of a snapshot; the hash is of its bytes. */
export interface SnapshotFile {
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** Snapshots. A row never changes, but that it may get a time and a reason of deletion; its files go then. */
export const snapshots = sqliteTable("snapshots", {
  id: text().primaryKey(),
  name: text().notNull(),
  /** Of its content, the same on every machine (pipeline/exports/snapshots/content-hash.ts). */
  sha256: text().notNull(),
  rows: integer().notNull(),
  files: text({ mode: "json" }).$type<readonly SnapshotFile[]>().notNull(),
  /** What was asked for, and what it was made with. */
  request: text({ mode: "json" }).$type<Readonly<Record<string, unknown>>>().notNull(),
  symbols: text({ mode: "json" }).$type<readonly string[]>().notNull(),
  missing: text({ mode: "json" }).$type<readonly string[]>().notNull(),
  version: text().notNull(),
  catalogVersion: text("catalog_version").notNull(),
  calendarVersion: text("calendar_version").notNull(),
  createdAt: integer("created_at").notNull(),
  deletedAt: integer("deleted_at"),
  deletedReason: text("deleted_reason"),
});
