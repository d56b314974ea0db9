/** All bars of a series in a range, for computations on a thread that nobody else waits for. */

import { type BarColumns, concatBars } from "../../domain/market/bars.ts";
import type { ReadInterval } from "../../domain/market/interval.ts";
import { yieldToEvents } from "../../storage/db.ts";
import { type ExportContext, readBarPages, type SeriesSource } from "../exports/series/read-bars.ts";
import { USUAL_ADJUSTMENT } from "../price-adjustment.ts";

/** The bars with `from` <= ts < `to` (epoch seconds; all by default), adjusted as features are computed from them. */
export async function readAll(
  context: ExportContext,
  series: SeriesSource,
  interval: ReadInterval,
  { from, to }: { readonly from: number; readonly to: number } = EVERYTHING,
): Promise<BarColumns> {
  const pages: BarColumns[] = [];
  for await (const page of readBarPages(context, series, { interval, adjust: USUAL_ADJUSTMENT, from, to, after: 0 })) {
    pages.push(page);
    await yieldToEvents();
  }
  return concatBars(pages);
}

const EVERYTHING = { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER };
