/** What is stored and how much space it takes: the series, the database file, the lake and the backups. */

import type { Config } from "../../config.ts";
import type { PrunePreview } from "../../domain/series/prune-preview.ts";
import type { SeriesFilter, SeriesSelection, SeriesSort } from "../../domain/series/selection.ts";
import type { Log } from "../../log.ts";
import type { Analysis } from "../../pipeline/analysis/analysis.ts";
import type { SeriesPage } from "../../pipeline/analysis/stored-series.ts";
import type { WorkerSettings } from "../../pipeline/messages.ts";
import { spaceOf } from "../../storage/connection/space.ts";
import { type Database, pathOf } from "../../storage/db.ts";
import type { Backups } from "../backups/backups.ts";
import { sizeOfBackups } from "../backups/files.ts";
import type { Lake } from "../lake.ts";
import type { Maintenance } from "../maintenance/maintenance.ts";
import type { RunService } from "../runs/run-service.ts";
import { Pruning } from "./pruning.ts";

interface Dependencies {
  readonly db: Database;
  readonly config: Pick<Config, "dbUrl" | "lake">;
  readonly analysis: Analysis;
  readonly backups: Backups;
  readonly log: Log;
  readonly runs: RunService;
  readonly lake: Lake;
  readonly maintenance: Maintenance;
  settings(): WorkerSettings;
}

export interface SeriesQuery {
  readonly filter: SeriesFilter;
  readonly sort: SeriesSort;
  readonly descending: boolean;
  readonly offset: number;
  readonly limit: number;
}

/** Space on disks, in bytes; `null` where it does not exist or is not known. */
export interface StorageTotals {
  /** The database file without its write-ahead log. */
  readonly database: number | null;
  readonly log: number | null;
  /** What may still be written to the disk of the database. */
  readonly free: number | null;
  readonly backups: { readonly files: number; readonly bytes: number } | null;
}

export class StoredSeries {
  readonly pruning: Pruning;

  /** Goes on with a deletion that an earlier process has left. */
  static async open(dependencies: Dependencies): Promise<StoredSeries> {
    const stored = new StoredSeries(dependencies);
    await stored.pruning.start();
    return stored;
  }

  private constructor(private readonly dependencies: Dependencies) {
    const { lake, maintenance } = dependencies;
    const onDeleted = () => {
      lake.notify();
      maintenance.tidySoon();
    };
    this.pruning = new Pruning({ ...dependencies, onDeleted });
  }

  /** Ends a deletion after the step under way. */
  close(): Promise<void> {
    return this.pruning.close();
  }

  /** One page of the series. @throws Refusal if that takes too long */
  list(query: SeriesQuery): Promise<SeriesPage> {
    const { analysis, config } = this.dependencies;
    return analysis.run({ kind: "stored", ...query, place: config.lake });
  }

  /** What a deletion of the bars before a moment (epoch seconds) would delete. @throws Refusal if that takes too long */
  previewPruning(selection: SeriesSelection, before: number): Promise<PrunePreview> {
    const { analysis, config } = this.dependencies;
    return analysis.run({ kind: "prune", selection, before, place: config.lake });
  }

  async totals(): Promise<StorageTotals> {
    const { db, config, backups } = this.dependencies;
    const space = db.local ? await spaceOf(pathOf(config.dbUrl)) : null;
    const { folder } = backups.plan;
    return {
      database: space === null ? null : space.used - space.log,
      log: space?.log ?? null,
      free: space?.free ?? null,
      backups: folder === "" ? null : await sizeOfBackups(folder).catch(() => null),
    };
  }
}
