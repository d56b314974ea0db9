/** Counts what a deletion of old bars would delete, before it is confirmed. */

import type { LakePlace } from "../../config/places.ts";
import type { PruneCounts, PrunePreview } from "../../domain/series/prune-preview.ts";
import type { SeriesSelection } from "../../domain/series/selection.ts";
import { chunks, type Database, yieldToEvents } from "../../storage/db.ts";
import { bytesPerRow, listSeries } from "../../storage/series/list-series.ts";
import { countBefore, NOTHING, seriesToPrune } from "../../storage/series/prune-counts.ts";
import { readLakeSizes } from "./lake-sizes.ts";

export interface PrunePreviewTask {
  readonly kind: "prune";
  readonly selection: SeriesSelection;
  /** Epoch seconds. */
  readonly before: number;
  readonly place: LakePlace | undefined;
}

/** Series that are counted by one statement. */
const SLICE = 20;
/** How long rows are counted for one answer, milliseconds. */
const COUNT_MS = 8_000;
/** Symbols that are named. */
const NAMED = 1_000;
const NAMED_BUSY = 5;

export async function previewPruning(
  { db, throwIfStopped }: { readonly db: Database; readonly throwIfStopped: () => void },
  { selection, before, place }: PrunePreviewTask,
  countMs = COUNT_MS,
): Promise<PrunePreview> {
  const end = performance.now() + countMs;
  const lake = await readLakeSizes(place);
  const [perBar, perRevision] = [await bytesPerRow(db, "bars"), await bytesPerRow(db, "bar_revisions")];
  const found = await seriesToPrune(db, selection, before);
  const parts = new Map((await listSeries(db, selection)).map((series) => [series.id, series]));
  let sum = NOTHING;
  let counted = 0;
  for (const part of chunks(found, SLICE)) {
    throwIfStopped();
    const counts = await countBefore(
      db,
      part.map(({ id }) => id),
      before,
    );
    sum = Object.fromEntries(
      Object.entries(sum).map(([name, count]) => [name, count + counts[name as keyof PruneCounts]]),
    ) as unknown as PruneCounts;
    counted += part.length;
    if (performance.now() > end) break;
    await yieldToEvents();
  }
  const busy = found.filter(({ isBusy }) => isBusy);
  return {
    ...sum,
    selected: parts.size,
    series: found.length,
    counted,
    symbols: [...new Set(found.map(({ symbol }) => symbol))].slice(0, NAMED),
    busy: busy.length,
    busySymbols: [...new Set(busy.map(({ symbol }) => symbol))].slice(0, NAMED_BUSY),
    bytes: perBar === null ? null : Math.round(sum.bars * perBar + sum.revisions * (perRevision ?? 0)),
    lakeBytes:
      lake === null
        ? null
        : Math.round(found.reduce((bytes, { id }) => bytes + lake.bytesBefore(parts.get(id)!, before), 0)),
  };
}
