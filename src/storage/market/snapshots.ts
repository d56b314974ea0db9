/** The records of snapshots; their files lie beside the database. */

import { desc, eq, isNull } from "drizzle-orm";
import type { Database, Statement } from "../db.ts";
import { type SnapshotFile, snapshots } from "../schema/snapshots.ts";

/** A file in the folder of a snapshot whose record is not written yet. */
export const PENDING = "pending";

export type { SnapshotFile };
export type SnapshotRow = typeof snapshots.$inferSelect;

/** Records a snapshot whose files are written. `extraWrites` are part of the same transaction. */
export async function insertSnapshot(
  db: Database,
  row: typeof snapshots.$inferInsert,
  extraWrites: readonly Statement[],
): Promise<void> {
  await db.write([db.orm.insert(snapshots).values(row), ...extraWrites]);
}

/** All snapshots, deleted ones too, newest first. */
export async function listSnapshots(db: Database): Promise<SnapshotRow[]> {
  return db.orm.select().from(snapshots).orderBy(desc(snapshots.createdAt), desc(snapshots.id));
}

export async function findSnapshot(db: Database, id: string): Promise<SnapshotRow | undefined> {
  return db.orm.select().from(snapshots).where(eq(snapshots.id, id)).get();
}

/** The ids of the snapshots that have files. */
export async function keptSnapshots(db: Database): Promise<Set<string>> {
  const rows = await db.orm.select({ id: snapshots.id }).from(snapshots).where(isNull(snapshots.deletedAt));
  return new Set(rows.map(({ id }) => id));
}

/** Records that the files of a snapshot are deleted, and why; the record stays. `extraWrites` go with it. */
export async function markDeleted(
  db: Database,
  id: string,
  reason: string,
  extraWrites: readonly Statement[],
): Promise<void> {
  await db.write([
    db.orm.update(snapshots).set({ deletedAt: Date.now(), deletedReason: reason }).where(eq(snapshots.id, id)),
    ...extraWrites,
  ]);
}
