/** A store with a folder for its lake, without a server. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { emptyBars } from "../../../src/domain/market/bars.ts";
import { LakeFolder } from "../../../src/pipeline/lake/lake-folder.ts";
import type { Manifest } from "../../../src/pipeline/lake/manifest.ts";
import { type SyncOptions, syncLake } from "../../../src/pipeline/lake/sync-lake.ts";
import { type Database, openDatabase } from "../../../src/storage/db.ts";
import { migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";

/** Facts of a daily series. */
export const DAILY = {
  symbol: "AAPL",
  provider: "demo",
  feed: "x",
  interval: "1d",
  adjustment: "none",
  sessions: "regular",
} as const;

export interface LakeStore extends Disposable {
  readonly db: Database;
  readonly root: string;
}

export async function lakeStore(): Promise<LakeStore> {
  const folder = temporaryFolder();
  const db = await openDatabase(await migratedDatabase(folder));
  return {
    db,
    root: join(folder.path, "lake"),
    [Symbol.dispose]() {
      db.close();
      folder[Symbol.dispose]();
    },
  };
}

export const syncStore = ({ db, root }: LakeStore, options: Partial<SyncOptions> = {}) =>
  syncLake(db, new LakeFolder(root), root, { all: false, sweep: false, onStep() {}, ...options });

export const manifestOf = ({ root }: LakeStore): Manifest =>
  JSON.parse(readFileSync(join(root, "_manifest.json"), "utf8"));

/** Daily bars of so many days from a date on; `close` is that of all, and every third volume is unknown. */
export function dailyBars(from: string, count: number, close = 10) {
  const bars = emptyBars(count);
  for (let i = 0; i < count; i++) {
    bars.ts[i] = Date.parse(from) / 1_000 + i * 86_400;
    for (const field of ["open", "high", "low", "close"] as const) bars[field][i] = close;
    bars.volume[i] = i % 3 === 0 ? Number.NaN : i;
  }
  return bars;
}
